"""Where nobody reaches the success floor, `else: best` takes the one most likely correct."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.entities import Strategy
from rolecall.registry.policy.strategies import resolve_strategy
from rolecall.registry.routing.rules.decide import decide
from rolecall.registry.routing.rules.what_if import flips
from tests.routing.rules.test_decide import INPUTS, PLAIN, PREDICTIONS, ranking

HIGH = replace(PLAIN, min_success=0.95)
BEST = replace(HIGH, else_="best")


def test_the_most_likely_correct_is_taken_and_that_is_said() -> None:
    assert ranking(HIGH).chosen is None
    found = ranking(BEST)
    assert [one.endpoint for one in found.candidates] == ["a/strong", "b/weak", "local/tiny"]
    assert (found.chosen, found.excluded) == ("a/strong", ())
    assert found.fallbacks == ("b/weak", "local/tiny")
    [note] = found.notes
    assert note.startswith("no endpoint reaches the success of 0.95 that plain asks for")
    assert note.endswith("the best one is taken (0.9)")
    assert "HIGH_QUALITY_TARGET_MET" not in found.reasons


def test_it_is_success_that_counts_and_no_price() -> None:
    frugal = replace(BEST, quality_usd=0.0)
    assert ranking(replace(frugal, min_success=None)).chosen == "b/weak"
    assert ranking(frugal).chosen == "a/strong"


def test_a_floor_that_somebody_reaches_excludes_the_others() -> None:
    found = ranking(replace(BEST, min_success=0.5))
    assert [one.endpoint for one in found.candidates] == ["a/strong", "b/weak"]
    assert [one.code for one in found.excluded] == ["QUALITY_TOO_LOW"]
    assert "HIGH_QUALITY_TARGET_MET" in found.reasons
    assert found.notes == ()


@pytest.mark.parametrize(
    ("limit", "chosen"),
    [
        ({"max_cost_usd": 0.01}, "b/weak"),
        ({"local_only": True}, "local/tiny"),
        ({"deny": ("a/*", "b/*")}, "local/tiny"),
        ({"max_ttft_s": 0.1}, None),
        ({"max_cost_usd": 0.001, "local_only": False, "deny": ("local/*",)}, None),
    ],
)
def test_no_other_limit_gives_way(limit: dict[str, object], chosen: str | None) -> None:
    assert ranking(replace(BEST, **limit)).chosen == chosen  # type: ignore[arg-type]


def test_a_floor_without_else_stays_hard_whichever_layer_sets_it() -> None:
    def resolved(*layers: Strategy, limits: Strategy | None = None) -> str | None:
        given = () if limits is None else (limits,)
        return resolve_strategy([(one.id, one) for one in layers], *given).else_

    assert resolved(PLAIN, BEST) == resolved(BEST, PLAIN) == resolved(BEST, BEST) == "best"
    assert resolved(HIGH, BEST) is resolved(BEST, HIGH) is resolved(PLAIN, HIGH) is None
    assert resolved(BEST, limits=Strategy("asked for", min_success=0.9)) is None
    assert resolved(BEST, limits=Strategy("asked for", max_cost_usd=1.0)) == "best"


@given(st.permutations([0.05, 0.3, 0.31, 0.6, 0.9]), st.floats(0.0, 0.2), st.booleans())
def test_every_flip_that_is_told_is_true(
    success: list[float], quality_usd: float, is_local_only: bool
) -> None:
    strategy = replace(BEST, quality_usd=quality_usd, local_only=is_local_only)
    predictions = {
        name: one._replace(success=success[place])
        for place, (name, one) in enumerate(PREDICTIONS.items())
    }

    def chosen(changed: Strategy) -> str | None:
        return decide(replace(INPUTS, strategy=changed), predictions).chosen

    found = decide(replace(INPUTS, strategy=strategy), predictions)
    for flip in flips(found.candidates, found.excluded, strategy, None, 1.0):
        assert flip.parameter in ("min_success", "local_only")
        changed = replace(strategy, **{flip.parameter: flip.becomes})  # type: ignore[arg-type]
        assert chosen(changed) == flip.chosen != found.chosen
