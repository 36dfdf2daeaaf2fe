from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Endpoint, Model, Price, Profile, Strategy
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Measured
from rolecall.registry.routing.rules.value import score

STRATEGY = Strategy(
    "s",
    quality_usd=0.05,
    ttft_usd_per_s=0.001,
    itl_usd_per_s=0.002,
    default_ttft_s=3.0,
    default_itl_s=0.03,
    default_failure_rate=0.05,
    default_input_usd_per_mtok=5.0,
    default_output_usd_per_mtok=25.0,
)
TASK = Task("code.edit", "detected", 0.9, "x", input_tokens=10_000, prefers=("reasoning", "code"))
PREDICTION = Prediction("m", success=0.8, success_std=0.07, output_tokens=1_000, basis="latent")
MODEL = Model("m", capabilities=("reasoning.high", "tools"))
ENDPOINT = Endpoint(
    "p/m",
    "m",
    price=Price(3.0, 15.0, cache_read_usd_per_mtok=0.3),
    profile=Profile(ttft_s=0.5, ttft_p95_s=1.5, itl_s=0.01, failure_rate=0.2, samples=100),
)


def scored(
    endpoint: Endpoint = ENDPOINT,
    task: Task = TASK,
    model: Model = MODEL,
    prediction: Prediction = PREDICTION,
) -> tuple[Candidate, dict[str, str]]:
    candidate = score(endpoint, model, prediction, task, STRATEGY)
    return candidate, dict(candidate.sources)


def test_value_and_cost_are_what_a_person_works_out_by_hand() -> None:
    found, sources = scored()
    # (10,000 · 3 + 1,000 · 15) / 1e6 = 0.045 an attempt, and one in five fails.
    assert found.cost_usd == pytest.approx(0.05625)
    # 0.05 · 0.8 − 0.05625 − 0.001 · 0.5 − 0.002 · 0.01 · 1,000
    assert found.value_usd == pytest.approx(-0.03675)
    assert found.duration_s == pytest.approx(10.5)
    assert (found.preferred, found.samples) == (1, 100)
    assert (found.success, found.success_std, found.success_basis) == (0.8, 0.07, "latent")
    assert sources == {
        "success": "scored",
        "cost_usd": "declared",
        "price": "declared",
        "input_tokens": "scored",
        "output_tokens": "scored",
        "ttft_s": "measured",
        "itl_s": "measured",
        "failure_rate": "measured",
    }


def test_a_cost_has_six_digits_before_it_is_compared_shown_and_stored() -> None:
    found, _ = scored(replace(ENDPOINT, price=Price(1 / 3, 1 / 7)))
    assert found.cost_usd == 0.00434524  # 0.004345238… in full
    assert found.value_usd == pytest.approx(0.04 - 0.00434524 - 0.0205, abs=1e-12)


@given(st.floats(0.01, 100))
def test_what_is_at_stake_multiplies_the_value_of_success_and_nothing_else(worth: float) -> None:
    plain, _ = scored()
    found, _ = scored(task=replace(TASK, worth=worth))
    assert found.value_usd - plain.value_usd == pytest.approx((worth - 1) * 0.05 * 0.8)
    assert found._replace(value_usd=plain.value_usd) == plain


SLOW = Endpoint("p/m", "m", price=Price(3.0, 15.0))  # says nothing of its speed


def thinking(hidden_tokens: int, *, known: bool = False) -> Prediction:
    """Return the prediction of a model that thinks before the same visible 1,000 tokens."""
    total = PREDICTION.output_tokens + hidden_tokens
    return PREDICTION._replace(
        output_tokens=total, hidden_tokens=hidden_tokens, hidden_tokens_known=known
    )


def waits(found: Candidate) -> float:
    """Return the USD of waiting that a value holds."""
    return 0.05 * found.success - found.cost_usd - found.value_usd


@given(st.integers(0, 20_000), st.none() | st.integers(1, 30_000))
def test_two_unknown_speeds_are_not_set_apart_by_hidden_tokens_that_no_data_tell(
    hidden_tokens: int, max_tokens: int | None
) -> None:
    task = replace(TASK, max_tokens=max_tokens)
    plain, _ = scored(SLOW, task)
    guessed, sources = scored(SLOW, task, prediction=thinking(hidden_tokens))
    assert sources["itl_s"] == "default"
    assert waits(guessed) == pytest.approx(waits(plain), abs=1e-9)
    assert guessed.duration_s == pytest.approx(plain.duration_s)
    # They are paid for all the same.
    assert guessed.output_tokens == min(1_000 + hidden_tokens, max_tokens or 10**9)
    assert guessed.cost_usd >= plain.cost_usd


def test_hidden_tokens_are_waited_for_where_data_tell_them_or_the_speed_is_known() -> None:
    told, _ = scored(SLOW, prediction=thinking(4_000, known=True))
    assert told.streaming_s == pytest.approx(0.03 * 5_000)
    fast, _ = scored(ENDPOINT, prediction=thinking(4_000))
    assert fast.streaming_s == pytest.approx(0.01 * 5_000)
    assert waits(fast) == pytest.approx(0.001 * 0.5 + 0.002 * 0.01 * 5_000)
    guessed, _ = scored(SLOW, prediction=thinking(4_000))
    assert guessed.streaming_s == pytest.approx(0.03 * 1_000)
    assert [each.untimed_tokens for each in (told, fast, guessed)] == [0, 0, 4_000]


def test_cached_tokens_are_cheaper_and_never_more_than_the_input() -> None:
    found, _ = scored(task=replace(TASK, cached_tokens=9_000))
    assert found.cost_usd == pytest.approx((1_000 * 3 + 9_000 * 0.3 + 15_000) / 1e6 / 0.8)
    all_cached, _ = scored(task=replace(TASK, cached_tokens=99_000))
    assert all_cached.cached_tokens == 10_000
    assert all_cached.cost_usd == pytest.approx((10_000 * 0.3 + 15_000) / 1e6 / 0.8)


def test_an_unknown_cache_price_is_the_input_price() -> None:
    endpoint = replace(ENDPOINT, price=Price(3.0, 15.0))
    found, sources = scored(endpoint, replace(TASK, cached_tokens=9_000))
    assert found.cost_usd == pytest.approx(0.05625)
    assert sources["price"] == "declared"


def test_the_unknown_is_never_zero_and_is_marked_default() -> None:
    found, sources = scored(Endpoint("p/m", "m"))
    assert (found.ttft_s, found.itl_s, found.failure_rate) == (3.0, 0.03, 0.05)
    assert found.cost_usd == pytest.approx((10_000 * 5 + 1_000 * 25) / 1e6 / 0.95)
    assert (found.ttft_p95_s, found.samples) == (None, None)
    for name in ("ttft_s", "itl_s", "failure_rate", "price", "cost_usd"):
        assert sources[name] == "default"


def test_a_known_zero_is_believed() -> None:
    free = replace(ENDPOINT, price=Price(0.0, 0.0), profile=Profile(0.0, None, 0.0, 0.0))
    found, sources = scored(free)
    assert (found.cost_usd, found.ttft_s, found.itl_s, found.failure_rate) == (0, 0, 0, 0)
    assert found.value_usd == pytest.approx(0.04)
    assert (sources["ttft_s"], sources["cost_usd"]) == ("declared", "declared")


def test_half_a_price_takes_the_other_half_from_the_default() -> None:
    found, sources = scored(replace(ENDPOINT, price=Price(output_usd_per_mtok=1.0)))
    assert found.cost_usd == pytest.approx((10_000 * 5 + 1_000 * 1) / 1e6 / 0.8)
    assert (sources["price"], sources["cost_usd"]) == ("default", "default")


def test_a_known_price_with_an_unknown_failure_rate_makes_a_guessed_cost() -> None:
    _, sources = scored(replace(ENDPOINT, profile=Profile(ttft_s=0.1, samples=5)))
    assert (sources["price"], sources["cost_usd"]) == ("declared", "default")


def test_an_endpoint_that_always_fails_is_very_expensive_and_not_infinite() -> None:
    found, _ = scored(replace(ENDPOINT, profile=Profile(failure_rate=1.0)))
    assert found.failure_rate == 0.99
    assert found.cost_usd == pytest.approx(4.5)


def test_a_profile_speaks_for_the_most_specific_task_it_knows() -> None:
    success = (("code", 0.5), ("code.edit", 0.9), ("code.edit.rename", 0.1), ("math", 0.2))
    profile = Profile(success=success, samples=100)
    found, sources = scored(replace(ENDPOINT, profile=profile))
    assert (found.success, found.success_basis) == (0.9, "profile")
    assert found.success_std == pytest.approx(0.03)
    assert sources["success"] == "measured"


def test_a_profile_without_samples_is_declared_and_tells_no_spread() -> None:
    found, sources = scored(replace(ENDPOINT, profile=Profile(success=(("code", 0.9),))))
    assert (found.success_std, sources["success"]) == (None, "declared")


def test_a_perfect_record_still_leaves_a_little_doubt() -> None:
    profile = Profile(success=(("code", 1.0),), samples=10)
    assert scored(replace(ENDPOINT, profile=profile))[0].success_std == 0.01


def test_a_profile_of_other_tasks_leaves_the_prediction() -> None:
    found, _ = scored(replace(ENDPOINT, profile=Profile(success=(("math", 0.9),), samples=9)))
    assert (found.success, found.success_basis) == (0.8, "latent")


def test_the_answer_is_no_longer_than_the_caller_or_the_endpoint_permits() -> None:
    assert scored(task=replace(TASK, max_tokens=300))[0].output_tokens == 300
    assert scored(model=replace(MODEL, max_output_tokens=200))[0].output_tokens == 200
    shorter = replace(ENDPOINT, max_output_tokens=100)
    assert scored(shorter, model=replace(MODEL, max_output_tokens=200))[0].output_tokens == 100


def test_a_declared_input_is_marked_so() -> None:
    _, sources = scored(task=replace(TASK, input_tokens_declared=True))
    assert sources["input_tokens"] == "declared"


# What calls and outcomes say goes before what is declared, as far as it is fresh and enough.

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


def seen(measured: Measured) -> Candidate:
    return score(ENDPOINT, MODEL, PREDICTION, TASK, STRATEGY, measured)


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


def test_failures_are_weighed_against_what_is_declared() -> None:
    found = seen(replace(SEEN, recent_calls=6.0, recent_failures=3.0))
    # 3 of 6 failed, and 10 calls' worth of the declared fifth.
    assert found.failure_rate == pytest.approx((3 + 10 * 0.2) / (6 + 10))
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
