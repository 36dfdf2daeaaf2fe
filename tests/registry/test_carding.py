from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rolecall.registry.carding import complete_card, main
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


def test_a_card_gains_steadiness_and_everyday_sense_and_loses_nothing(
    artifact: Path, rows: Path
) -> None:
    before = card(artifact)
    complete_card(artifact, [rows], prompts=2)
    after = card(artifact)
    assert {name: after[name] for name in before if name not in ("steady", "everyday")} == {
        name: value for name, value in before.items() if name not in ("steady", "everyday")
    }
    assert after["steady"]["prompts"] == 2
    assert after["steady"]["fold"] == 7
    assert set(after["steady"]["flips"]) >= {"balanced", "argmax", "constant"}
    assert set(after["steady"]["without"]) == {"reading", "members", "memory"}
    assert after["everyday"]["prompts"] >= 80
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
