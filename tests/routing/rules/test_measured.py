"""What calls and outcomes say goes before what is declared, as far as it is fresh and enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Endpoint, Profile
from rolecall.registry.core.telemetry import Measured
from rolecall.registry.routing.rules.value import score
from tests.routing.rules.test_value import ENDPOINT, MODEL, PREDICTION, STRATEGY, TASK

SEEN = Measured(
    samples=40,
    freshness=1.0,
    long_freshness=1.0,
    ttft_p50_s=2.0,
    ttft_long_p50_s=1.0,
    ttft_p95_s=4.0,
    itl_p50_s=0.02,
    itl_long_p50_s=0.03,
)


def seen(measured: Measured, endpoint: Endpoint = ENDPOINT) -> Candidate:
    return score(endpoint, MODEL, PREDICTION, TASK, STRATEGY, measured)


def test_fresh_medians_are_taken_as_they_are_and_said_to_be_measured() -> None:
    found = seen(SEEN)
    assert (found.ttft_s, found.itl_s, found.ttft_p95_s, found.samples) == (2.0, 0.02, 4.0, 40)
    sources = dict(found.sources)
    assert (sources["ttft_s"], sources["itl_s"]) == ("measured", "measured")


@pytest.mark.parametrize(
    ("freshness", "long_freshness", "ttft_s"),
    [(1.0, 1.0, 2.0), (0.5, 1.0, 1.5), (0.0, 1.0, 1.0), (0.0, 0.5, 0.75), (0.0, 0.0, 0.5)],
)
def test_they_fade_to_the_long_ones_and_these_to_what_is_declared(
    freshness: float, long_freshness: float, ttft_s: float
) -> None:
    faded = replace(SEEN, freshness=freshness, long_freshness=long_freshness)
    assert seen(faded).ttft_s == pytest.approx(ttft_s)


def test_a_speed_that_no_call_told_is_the_declared_one() -> None:
    found = seen(replace(SEEN, itl_p50_s=None, itl_long_p50_s=None))
    assert found.itl_s == 0.01
    unmeasured = seen(Measured(), Endpoint("p/m", "m", profile=Profile(ttft_s=0.7)))
    assert unmeasured.ttft_s == 0.7
    assert dict(unmeasured.sources)["ttft_s"] == "declared"


def test_failures_are_weighed_against_what_is_declared() -> None:
    found = seen(replace(SEEN, recent_calls=6.0, recent_failures=3.0))
    # 3 of 6 failed, and 4 calls' worth of the declared fifth.
    assert found.failure_rate == pytest.approx((3 + 4 * 0.2) / (6 + 4))
    assert found.cost_usd == pytest.approx(0.045 / (1 - found.failure_rate))


def test_outcomes_move_the_success_and_lessen_its_doubt() -> None:
    found = seen(replace(SEEN, outcomes=3, success_offset=-0.25, success_uncertainty=0.5))
    assert found.success == pytest.approx(0.55)
    assert found.scored_success == 0.8
    assert found.success_std == pytest.approx(0.035)
    assert (found.outcomes, dict(found.sources)["success"]) == (3, "measured")


@pytest.mark.parametrize(("offset", "success"), [(-5.0, 0.01), (5.0, 0.99)])
def test_no_outcome_makes_an_answer_certain(offset: float, success: float) -> None:
    assert seen(replace(SEEN, outcomes=1, success_offset=offset)).success == success


def test_an_offset_without_outcomes_of_this_kind_moves_nothing() -> None:
    assert seen(SEEN).success == 0.8
