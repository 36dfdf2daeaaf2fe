from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Strategy
from rolecall.registry.routing.rules.ranking import near_ties, rank, tie_key
from tests.routing.rules.candidates import candidate as plain

STRATEGY = Strategy("s", tie_band_usd=0.25)


def candidate(endpoint: str, value_usd: float, **more: object) -> Candidate:
    return plain(endpoint)._replace(value_usd=value_usd, **more)  # type: ignore[arg-type]


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
    assert order(ranked) == ["b", "c", "a"]


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
    for each in ranked:
        expected = plainly_chosen(left, strategy, incumbent)
        assert each == expected
        left.remove(expected)
    assert left == []


@given(pools.filter(bool), strategies, incumbents, st.floats(0.001, 1))
def test_one_below_the_band_changes_neither_the_choice_nor_the_others_order(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None, below: float
) -> None:
    ranked = rank(pool, strategy, incumbent)
    lowest = min(each.value_usd for each in pool) - strategy.tie_band_usd - below
    more = rank([*pool, candidate("z", lowest, preferred=9)], strategy, incumbent)
    assert order(more) == [*order(ranked), "z"]
