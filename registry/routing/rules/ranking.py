"""Put scored candidates in order, near-ties included."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Strategy

TieKey = tuple[bool, bool, int, float, float, str]


def tie_key(candidate: Candidate, strategy: Strategy, incumbent: str | None) -> TieKey:
    """Return what decides among near-ties, the least first.

    The incumbent, the preferred locality, more preferred capabilities, lower cost, lower p95 of
    the first token (unknown last), endpoint id.
    """
    wanted = strategy.prefer_locality
    return (
        candidate.endpoint != incumbent,
        wanted is not None and candidate.locality != wanted,
        -candidate.preferred,
        candidate.cost_usd,
        math.inf if candidate.ttft_p95_s is None else candidate.ttft_p95_s,
        candidate.endpoint,
    )


def rank(
    candidates: Iterable[Candidate], strategy: Strategy, incumbent: str | None
) -> tuple[Candidate, ...]:
    """Order candidates so that each place is the choice if all before it were gone.

    The choice is, among those within `tie_band_usd` of the highest value, the first by
    `tie_key`. The order of the input never matters.
    """
    by_value = sorted(candidates, key=attrgetter("value_usd"), reverse=True)
    ranked: list[Candidate] = []
    gone: set[str] = set()
    near: list[tuple[TieKey, Candidate]] = []
    top = entered = 0
    while len(ranked) < len(by_value):
        while by_value[top].endpoint in gone:
            top += 1
        floor = by_value[top].value_usd - strategy.tie_band_usd
        while entered < len(by_value) and by_value[entered].value_usd >= floor:
            candidate = by_value[entered]
            heappush(near, (tie_key(candidate, strategy, incumbent), candidate))
            entered += 1
        chosen = heappop(near)[1]
        gone.add(chosen.endpoint)
        ranked.append(chosen)
    return tuple(ranked)


def rank_below_floor(
    candidates: Iterable[Candidate], strategy: Strategy, incumbent: str | None
) -> tuple[Candidate, ...]:
    """Order candidates of which none reaches the success floor: the most likely correct first."""

    def place(candidate: Candidate) -> tuple[float, TieKey]:
        return -candidate.success, tie_key(candidate, strategy, incumbent)

    return tuple(sorted(candidates, key=place))


def is_below_floor(ranked: Sequence[Candidate], strategy: Strategy) -> bool:
    """Tell whether the first of the ranked does not reach the floor, and `else` let it through."""
    floor = strategy.min_success
    return bool(ranked) and floor is not None and ranked[0].success < floor


def near_ties(ranked: tuple[Candidate, ...], strategy: Strategy) -> tuple[Candidate, ...]:
    """Return the candidates among which the near-tie rule decided, in rank order."""
    floor = max((each.value_usd for each in ranked), default=0.0) - strategy.tie_band_usd
    return tuple(each for each in ranked if each.value_usd >= floor)
