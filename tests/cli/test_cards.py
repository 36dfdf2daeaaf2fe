from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.cli.cards import print_card
from rolecall.registry.scorer.card import card

NO_FITS = {"fits": {"in_use": False, "prompts": 0, "models": {}, "added_at": None, "waiting": 0}}


def shown(capsys: pytest.CaptureFixture[str], content: dict[str, Any]) -> str:
    print_card(content | NO_FITS)
    return capsys.readouterr().out


def test_the_shipped_card_shows_its_figures_beside_the_neighbours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = card()
    out = shown(capsys, content)
    assert content["version"] in out
    [line] = [line for line in out.splitlines() if line.startswith("mean ")]
    for side in ("ours", "nearest"):
        for metric in ("auc", "brier", "pair_order"):
            assert f"{content['figures']['by_set'][side][metric]['mean']:.3f}" in line
    for name in content["figures"]["sets"]:
        assert any(line.startswith(f"{name} ") for line in out.splitlines())
    sanity = content["sanity"]
    assert f"{sanity['passed']} of {sanity['prompts']}" in out
    share = content["robustness"]["restatements"]["balanced"]["share"]
    assert (
        f"balanced {content['robustness']['edits']['balanced']['share']:.1%} and {share:.1%}" in out
    )
    assert "assumed, not measured" in out


def test_a_card_lacks_what_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(json.dumps(card()))
    for name in ("figures", "robustness", "sanity"):
        del content[name]
    out = shown(capsys, content)
    assert "flip" not in out
    assert "kNN" not in out
    assert content["version"] in out
