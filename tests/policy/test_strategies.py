from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.policy import strategies
from rolecall.registry.policy.strategies import matches, resolve_strategy

PLAIN = Strategy("plain")
ENDPOINTS = ["openai/gpt", "openai/gpt-mini", "anthropic/opus", "ollama/qwen", "x"]


def resolve(*layers: Strategy, limits: Strategy | None = None) -> Strategy:
    return resolve_strategy([(layer.id, layer) for layer in layers], *([limits] if limits else []))


def test_weights_come_from_the_narrowest_layer() -> None:
    wide = Strategy("wide", quality_usd=1.0, default_ttft_s=9.0, prefer_locality="local")
    narrow = Strategy("narrow", description="n", quality_usd=2.0, tie_band_usd=0.0)
    assert resolve(wide, narrow) == narrow


def test_the_flags_of_a_request_add_limits_and_no_weights() -> None:
    flags = Strategy("flags", quality_usd=9.0, min_success=0.7, local_only=True)
    assert resolve(PLAIN, limits=flags) == replace(PLAIN, min_success=0.7, local_only=True)


def test_the_strictest_of_each_limit_holds() -> None:
    a = Strategy("a", min_success=0.5, max_cost_usd=0.2, max_ttft_s=1.0, max_duration_s=9.0)
    b = Strategy("b", min_success=0.7, max_cost_usd=0.1, max_ttft_s=2.0, deny=("x", "y"))
    c = Strategy("c", deny=("y", "z"), log_prompts=False, local_only=True)
    for layers in [(a, b, c), (c, b, a), (b, c, a)]:
        found = resolve(*layers)
        assert (found.min_success, found.max_cost_usd) == (0.7, 0.1)
        assert (found.max_ttft_s, found.max_duration_s) == (1.0, 9.0)
        assert set(found.deny) == {"x", "y", "z"}
        assert (found.log_prompts, found.local_only) == (False, True)


def test_regions_that_share_nothing_leave_nothing_and_not_everything() -> None:
    eu, us = Strategy("eu", regions=("eu", "ch")), Strategy("us", regions=("us", "ch"))
    only_us = Strategy("only", regions=("us",))
    assert resolve(eu, PLAIN, us).regions == ("ch",)
    assert resolve(eu, only_us, PLAIN).regions == ("(none)",)
    assert resolve(eu, only_us, eu).regions == ("(none)",)
    assert resolve(PLAIN, PLAIN).regions == ()


def test_the_strictest_data_policy_holds_part_by_part() -> None:
    a = Strategy("a", data_policy=DataPolicy(trains_on_data=False))
    b = Strategy("b", data_policy=DataPolicy(trains_on_data=True, retention_days=30))
    c = Strategy("c", data_policy=DataPolicy(retention_days=0))
    assert resolve(a, b, c).data_policy == DataPolicy(trains_on_data=False, retention_days=0)
    assert resolve(b, PLAIN).data_policy == b.data_policy
    assert resolve(PLAIN).data_policy is None


def test_a_budget_is_hard_if_any_layer_with_a_cost_limit_is() -> None:
    advisory = Strategy("a", max_cost_usd=0.1, budget_mode="advisory")
    hard = Strategy("h", max_cost_usd=0.5)
    assert resolve(hard, advisory).budget_mode == "hard"
    assert resolve(PLAIN, advisory).budget_mode == "advisory"
    assert resolve(advisory, PLAIN).budget_mode == "advisory"


def test_allow_lists_are_all_to_be_matched() -> None:
    a = Strategy("a", allow=("openai/*", "anthropic/*"))
    assert resolve(a, Strategy("b", allow=("openai/gpt", "x"))).allow == ("openai/gpt",)
    assert resolve(a, Strategy("b", allow=("*",))).allow == a.allow
    assert resolve(a, Strategy("b", allow=("*-mini",))).allow == (
        "openai/* & *-mini",
        "anthropic/* & *-mini",
    )
    nothing = resolve(a, Strategy("b", allow=("x",)))
    assert nothing.allow == ("(none)",)
    assert not any(matches(endpoint, nothing.allow) for endpoint in ENDPOINTS)


def test_an_allow_list_that_is_matched_again_and_again_does_not_grow() -> None:
    a, b = Strategy("a", allow=("o*", "a*", "x*")), Strategy("b", allow=("*i", "*s", "*n"))
    both = resolve(a, b)
    assert len(both.allow) == 9
    assert resolve(a, both).allow == resolve(both, a, b, both).allow == both.allow


globs = st.lists(
    st.sampled_from([*ENDPOINTS, "*", "openai/*", "*mini", "*/*", "?", "[xo]*", "none/*"]),
    max_size=3,
).map(tuple)
maybe = st.none() | st.sampled_from([0.0, 0.1, 0.5, 1.0])
data_policies = st.none() | st.builds(
    DataPolicy, st.sampled_from([None, True, False]), st.sampled_from([None, 0, 30])
)
layers = st.lists(
    st.builds(
        Strategy,
        id=st.just("s"),
        min_success=maybe,
        max_cost_usd=maybe,
        max_ttft_s=maybe,
        max_duration_s=maybe,
        local_only=st.booleans(),
        regions=st.lists(st.sampled_from(["eu", "us", "ch"]), max_size=2).map(tuple),
        data_policy=data_policies,
        allow=globs,
        deny=globs,
        budget_mode=st.sampled_from(["hard", "advisory"]),
        log_prompts=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50)
@given(layers)
def test_allow_and_regions_admit_just_what_every_layer_admits(each: list[Strategy]) -> None:
    found = resolve(*each)
    for endpoint in ENDPOINTS:
        assert (not found.allow or matches(endpoint, found.allow)) == all(
            not layer.allow or matches(endpoint, layer.allow) for layer in each
        )
        assert matches(endpoint, found.deny) == any(matches(endpoint, s.deny) for s in each)
    for region in ("eu", "us", "ch"):
        assert (not found.regions or region in found.regions) == all(
            not layer.regions or region in layer.regions for layer in each
        )


@settings(max_examples=50)
@given(layers)
def test_no_layer_loosens_another(each: list[Strategy]) -> None:
    found = resolve(*each)
    for layer in each:
        if layer.min_success is not None:
            assert found.min_success is not None
            assert found.min_success >= layer.min_success
        for name in ("max_cost_usd", "max_ttft_s", "max_duration_s"):
            assert getattr(layer, name) is None or getattr(found, name) <= getattr(layer, name)
        assert found.local_only >= layer.local_only
        assert found.log_prompts <= layer.log_prompts
        if layer.max_cost_usd is not None and layer.budget_mode == "hard":
            assert found.budget_mode == "hard"
        if layer.data_policy is not None:
            assert found.data_policy is not None
            if layer.data_policy.trains_on_data is False:
                assert found.data_policy.trains_on_data is False
            if layer.data_policy.retention_days is not None:
                assert found.data_policy.retention_days is not None
                assert found.data_policy.retention_days <= layer.data_policy.retention_days


@settings(max_examples=50)
@given(layers)
def test_resolving_again_with_the_result_changes_nothing(each: list[Strategy]) -> None:
    found = resolve(*each)
    again = resolve(*each, found)
    assert replace(again, allow=found.allow) == found
    for endpoint in ENDPOINTS:
        assert matches(endpoint, again.allow) == matches(endpoint, found.allow)


@settings(max_examples=500)
@given(st.text("ab/*?[]", max_size=8), st.text("ab/\n", max_size=8))
def test_a_glob_matches_what_fnmatch_says(glob: str, name: str) -> None:
    assert matches(name, (glob,)) == (name == glob or fnmatchcase(name, glob))


def test_tens_of_thousands_of_globs_are_looked_through_without_compiling_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def compiled(*_: Any) -> bool:
        raise AssertionError("a pattern was compiled")

    monkeypatch.setattr(strategies, "fnmatchcase", compiled)
    globs = [f"*w{number:05}*" for number in range(60_000)]
    assert not matches("openai/gpt", globs)
    assert matches("openai/w59999x", globs)


class Counted(str):
    """A text that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_long_lists_of_two_layers_are_compared_once_an_entry() -> None:
    names = [Counted(f"r{number}") for number in range(5_000)]
    again = [Counted(f"r{number}") for number in range(5_000)]
    globs = tuple(f"w{number}/*" for number in range(5_000))
    wide = Strategy("wide", regions=tuple(names), allow=globs)
    narrow = Strategy("narrow", regions=tuple(again), allow=globs)
    found = resolve(wide, narrow)
    assert found.regions == tuple(names)
    assert found.allow == globs
    assert Counted.compared < 40_000
