"""What is at stake in a role or kind of task turns decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.entities import Endpoint, Profile, Role, Strategy
from rolecall.registry.routing.rules.decide import decide
from tests.routing.rules.test_decide import (
    INPUTS,
    PLAIN,
    PREDICTIONS,
    STRONG,
    TASK,
    TINY,
    WEAK,
    limits,
    pools,
    ranking,
)


@settings(max_examples=30)
@given(pools, limits, st.lists(st.floats(0.01, 100), min_size=2, max_size=2).map(sorted))
def test_the_more_is_at_stake_the_likelier_is_the_choice_to_succeed(
    pool: list[Endpoint], strategy: Strategy, worths: list[float]
) -> None:
    # Among near-ties success does not count.
    plain = replace(strategy, tie_band_usd=0.0)
    little, much = (
        decide(
            replace(
                INPUTS,
                endpoints=tuple(pool),
                strategy=plain,
                task=replace(TASK, worth=worth),
            ),
            PREDICTIONS,
        ).candidates
        for worth in worths
    )
    assert {each.endpoint for each in little} == {each.endpoint for each in much}
    assert not little or little[0].success <= much[0].success + 1e-9


def test_what_is_at_stake_turns_the_choice() -> None:
    frugal = replace(PLAIN, quality_usd=0.02)
    quick = replace(TINY, profile=Profile(ttft_s=3.0))

    def chosen(worth: float) -> str | None:
        task = replace(TASK, worth=worth)
        return ranking(frugal, task=task, endpoints=(STRONG, WEAK, quick)).chosen

    assert [chosen(worth) for worth in (0.1, 1.0, 5.0)] == ["local/tiny", "b/weak", "a/strong"]


@pytest.mark.parametrize(
    ("source", "code"),
    [("role r", "ROLE_POLICY_APPLIED"), ("task code", "TASK_POLICY_APPLIED"), ("asked for", None)],
)
def test_a_worth_that_turned_the_choice_is_a_policy_that_applied(
    source: str, code: str | None
) -> None:
    def policies(quality_usd: float) -> set[str]:
        task = replace(TASK, worth=5.0, worth_source=source)
        found = ranking(replace(PLAIN, quality_usd=quality_usd), Role("r"), task)
        assert found.chosen == "a/strong"
        return {each for each in found.reasons if each.endswith("POLICY_APPLIED")}

    assert policies(0.02) == ({code} if code else set())
    # Here the strong one is the choice for a plain question too.
    assert policies(0.1) == set()
