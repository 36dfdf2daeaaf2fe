from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.core.entities import Endpoint, Model, Price, Strategy
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.telemetry import EndpointStatistics, Measured
from rolecall.registry.routing.rules.decide import decide
from rolecall.registry.routing.rules.exploration import (
    CALLS_PER_TRIAL,
    UNTIMED_TRIED,
    is_time_to_try,
    with_untimed_tried,
)
from rolecall.registry.routing.rules.inputs import DecisionInputs, Ranked
from tests.routing.rules.test_decide import TASK

FAST = Measured(
    samples=9,
    freshness=1.0,
    long_freshness=1.0,
    ttft_p50_s=0.2,
    ttft_long_p50_s=0.2,
    itl_p50_s=0.005,
    itl_long_p50_s=0.005,
)
MODELS = {name: Model(name) for name in ("timed", "untimed", "other")}
PREDICTIONS = {name: Prediction(name, 0.8, 0.05, 500, "latent") for name in MODELS}
BALANCED = Strategy("balanced")
EXACT = replace(BALANCED, tie_band_usd=0.0)


def served(name: str, price: float) -> Endpoint:
    return Endpoint(f"p/{name}", name, price=Price(price, price))


def ranking(
    *,
    price: float = 1.0,
    strategy: Strategy = BALANCED,
    incumbent: str | None = None,
    measured: dict[str, Measured] | None = None,
) -> Ranked:
    """Return the ranking of an endpoint at $1 that was timed and others that were not."""
    inputs = DecisionInputs(
        (served("timed", 1.0), served("untimed", price), served("other", 9.0)),
        MODELS,
        TASK,
        strategy,
        incumbent=incumbent,
        measured={"p/timed": FAST} if measured is None else measured,
    )
    found = decide(inputs, PREDICTIONS)
    return with_untimed_tried(found, inputs)


def statistics(calls: int, samples: int) -> EndpointStatistics:
    return EndpointStatistics("p/m", "2026-11-22", calls=calls, samples=samples)


def test_assumed_waits_alone_keep_nobody_out_for_ever() -> None:
    found = ranking(price=0.9)
    assert (found.chosen, found.runner_up) == ("p/untimed", "p/timed")
    assert [one.endpoint for one in found.candidates] == ["p/untimed", "p/timed", "p/other"]
    assert found.fallbacks == ("p/timed", "p/other")
    assert found.reasons[0] == UNTIMED_TRIED
    assert "BEST_TOTAL_SCORE" not in found.reasons
    assert found.margin_usd is not None
    assert found.margin_usd < 0
    assert found.notes == (
        "p/untimed was never timed: it is asked once, since it would be chosen were it as fast as "
        "p/timed",
    )


@pytest.mark.parametrize(("price", "is_tried"), [(1.1, True), (1.3, False), (9.0, False)])
def test_what_is_lost_by_cost_and_success_is_at_most_the_near_tie_band(
    price: float, *, is_tried: bool
) -> None:
    # 1,500 tokens at $1.1 a million, over 0.95: $0.00016 more than at $1; at $1.3 $0.00047.
    assert (ranking(price=price).chosen == "p/untimed") is is_tried


def test_without_a_band_only_what_loses_nothing_is_tried() -> None:
    assert ranking(price=1.0, strategy=EXACT).chosen == "p/untimed"
    assert ranking(price=1.01, strategy=EXACT).chosen == "p/timed"


def test_the_order_of_the_rest_stays() -> None:
    plain = ranking(price=9.0)
    assert UNTIMED_TRIED not in plain.reasons
    assert plain.notes == ()


def test_in_a_conversation_that_another_answers_nobody_is_tried() -> None:
    assert ranking(price=0.9, incumbent="p/timed").chosen == "p/timed"


def test_where_nobody_was_timed_nobody_is_tried() -> None:
    found = ranking(price=1.0, measured={})
    assert UNTIMED_TRIED not in found.reasons


def test_who_was_timed_is_not_tried_however_slow() -> None:
    slow = replace(FAST, ttft_p50_s=9.0, ttft_long_p50_s=9.0)
    found = ranking(price=0.9, measured={"p/timed": FAST, "p/untimed": slow})
    assert found.chosen == "p/timed"


def test_at_most_one_call_in_so_many_goes_to_who_was_never_timed() -> None:
    assert not is_time_to_try([])
    timed = statistics(CALLS_PER_TRIAL - 1, CALLS_PER_TRIAL - 1)
    assert not is_time_to_try([timed])
    timed = replace(timed, calls=CALLS_PER_TRIAL)
    assert is_time_to_try([timed])
    failed_once = statistics(1, 0)
    assert not is_time_to_try([timed, failed_once])
    assert is_time_to_try([replace(timed, calls=2 * CALLS_PER_TRIAL - 1), failed_once])
    assert not is_time_to_try([replace(timed, calls=2 * CALLS_PER_TRIAL - 1), statistics(2, 0)])
