from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.entities import (
    Assignment,
    Endpoint,
    Model,
    Price,
    Profile,
    Role,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.requests import Task
from rolecall.registry.policy.strategies import resolve_strategy
from rolecall.registry.routing.rules.decide import decide, nothing_eligible_message
from rolecall.registry.routing.rules.eligibility import find_eligible
from rolecall.registry.routing.rules.inputs import DecisionInputs, Ranked

TASK = Task("code", "detected", 0.9, "x", input_tokens=1_000, input_tokens_declared=True)
MODELS = {
    "strong": Model("strong", capabilities=("tools", "reasoning")),
    "weak": Model("weak", capabilities=("tools",)),
    "tiny": Model("tiny"),
}
PREDICTIONS = {
    "strong": Prediction("strong", 0.9, 0.05, 1_000, "latent"),
    "weak": Prediction("weak", 0.6, 0.05, 500, "latent"),
    "tiny": Prediction("tiny", 0.3, 0.2, 300, "facts", hidden_tokens=200),
}
MEASURED = Profile(ttft_s=0.5, itl_s=0.01, failure_rate=0.0, samples=50)
STRONG = Endpoint("a/strong", "strong", price=Price(3.0, 15.0), profile=MEASURED, key_env="KEY")
WEAK = Endpoint("b/weak", "weak", price=Price(0.5, 2.0), profile=MEASURED)
TINY = Endpoint("local/tiny", "tiny", price=Price(0.0, 0.0), locality="local")
PLAIN = Strategy("plain", quality_usd=0.1)
INPUTS = DecisionInputs((STRONG, WEAK, TINY), MODELS, TASK, PLAIN, available_env=frozenset({"KEY"}))


def ranking(
    strategy: Strategy = PLAIN, role: Role | None = None, task: Task = TASK, **more: object
) -> Ranked:
    inputs = replace(INPUTS, strategy=strategy, role=role, task=task, **more)  # type: ignore[arg-type]
    return decide(inputs, PREDICTIONS)


def codes(found: Ranked) -> list[tuple[str, str]]:
    return [(each.endpoint, each.code) for each in found.excluded]


def test_the_whole_way_from_inputs_to_a_ranking() -> None:
    found = ranking()
    assert [each.endpoint for each in found.candidates] == ["a/strong", "b/weak", "local/tiny"]
    assert (found.chosen, found.runner_up) == ("a/strong", "b/weak")
    assert found.fallbacks == ("b/weak", "local/tiny")
    values = [each.value_usd for each in found.candidates]
    # 0.09 − 0.018 − 0.00025 − 0.005 and 0.06 − 0.0015 − 0.00025 − 0.0025
    assert values[:2] == pytest.approx([0.06675, 0.05575])
    assert found.margin_usd == values[0] - values[1]
    assert (found.excluded, found.notes) == ((), ())


def test_only_one_left_has_no_runner_up_and_no_margin() -> None:
    found = ranking(replace(PLAIN, local_only=True))
    assert (found.chosen, found.runner_up, found.margin_usd) == ("local/tiny", None, None)
    assert "FALLBACK_CHAIN_COMPUTED" not in found.reasons


def test_at_most_five_fallbacks_are_kept() -> None:
    many = tuple(replace(WEAK, id=f"p{place}/weak") for place in range(9))
    found = ranking(endpoints=many)
    assert len(found.candidates) == 9
    assert found.fallbacks == tuple(each.endpoint for each in found.candidates[1:6])


def test_giving_the_eligible_changes_nothing() -> None:
    inputs = replace(INPUTS, strategy=replace(PLAIN, min_success=0.5))
    assert decide(inputs, PREDICTIONS, find_eligible(inputs)) == decide(inputs, PREDICTIONS)


def test_only_models_that_may_serve_need_a_prediction() -> None:
    inputs = replace(INPUTS, available_env=frozenset())
    known = {name: PREDICTIONS[name] for name in find_eligible(inputs).variants}
    assert sorted(known) == ["tiny", "weak"]
    assert decide(inputs, known).chosen == "b/weak"


def test_who_is_kept_out_for_being_remote_alone_is_scored_and_held_to_the_limits() -> None:
    found = ranking(replace(PLAIN, local_only=True, max_cost_usd=0.01))
    assert codes(found) == [
        ("a/strong", "POLICY_DENY_REMOTE"),
        ("a/strong", "BUDGET_EXCEEDED"),
        ("b/weak", "POLICY_DENY_REMOTE"),
    ]
    assert [each.weighed is not None for each in found.excluded] == [True, True, True]


def test_who_is_kept_out_for_more_than_being_remote_is_not_scored() -> None:
    gone = replace(STRONG, status="disabled")
    found = ranking(replace(PLAIN, local_only=True), endpoints=(gone,))
    assert codes(found) == [("a/strong", "POLICY_DENY_REMOTE"), ("a/strong", "ENDPOINT_DISABLED")]
    assert [each.weighed for each in found.excluded] == [None, None]


def test_a_limit_excludes_with_the_numbers_attached() -> None:
    found = ranking(replace(PLAIN, min_success=0.7, max_cost_usd=0.01))
    assert codes(found) == [
        ("a/strong", "BUDGET_EXCEEDED"),
        ("b/weak", "QUALITY_TOO_LOW"),
        ("local/tiny", "QUALITY_TOO_LOW"),
    ]
    assert all(each.weighed is not None for each in found.excluded)
    assert (found.chosen, found.candidates, found.reasons) == (None, (), ())
    assert (found.runner_up, found.margin_usd, found.fallbacks) == (None, None, ())


def test_an_advisory_budget_is_noted_and_not_enforced() -> None:
    found = ranking(replace(PLAIN, max_cost_usd=0.01, budget_mode="advisory"))
    assert found.chosen == "a/strong"
    assert found.notes == ("a/strong costs $0.018, over the advisory limit of $0.01",)
    within = ranking(replace(PLAIN, max_cost_usd=0.02, budget_mode="advisory"))
    assert (within.chosen, within.notes) == ("a/strong", ())


# Why.


def test_an_attachment_of_unknown_size_excludes_under_a_limit_and_is_noted_without() -> None:
    unknown = replace(INPUTS.task, most_input_tokens=(None,) * 5)
    inputs = replace(INPUTS, task=unknown, strategy=replace(PLAIN, max_cost_usd=100.0))
    limited = decide(inputs, PREDICTIONS)
    assert limited.chosen == "local/tiny"
    assert codes(limited) == [("a/strong", "BUDGET_EXCEEDED"), ("b/weak", "BUDGET_EXCEEDED")]
    assert limited.excluded[0].detail == "the size of an attachment is unknown; at most $100"
    free = decide(replace(inputs, strategy=PLAIN), PREDICTIONS)
    assert free.notes == (f"the size of an attachment is unknown: {free.chosen} may not hold it",)


def test_the_best_measured_one_wins_for_that_reason() -> None:
    assert ranking().reasons == (
        "BEST_TOTAL_SCORE",
        "MEASURED_PROFILE_USED",
        "FALLBACK_CHAIN_COMPUTED",
    )


def test_each_source_of_the_profile_is_told() -> None:
    partly = replace(WEAK, profile=Profile(ttft_s=0.5, samples=3))
    declared = replace(WEAK, profile=Profile(0.5, None, 0.01, 0.0))
    for endpoint, expected in [
        (partly, ["MEASURED_PROFILE_USED", "DEFAULT_PROFILE_USED"]),
        (declared, ["DECLARED_PROFILE_USED"]),
        (replace(WEAK, profile=None), ["DEFAULT_PROFILE_USED"]),
    ]:
        reasons = ranking(endpoints=(endpoint,)).reasons
        assert [code for code in reasons if "PROFILE" in code] == expected


def test_the_incumbent_stays_within_the_band_and_it_is_told() -> None:
    found = ranking(replace(PLAIN, tie_band_usd=0.02), incumbent="b/weak")
    assert found.chosen == "b/weak"
    assert found.margin_usd == pytest.approx(-0.011)
    assert "BEST_TOTAL_SCORE" not in found.reasons
    assert found.reasons[:2] == ("TIE_BREAK_APPLIED", "CONTINUITY_AFFINITY_APPLIED")


def test_local_preference_is_told_only_where_it_decided() -> None:
    near = replace(WEAK, id="z/near", locality="local")
    prefers = replace(PLAIN, prefer_locality="local")
    found = ranking(prefers, endpoints=(WEAK, near))
    assert found.chosen == "z/near"
    assert "LOCAL_PREFERENCE_APPLIED" in found.reasons
    assert "LOCAL_PREFERENCE_APPLIED" not in ranking(prefers, endpoints=(STRONG, near)).reasons


def test_cached_tokens_that_counted_are_told() -> None:
    task = replace(TASK, cached_tokens=500)
    found = ranking(task=task, incumbent="a/strong")
    assert found.chosen == "a/strong"
    assert "CACHE_AFFINITY_APPLIED" in found.reasons
    assert "CACHE_AFFINITY_APPLIED" not in ranking(task=task, incumbent="b/weak").reasons


def test_only_the_incumbent_has_anything_in_its_cache() -> None:
    found = ranking(task=replace(TASK, cached_tokens=500), incumbent="b/weak")
    assert {each.endpoint: each.cached_tokens for each in found.candidates} == {
        "a/strong": 0,
        "b/weak": 500,
        "local/tiny": 0,
    }


def test_targets_that_are_set_are_met_by_whoever_is_chosen() -> None:
    found = ranking(replace(PLAIN, min_success=0.5, max_ttft_s=1.0)).reasons
    assert {"LOW_LATENCY_TARGET_MET", "HIGH_QUALITY_TARGET_MET"} <= set(found)


def test_saving_is_told_where_something_better_and_more_expensive_is_ranked() -> None:
    assert "BUDGET_OPTIMIZATION" in ranking(replace(PLAIN, quality_usd=0.01)).reasons
    assert "BUDGET_OPTIMIZATION" in ranking(replace(PLAIN, quality_usd=0.0)).reasons
    assert "BUDGET_OPTIMIZATION" not in ranking().reasons
    expensive_and_weak = replace(WEAK, price=Price(99.0, 99.0))
    assert "BUDGET_OPTIMIZATION" not in ranking(endpoints=(STRONG, expensive_and_weak)).reasons


@pytest.mark.parametrize(
    ("role", "is_told"),
    [
        (Role("r"), False),
        (Role("r", require=("tools",)), True),
        (Role("r", forbid=("reasoning",)), True),
        (Role("r", forbid=("vision",)), False),
        (Role("r", assignments=(Assignment("b/weak"),)), True),
        (Role("r", assignments=tuple(Assignment(e.id) for e in INPUTS.endpoints)), False),
        (Role("r", assignments=(Assignment("b/weak", "disabled"),)), True),
    ],
)
def test_a_role_is_told_where_it_kept_something_out(role: Role, is_told: bool) -> None:
    needs = tuple((capability, "r requires it") for capability in role.require)
    found = ranking(role=role, task=replace(TASK, needs=needs))
    assert ("ROLE_POLICY_APPLIED" in found.reasons) is (is_told and found.chosen is not None)


def test_a_preference_that_decided_a_tie_is_told_by_where_it_comes_from() -> None:
    strategy = replace(PLAIN, tie_band_usd=9.0)
    task = replace(TASK, prefers=("reasoning",))
    by_role = ranking(strategy, Role("r", prefer=("reasoning",)), task)
    by_task = ranking(strategy, None, task, kinds=(TaskKind("code", prefer=("reasoning",)),))
    assert (by_role.chosen, by_task.chosen) == ("a/strong", "a/strong")
    assert "ROLE_POLICY_APPLIED" in by_role.reasons
    assert "TASK_POLICY_APPLIED" not in by_role.reasons
    assert "TASK_POLICY_APPLIED" in by_task.reasons
    undecided = ranking(PLAIN, Role("r", prefer=("reasoning",)), task)
    assert undecided.chosen == "a/strong"
    assert "ROLE_POLICY_APPLIED" not in undecided.reasons


def test_a_task_row_is_told_where_its_needs_kept_something_out() -> None:
    task = replace(TASK, needs=(("tools", "task code requires it"),))
    kinds = (TaskKind("code", require=("tools",)),)
    assert "TASK_POLICY_APPLIED" in ranking(task=task, kinds=kinds).reasons
    assert "TASK_POLICY_APPLIED" not in ranking(task=task).reasons


# Nothing eligible.


def message(inputs: DecisionInputs) -> tuple[str, str, bool]:
    return nothing_eligible_message(decide(inputs, PREDICTIONS).excluded, inputs.endpoints)


def test_an_empty_pool_says_so() -> None:
    assert message(replace(INPUTS, endpoints=())) == (
        "no endpoint is registered",
        "rolecall endpoints add --help",
        False,
    )


def test_codes_are_counted_and_the_nearest_endpoints_give_the_advice() -> None:
    weak = replace(WEAK, key_env="OTHER_KEY", status="disabled")
    tiny = replace(TINY, context_tokens=10, status="disabled")
    inputs = replace(INPUTS, endpoints=(STRONG, weak, tiny), available_env=frozenset())
    assert message(inputs) == (
        "no endpoint is eligible: 2 AUTH_UNAVAILABLE, 2 ENDPOINT_DISABLED, 1 CONTEXT_TOO_SMALL",
        "export KEY=...",
        False,
    )


def test_a_budget_alone_in_the_way_of_anyone_is_a_matter_of_money() -> None:
    strategy = replace(PLAIN, max_cost_usd=0.0001, min_success=0.5)
    found = message(replace(INPUTS, strategy=strategy))
    assert found == (
        "no endpoint is eligible: 2 BUDGET_EXCEEDED, 1 QUALITY_TOO_LOW",
        "raise --max-cost or the budget, or lower --max-tokens",
        True,
    )
    both = replace(strategy, min_success=0.95)
    hint = "lower --min-success, or choose another --strategy"
    assert message(replace(INPUTS, strategy=both))[1:] == (hint, False)


def test_an_obstacle_without_an_advice_of_its_own_leads_to_explain() -> None:
    task = replace(TASK, modalities=("text", "audio"))
    assert message(replace(INPUTS, task=task))[1] == "rolecall explain"


# Properties of the whole.

pools = st.lists(
    st.builds(
        Endpoint,
        id=st.sampled_from([f"{place}/{name}" for place in "abc" for name in "xyz"]),
        model=st.sampled_from(sorted(MODELS)),
        locality=st.sampled_from(["local", "remote"]),
        region=st.sampled_from([None, "eu", "us"]),
        key_env=st.sampled_from([None, "KEY", "OTHER"]),
        price=st.none() | st.builds(Price, st.sampled_from([None, 0.0, 3.0]), st.just(9.0)),
        profile=st.none() | st.just(MEASURED),
        status=st.sampled_from(["active", "active", "disabled"]),
    ),
    unique_by=lambda each: each.id,
    max_size=8,
)
limits = st.builds(
    Strategy,
    id=st.just("s"),
    min_success=st.sampled_from([None, 0.5, 0.7]),
    max_cost_usd=st.sampled_from([None, 0.005, 0.02]),
    max_ttft_s=st.sampled_from([None, 1.0]),
    max_duration_s=st.sampled_from([None, 8.0]),
    local_only=st.booleans(),
    regions=st.sampled_from([(), ("eu",), ("eu", "us")]),
    allow=st.sampled_from([(), ("a/*",), ("*/x", "b/*")]),
    deny=st.sampled_from([(), ("*/y",)]),
    tie_band_usd=st.sampled_from([0.0, 0.0002, 0.02]),
)


def decided(pool: list[Endpoint], strategy: Strategy) -> Ranked:
    return decide(replace(INPUTS, endpoints=tuple(pool), strategy=strategy), PREDICTIONS)


@settings(max_examples=30)
@given(pools, limits, limits)
def test_another_layer_never_admits(pool: list[Endpoint], wide: Strategy, narrow: Strategy) -> None:
    both = resolve_strategy([("wide", wide), ("narrow", narrow)])
    admitted = {each.endpoint for each in decided(pool, both).candidates}
    assert admitted == {each.endpoint for each in decided(pool, wide).candidates} & {
        each.endpoint for each in decided(pool, narrow).candidates
    }


@settings(max_examples=30)
@given(pools, limits)
def test_every_endpoint_is_either_ranked_or_excluded_with_a_reason(
    pool: list[Endpoint], strategy: Strategy
) -> None:
    found = decided(pool, strategy)
    ranked = {each.endpoint for each in found.candidates}
    excluded = {each.endpoint for each in found.excluded}
    assert ranked | excluded == {each.id for each in pool}
    assert not ranked & excluded
    assert len(set(codes(found))) == len(found.excluded)


@settings(max_examples=30)
@given(pools, limits)
def test_what_is_excluded_never_mattered(pool: list[Endpoint], strategy: Strategy) -> None:
    found = decided(pool, strategy)
    ranked = {each.endpoint for each in found.candidates}
    again = decided([each for each in pool if each.id in ranked], strategy)
    assert (again.candidates, again.chosen) == (found.candidates, found.chosen)


def test_limits_are_told_of_who_is_excluded_already() -> None:
    off = replace(WEAK, status="disabled")
    found = ranking(replace(PLAIN, min_success=0.7), endpoints=(STRONG, off, TINY))
    assert codes(found) == [
        ("b/weak", "ENDPOINT_DISABLED"),
        ("b/weak", "QUALITY_TOO_LOW"),
        ("local/tiny", "QUALITY_TOO_LOW"),
    ]
    found = ranking(replace(PLAIN, min_success=0.7), selection=("a/*",))
    assert codes(found) == [
        ("b/weak", "POLICY_DENY_ENDPOINT"),
        ("local/tiny", "POLICY_DENY_ENDPOINT"),
    ]
