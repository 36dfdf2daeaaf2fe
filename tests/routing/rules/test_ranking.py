from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Locality, Strategy
from rolecall.registry.routing.rules.ranking import near_ties, rank, tie_key

STRATEGY = Strategy("s", tie_band_usd=0.25)


def candidate(
    endpoint: str,
    value_usd: float,
    cost_usd: float = 0.0,
    ttft_p95_s: float | None = None,
    locality: Locality = "remote",
    preferred: int = 0,
) -> Candidate:
    return Candidate(
        endpoint=endpoint,
        model="m",
        rank=0,
        value_usd=value_usd,
        success=0.5,
        success_std=None,
        success_basis="latent",
        cost_usd=cost_usd,
        input_tokens=10,
        cached_tokens=0,
        output_tokens=100,
        ttft_s=1.0,
        ttft_p95_s=ttft_p95_s,
        itl_s=0.01,
        failure_rate=0.0,
        samples=None,
        locality=locality,
        preferred=preferred,
        sources=(),
    )


pools = st.lists(
    st.builds(
        candidate,
        endpoint=st.sampled_from("abcdefghij"),
        value_usd=st.integers(-8, 8).map(lambda n: n / 8) | st.floats(-1, 1),
        cost_usd=st.sampled_from([0.0, 0.1, 0.2]),
        ttft_p95_s=st.sampled_from([None, 0.5, 1.0]),
        locality=st.sampled_from(["local", "remote"]),
        preferred=st.integers(0, 2),
    ),
    unique_by=lambda each: each.endpoint,
    max_size=8,
)
strategies = st.builds(
    Strategy,
    id=st.just("s"),
    tie_band_usd=st.sampled_from([0.0, 0.125, 0.25, 0.3, 5.0]),
    prefer_locality=st.sampled_from([None, "local", "remote"]),
)
incumbents = st.none() | st.sampled_from("abcz")


def order(ranked: tuple[Candidate, ...]) -> list[str]:
    return [each.endpoint for each in ranked]


def test_nobody_ranked_is_nobody_chosen() -> None:
    assert rank([], STRATEGY, None) == ()


def test_outside_the_band_only_the_value_counts() -> None:
    pool = [candidate("a", 0.0), candidate("b", 1.0, cost_usd=9.0), candidate("c", 0.5)]
    ranked = rank(pool, STRATEGY, "a")
    assert [(each.endpoint, each.rank) for each in ranked] == [("b", 1), ("c", 2), ("a", 3)]


@pytest.mark.parametrize(
    ("preferred", "other"),
    [
        (candidate("z", 0.75), candidate("a", 1.0, preferred=2, locality="local")),
        (candidate("b", 0.75, locality="local"), candidate("a", 1.0, preferred=2)),
        (candidate("b", 0.75, preferred=2, cost_usd=1.0), candidate("a", 1.0, preferred=1)),
        (candidate("b", 0.75, cost_usd=0.1, ttft_p95_s=9.0), candidate("a", 1.0, cost_usd=0.2)),
        (candidate("b", 0.75, ttft_p95_s=9.0), candidate("a", 1.0, ttft_p95_s=None)),
        (candidate("b", 0.75, ttft_p95_s=1.0), candidate("a", 1.0, ttft_p95_s=2.0)),
        (candidate("a", 0.75), candidate("b", 1.0)),
    ],
)
def test_near_ties_go_by_the_tie_key_part_by_part(preferred: Candidate, other: Candidate) -> None:
    strategy = replace(STRATEGY, prefer_locality="local")
    ranked = rank([other, preferred], strategy, "z")
    assert order(ranked) == [preferred.endpoint, other.endpoint]
    assert order(near_ties(ranked, strategy)) == order(ranked)
    assert order(rank([other, preferred], replace(strategy, tie_band_usd=0.2), "z")) == [
        other.endpoint,
        preferred.endpoint,
    ]


def plainly_chosen(pool: list[Candidate], strategy: Strategy, incumbent: str | None) -> Candidate:
    floor = max(each.value_usd for each in pool) - strategy.tie_band_usd
    near = [each for each in pool if each.value_usd >= floor]
    return min(near, key=lambda each: tie_key(each, strategy, incumbent))


@given(pools, strategies, incumbents)
def test_each_place_is_the_choice_if_all_before_it_were_gone(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None
) -> None:
    ranked = rank(pool, strategy, incumbent)
    left = list(pool)
    for place, each in enumerate(ranked, start=1):
        expected = plainly_chosen(left, strategy, incumbent)
        assert each == replace(expected, rank=place)
        left.remove(expected)
    assert left == []


@given(pools, strategies, incumbents, st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None, random: Random
) -> None:
    shuffled = list(pool)
    random.shuffle(shuffled)
    assert rank(shuffled, strategy, incumbent) == rank(pool, strategy, incumbent)


@given(pools.filter(bool), strategies, incumbents)
def test_without_the_first_the_second_is_first(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None
) -> None:
    ranked = rank(pool, strategy, incumbent)
    again = rank(ranked[1:], strategy, incumbent)
    assert order(again) == order(ranked)[1:]


@given(pools.filter(bool), strategies, incumbents, st.floats(0.001, 1))
def test_one_below_the_band_changes_neither_the_choice_nor_the_others_order(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None, below: float
) -> None:
    ranked = rank(pool, strategy, incumbent)
    lowest = min(each.value_usd for each in pool) - strategy.tie_band_usd - below
    more = rank([*pool, candidate("z", lowest, preferred=9)], strategy, incumbent)
    assert order(more) == [*order(ranked), "z"]


@given(pools.filter(bool), strategies, incumbents)
def test_dropping_one_outside_the_band_never_changes_the_choice(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None
) -> None:
    ranked = rank(pool, strategy, incumbent)
    near = near_ties(ranked, strategy)
    for each in ranked:
        if each not in near:
            left = rank([other for other in ranked if other != each], strategy, incumbent)
            assert left[0].endpoint == ranked[0].endpoint
