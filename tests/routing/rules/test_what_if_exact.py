from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.decisions import Candidate, Exclusion, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.routing.rules.eligibility import exclusions_after_scoring
from rolecall.registry.routing.rules.ranking import rank, tie_key
from rolecall.registry.routing.rules.value import value
from rolecall.registry.routing.rules.what_if import flips
from tests.routing.rules.candidates import candidate


class Case:
    """A pool under a strategy: who is ranked, who is out, and what would flip the choice."""

    def __init__(
        self,
        pool: list[Candidate],
        strategy: Strategy,
        incumbent: str | None = None,
        worth: float = 1.0,
    ) -> None:
        self.strategy, self.incumbent, self.worth = strategy, incumbent, worth
        self.pool = [revalued(each, strategy, worth) for each in pool]
        self.excluded: list[Exclusion] = []
        able: list[Candidate] = []
        for each in self.pool:
            against = list(exclusions_after_scoring(each, strategy))
            if strategy.local_only and each.locality == "remote":
                against.append(Exclusion(each.endpoint, "POLICY_DENY_REMOTE", "", each))
            self.excluded += against
            if not against:
                able.append(each)
        self.ranked = rank(able, strategy, incumbent)
        self.chosen = self.ranked[0].endpoint if self.ranked else None

    def flips(self) -> dict[str, Flip]:
        found = flips(self.ranked, self.excluded, self.strategy, self.incumbent, self.worth)
        assert len({flip.parameter for flip in found}) == len(found)
        return {flip.parameter: flip for flip in found}

    def with_strategy(self, strategy: Strategy) -> Case:
        return Case(self.pool, strategy, self.incumbent, self.worth)


def revalued(each: Candidate, strategy: Strategy, worth: float) -> Candidate:
    usd = value(each.success, each.cost_usd, each.ttft_s, each.streaming_s, strategy, worth)
    return each._replace(value_usd=usd)


def set_to(strategy: Strategy, parameter: str, number: float) -> Strategy:
    return replace(strategy, **{parameter: number})  # type: ignore[arg-type]


# Against exact arithmetic, on numbers that floats hold exactly.

grid_pools = st.lists(
    st.builds(
        candidate,
        endpoint=st.sampled_from("abcdefgh"),
        success=st.integers(0, 16).map(lambda n: n / 16),
        cost_usd=st.integers(0, 16).map(lambda n: n / 64),
        ttft_s=st.integers(0, 16).map(lambda n: n / 4),
        itl_s=st.integers(0, 16).map(lambda n: n / 1024),
        locality=st.sampled_from(["local", "remote"]),
    ),
    unique_by=lambda each: each.endpoint,
    max_size=7,
)
grid_strategies = st.builds(
    Strategy,
    id=st.just("s"),
    quality_usd=st.integers(0, 16).map(lambda n: n / 16),
    ttft_usd_per_s=st.integers(0, 8).map(lambda n: n / 64),
    itl_usd_per_s=st.integers(0, 8).map(lambda n: n / 64),
    tie_band_usd=st.sampled_from([0.0, 1 / 64, 1 / 16, 1 / 8]),
    prefer_locality=st.sampled_from([None, "local"]),
    min_success=st.none() | st.sampled_from([0.25, 0.5]),
    max_cost_usd=st.none() | st.sampled_from([0.0625, 0.125, 0.1875]),
    max_ttft_s=st.none() | st.sampled_from([1.0, 2.0, 3.0]),
    max_duration_s=st.none() | st.sampled_from([2.0, 4.0]),
    local_only=st.booleans(),
    budget_mode=st.sampled_from(["hard", "advisory"]),
)
incumbents = st.none() | st.sampled_from("abz")
worths = st.sampled_from([0.25, 0.5, 1.0, 2.0, 16.0])

SLOPES: dict[str, Callable[[Candidate], float]] = {
    "quality_usd": lambda each: each.success,
    "ttft_usd_per_s": lambda each: -each.ttft_s,
    "itl_usd_per_s": lambda each: -(each.itl_s * each.output_tokens),
}


def slope_of(case: Case, parameter: str, each: Candidate) -> Fraction:
    factor = Fraction(case.worth) if parameter == "quality_usd" else 1
    return factor * Fraction(SLOPES[parameter](each))


def exact_choice(case: Case, parameter: str, weight: Fraction, band: Fraction) -> str:
    now = Fraction(getattr(case.strategy, parameter)) if parameter in SLOPES else Fraction(0)

    def valued(each: Candidate) -> Fraction:
        slope = slope_of(case, parameter, each) if parameter in SLOPES else Fraction(0)
        return Fraction(each.value_usd) + slope * (weight - now)

    floor = max(valued(each) for each in case.ranked) - band
    near = [each for each in case.ranked if valued(each) >= floor]
    return min(near, key=lambda each: tie_key(each, case.strategy, case.incumbent)).endpoint


def exact_weight_flip(case: Case, parameter: str) -> tuple[Fraction, str] | None:
    """Try every stretch between the weights where two values are equal or a band apart."""
    now, band = Fraction(getattr(case.strategy, parameter)), Fraction(case.strategy.tie_band_usd)
    corners = {Fraction(0), now}
    for one, other in combinations(case.ranked, 2):
        slower = slope_of(case, parameter, one) - slope_of(case, parameter, other)
        apart = Fraction(one.value_usd) - Fraction(other.value_usd)
        if slower:
            corners |= {now + (shift - apart) / slower for shift in (-band, Fraction(0), band)}
    edges = sorted(corner for corner in corners if corner >= 0)
    ahead = [edge for edge in edges if edge >= now]
    above = [
        (near, exact_choice(case, parameter, (near + far) / 2, band))
        for near, far in zip(ahead, [*ahead[1:], ahead[-1] + 2], strict=True)
    ]
    behind = [edge for edge in reversed(edges) if edge <= now]
    below = [
        (near, exact_choice(case, parameter, (near + far) / 2, band))
        for near, far in pairwise(behind)
    ]
    below.append((Fraction(0), exact_choice(case, parameter, Fraction(0), band)))
    first = [
        next(((edge, then) for edge, then in way if then != case.chosen), None)
        for way in (below, above)
    ]
    return min((f for f in first if f is not None), key=lambda f: abs(f[0] - now), default=None)


@settings(max_examples=100)
@given(grid_pools, grid_strategies, incumbents, st.sampled_from(sorted(SLOPES)), worths)
def test_a_weight_flips_just_where_exact_arithmetic_says(
    pool: list[Candidate],
    strategy: Strategy,
    incumbent: str | None,
    parameter: str,
    worth: float,
) -> None:
    case = Case(pool, strategy, incumbent, worth)
    found = case.flips().get(parameter)
    expected = exact_weight_flip(case, parameter) if case.ranked else None
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.becomes == pytest.approx(float(expected[0]), rel=1e-12, abs=1e-12)
        assert found.chosen == expected[1]


@settings(max_examples=50)
@given(grid_pools, grid_strategies, incumbents)
def test_the_band_flips_just_where_exact_arithmetic_says(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None
) -> None:
    case = Case(pool, strategy, incumbent)
    found = case.flips().get("tie_band_usd")
    now = Fraction(strategy.tie_band_usd)
    values = [Fraction(each.value_usd) for each in case.ranked]
    edges = {max(values) - each for each in values} if values else set()
    wider = [
        (edge, exact_choice(case, "", Fraction(0), edge))
        for edge in sorted(edges | {now})
        if edge > now
    ]
    inner = sorted((edge for edge in edges if edge <= now), reverse=True)
    narrower = [
        (far, exact_choice(case, "", Fraction(0), (near + far) / 2))
        for far, near in pairwise(inner)
    ]
    first = [next((f for f in way if f[1] != case.chosen), None) for way in (narrower, wider)]
    expected = min((f for f in first if f is not None), key=lambda f: abs(f[0] - now), default=None)
    assert (found and (Fraction(found.becomes), found.chosen)) == expected


@settings(max_examples=100)
@given(
    grid_pools,
    grid_strategies,
    incumbents,
    st.sampled_from(["min_success", "max_cost_usd", "max_ttft_s", "max_duration_s"]),
)
def test_a_limit_flips_at_the_nearest_number_that_changes_the_choice(
    pool: list[Candidate], strategy: Strategy, incumbent: str | None, parameter: str
) -> None:
    case = Case(pool, strategy, incumbent)
    found = case.flips().get(parameter)
    now: float | None = getattr(strategy, parameter)
    measure = "success" if parameter == "min_success" else parameter.removeprefix("max_")
    tighter = math.inf if parameter == "min_success" else -math.inf
    tried: list[tuple[float, float, str | None]] = []
    for each in case.pool:
        boundary: float = getattr(each, measure)
        # On a boundary itself a looser limit admits; just past it a tighter one drops.
        for number in (boundary, math.nextafter(boundary, tighter)):
            stricter = now is None or (number - now) * tighter > 0
            possible = 0 <= number <= (1 if parameter == "min_success" else math.inf)
            if stricter == (number != boundary) and possible:
                then = case.with_strategy(set_to(strategy, parameter, number)).chosen
                tried.append((0.0 if now is None else abs(boundary - now), boundary, then))
    changing = [each for each in tried if each[2] != case.chosen]
    if not changing:
        assert found is None
        return
    assert found is not None
    if now is None:
        nearest = (min if parameter == "min_success" else max)(each[1] for each in changing)
        assert found.becomes == nearest
    else:
        assert abs(found.becomes - now) == min(each[0] for each in changing)
    assert (found.becomes, found.chosen) in {each[1:] for each in changing}


# And plainly: rank again on either side.


@settings(max_examples=25)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.0002, 0.002]))
def test_ranking_again_on_either_side_of_a_flip_agrees(seed: int, band: float) -> None:
    random = Random(seed)
    pool = [
        candidate(
            f"e{place}",
            random.random(),
            random.random() / 50,
            random.random() * 3,
            random.random() / 20,
            random.choice(["local", "remote"]),
        )
        for place in range(random.randint(2, 40))
    ]
    strategy = Strategy("s", tie_band_usd=band, max_cost_usd=0.01, min_success=0.2)
    worth = random.choice([0.2, 1.0, 7.0])
    case = Case(pool, strategy, random.choice([None, "e0", "e1"]), worth)
    for parameter, flip in case.flips().items():
        if isinstance(flip.becomes, bool):
            then = case.with_strategy(replace(strategy, local_only=flip.becomes))
            assert then.chosen == flip.chosen
            continue
        outward = 1 if flip.was is None else math.copysign(1, flip.becomes - flip.was)
        if flip.was is None and parameter != "min_success":
            outward = -1
        beyond = set_to(strategy, parameter, flip.becomes * (1 + outward * 1e-9))
        before = set_to(strategy, parameter, flip.becomes * (1 - outward * 1e-9))
        assert case.with_strategy(beyond).chosen == flip.chosen
        assert case.with_strategy(before).chosen == case.chosen
