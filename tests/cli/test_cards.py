from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.cli.cards import print_card
from rolecall.registry.scorer.card import card


def shown(capsys: pytest.CaptureFixture[str], content: dict[str, Any]) -> str:
    print_card(content)
    return capsys.readouterr().out


def test_the_shipped_card_shows_its_figures_beside_the_baselines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = card()
    out = shown(capsys, content)
    assert content["version"] in out
    figures = content["figures"]
    [line] = [line for line in out.splitlines() if line.startswith("AUC mean")]
    for side in ("scorer", "nearest", "task_means"):
        assert f"{figures[side]['auc_mean']:.3f}" in line
    sanity = content["sanity"]
    assert f"{sanity['passed']} of {sanity['prompts']}" in out
    share = content["robustness"]["restatements"]["balanced"]["share"]
    assert (
        f"balanced {content['robustness']['edits']['balanced']['share']:.1%} and {share:.1%}" in out
    )
    assert "assumed, not measured" in out


def test_a_card_of_ones_own_data_lacks_what_was_not_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = json.loads(json.dumps(card()))
    for name in ("robustness", "sanity", "facts_prior", "quantization"):
        del content[name]
    out = shown(capsys, content)
    assert "flip" not in out
    assert "by facts:" not in out
    assert content["version"] in out
