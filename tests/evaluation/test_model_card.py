from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rolecall.registry.evaluation.model_card import complete_card, main
from rolecall.registry.scorer.card import PRETRAINED, card


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PRETRAINED, tmp_path / "artifact"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    prompts = ("Explain why the largest lake is salty.", "Compute 2 + 2.", "Who wrote Emma?")
    lines = [
        {"prompt": f"{prompt} ({fold})", "scores": {"a": 1, "b": 0}, "fold": fold}
        for fold in (6, 7)
        for prompt in prompts
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_card_gains_figures_robustness_and_sanity_and_loses_nothing(
    artifact: Path, rows: Path
) -> None:
    before = card(artifact)
    complete_card(artifact, [rows], prompts=2)
    after = card(artifact)
    added = ("figures", "robustness", "sanity")
    assert {name: after[name] for name in after if name not in added} == {
        name: before[name] for name in before if name not in added
    }
    assert after["figures"]["sets"]["rows"]["prompts"] == 3
    assert after["robustness"]["prompts"] == 2
    assert after["robustness"]["fold"] == 7
    assert set(after["robustness"]["flips"]) >= {"balanced", "argmax", "nearest", "constant"}
    assert after["sanity"]["prompts"] >= 120
    assert 0 < after["sanity"]["best_constant_passed"] < after["sanity"]["prompts"]
    assert not list(artifact.glob("*.new"))


def test_rows_that_are_none_are_named_and_the_card_stays(
    artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    before = (artifact / "card.json").read_bytes()
    assert main([str(bad), "--artifact", str(artifact)]) == 2
    assert "bad.jsonl:1" in capsys.readouterr().err
    assert (artifact / "card.json").read_bytes() == before
