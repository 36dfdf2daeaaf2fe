from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rolecall.cli.render.model_card import print_card
from rolecall.registry.scorer.card import card

if TYPE_CHECKING:
    from tests.conftest import Rolecall

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
    sanity, robustness = content["sanity"], content["robustness"]
    text = " ".join(out.split())
    assert f"{sanity['passed']} of {sanity['prompts']}" in text
    edits, others = (robustness[one]["balanced"]["share"] for one in ("edits", "restatements"))
    assert f"balanced {edits:.1%} and {others:.1%}" in text
    assert "assumed, not measured" in out


def test_a_card_lacks_what_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(json.dumps(card()))
    for name in ("figures", "robustness", "sanity"):
        del content[name]
    out = shown(capsys, content)
    assert "flip" not in out
    assert "kNN" not in out
    assert content["version"] in out


def test_what_is_known_of_a_model_is_told_by_kind_of_work_and_from_where(
    rolecall: Rolecall,
) -> None:
    def kinds_of(model: str) -> list[dict[str, Any]]:
        done = rolecall("scorer", "show", "--model", model, "--json")
        kinds: list[dict[str, Any]] = json.loads(done.stdout)["kinds"]
        return kinds

    judged, unheard = kinds_of("claude-sonnet-4-6"), kinds_of("acme-9")
    assert {one["basis"] for one in judged if one["rows"]} == {"rows"}
    assert {one["basis"] for one in judged if not one["rows"]} == {"scores"}
    assert sum(one["rows"] for one in judged) > 100
    # Prompts of our own that count as judged by public scores are no rows.
    of_rows = {kind for task, kind in card()["kinds"].items() if not task.startswith("public_")}
    assert {one["kind"] for one in judged if one["rows"]} <= of_rows
    assert {one["basis"] for one in unheard} == {"facts"}
    assert {one["rows"] for one in unheard} == {0}
    spread = {one["kind"]: one["spread"] for one in judged}
    assert all(spread[one["kind"]] < one["spread"] for one in unheard if one["spread"])
    told = rolecall("scorer", "show", "--model", "acme-9").stdout
    assert told.endswith("acme-9: predicted from size, date, price and family alone\n")
