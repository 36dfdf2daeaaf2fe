"""What would have to change for another endpoint to be chosen: limits here, weights beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from rolecall.registry.core.decisions import Candidate, Exclusion, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.core.formatting import Rounding, rounded, seconds, usd
from rolecall.registry.routing.rules.ranking import TieKey, is_below_floor, tie_key
from rolecall.registry.routing.rules.what_if_weights import weight_flips


class _Entry(NamedTuple):
    candidate: Candidate
    value_usd: float
    key: TieKey


class _Way(NamedTuple):
    """A limit's value at which the choice turns to `chosen`; tightening just past it."""

    boundary: float
    chosen: str | None
    is_tighter: bool


class _Limit(NamedTuple):
    """A limit as an upper bound on `measure`, which is negated where the limit is a floor."""

    parameter: str
    code: str
    measure: Callable[[Candidate], float]
    is_floor: bool
    tighter: str
    looser: str
    unlimited: str
    words: Callable[[float, Rounding], str]


_LIMITS = (
    _Limit(
        "min_success",
        "QUALITY_TOO_LOW",
        lambda each: -each.success,
        True,
        "if more than {} success were asked (now {})",
        "if {} success were enough (now {})",
        "no minimum",
        lambda number, rounding: rounded(number, 3, rounding),
    ),
    _Limit(
        "max_cost_usd",
        "BUDGET_EXCEEDED",
        lambda each: each.cost_usd,
        False,
        "if an answer had to cost under {} (now {})",
        "if an answer could cost {} (now {})",
        "no limit",
        usd,
    ),
    _Limit(
        "max_ttft_s",
        "TOO_SLOW",
        lambda each: each.ttft_s,
        False,
        "if the first token had to come in under {} (now {})",
        "if the first token could take {} (now {})",
        "no limit",
        seconds,
    ),
    _Limit(
        "max_duration_s",
        "TOO_SLOW",
        lambda each: each.duration_s,
        False,
        "if the whole answer had to come in under {} (now {})",
        "if the whole answer could take {} (now {})",
        "no limit",
        seconds,
    ),
)


def flips(
    ranked: Sequence[Candidate],
    excluded: Sequence[Exclusion],
    strategy: Strategy,
    incumbent: str | None,
    worth: float,
) -> tuple[Flip, ...]:
    """Return for each weight and limit the smallest change that alters the choice, if any does.

    `becomes` is the boundary: the choice changes on it or just past it. What is excluded by more
    than one limit, or by anything that was not scored, never comes back. The relatively smallest
    change comes first, a weight before a limit where they are equal, "no limit" last. Where
    nobody reaches the success floor, only a lower floor and the locality are told: no weight
    decided.
    """
    if is_below_floor(ranked, strategy):
        return tuple(_flips_below_floor(ranked, excluded, strategy, incumbent))
    found = [
        *weight_flips(ranked, strategy, incumbent, worth),
        *_limit_flips(ranked, excluded, strategy, incumbent),
    ]
    return tuple(sorted(found, key=_relative_size))


def _flips_below_floor(
    ranked: Sequence[Candidate],
    excluded: Iterable[Exclusion],
    strategy: Strategy,
    incumbent: str | None,
) -> list[Flip]:
    entries = [
        _Entry(each, each.value_usd, tie_key(each, strategy, incumbent))
        for each in (*ranked, *(one.weighed for one in _sole(excluded) if one.weighed))
    ]
    here, now, floor = entries[: len(ranked)], ranked[0].endpoint, _LIMITS[0]
    found: list[Flip] = []
    let_in: list[_Entry] = []
    for entry in here:  # the most likely correct first, as a falling floor lets them in
        let_in.append(entry)
        then = _chosen_id(let_in, strategy.tie_band_usd)
        if then != now:
            reached = entry.candidate.success
            words = (
                floor.words(reached, "down"),
                floor.words(strategy.min_success or 0.0, "nearest"),
            )
            change = floor.looser.format(*words)
            found.append(Flip(floor.parameter, strategy.min_success, reached, change, then))
            break
    local = next((one.endpoint for one in ranked if one.locality == "local"), None)
    remote = _chosen_id(entries[len(ranked) :], strategy.tie_band_usd)
    if strategy.local_only and remote is not None:
        change = "if remote endpoints were allowed"
        found.append(Flip("local_only", True, False, change, remote))
    elif not strategy.local_only and local != now:
        change = "if only local endpoints were allowed"
        found.append(Flip("local_only", False, True, change, local))
    return found


def _relative_size(flip: Flip) -> float:
    if isinstance(flip.was, bool) or not flip.was:
        return math.inf
    return abs(flip.becomes - flip.was) / abs(flip.was)


def _limit_flips(
    ranked: Sequence[Candidate],
    excluded: Iterable[Exclusion],
    strategy: Strategy,
    incumbent: str | None,
) -> list[Flip]:
    """Return at most one flip for each limit: the nearer of tightening and loosening it."""

    def entry(candidate: Candidate) -> _Entry:
        key = tie_key(candidate, strategy, incumbent)
        return _Entry(candidate, candidate.value_usd, key)

    eligible = [entry(each) for each in ranked]
    scored = [(each.code, entry(each.weighed)) for each in _sole(excluded) if each.weighed]
    found: list[Flip | None] = []
    for limit in _LIMITS:
        if limit.code == "BUDGET_EXCEEDED" and strategy.budget_mode == "advisory":
            continue
        kept_out = [
            each
            for code, each in scored
            if code == limit.code and _breaks_only(limit, each.candidate, strategy)
        ]
        found.append(_flip_of(limit, eligible, kept_out, strategy))
    remote = [each for code, each in scored if code == "POLICY_DENY_REMOTE"]
    found.append(_locality_flip(eligible, remote, strategy))
    return [flip for flip in found if flip is not None]


def _sole(excluded: Iterable[Exclusion]) -> list[Exclusion]:
    """Return the exclusions that are the only one of their endpoint."""
    against: dict[str, list[Exclusion]] = {}
    for each in excluded:
        against.setdefault(each.endpoint, []).append(each)
    return [found[0] for found in against.values() if len(found) == 1]


def _breaks_only(limit: _Limit, candidate: Candidate, strategy: Strategy) -> bool:
    """Tell whether no other limit of the same code is broken as well."""
    for other in _LIMITS:
        if other.code == limit.code and other is not limit:
            most: float | None = getattr(strategy, other.parameter)
            if most is not None and other.measure(candidate) > most:
                return False
    return True


def _flip_of(
    limit: _Limit, eligible: Sequence[_Entry], kept_out: Sequence[_Entry], strategy: Strategy
) -> Flip | None:
    now: float | None = getattr(strategy, limit.parameter)
    band = strategy.tie_band_usd
    found = (_tightened(limit, eligible, band), _loosened(limit, eligible, kept_out, band))
    ways = [way for way in found if way is not None]
    if not ways:
        return None
    # Without a limit there is only one way, the tighter. Of two equally near ones, that which
    # leaves an endpoint tells more.
    way = min(ways, key=lambda each: (abs(each.boundary - (now or 0.0)), each.chosen is None))
    sentence = limit.tighter if way.is_tighter else limit.looser
    words = limit.words(way.boundary, "up" if way.is_tighter == limit.is_floor else "down")
    was = limit.unlimited if now is None else limit.words(now, "nearest")
    return Flip(limit.parameter, now, way.boundary, sentence.format(words, was), way.chosen)


def _tightened(limit: _Limit, eligible: Sequence[_Entry], band: float) -> _Way | None:
    """Take away the worst by this limit, alike ones at once, until the choice is another."""
    steps = _by_measure(limit, eligible, reverse=True)
    for place, (measure, _) in enumerate(steps, start=1):
        left = [each for _, group in steps[place:] for each in group]
        then = _chosen_id(left, band)
        if then != eligible[0].candidate.endpoint:
            return _reachable(limit, measure, then)
    return None


def _reachable(limit: _Limit, measure: float, chosen: str | None) -> _Way | None:
    """Drop what no limit can say: success above 1, a cost or a time below 0."""
    if limit.is_floor:
        return _Way(-measure, chosen, True) if -measure < 1 else None
    return _Way(measure, chosen, True) if measure > 0 else None


def _loosened(
    limit: _Limit, eligible: Sequence[_Entry], kept_out: Sequence[_Entry], band: float
) -> _Way | None:
    """Let in those kept out, the best by this limit first, until the choice is another."""
    here, now = list(eligible), _chosen_id(eligible, band)
    for measure, group in _by_measure(limit, kept_out, reverse=False):
        here += group
        then = _chosen_id(here, band)
        if then != now:
            return _Way(-measure if limit.is_floor else measure, then, False)
    return None


def _locality_flip(
    eligible: Sequence[_Entry], remote: Sequence[_Entry], strategy: Strategy
) -> Flip | None:
    band = strategy.tie_band_usd
    now = _chosen_id(eligible, band)
    if strategy.local_only:
        then = _chosen_id([*eligible, *remote], band)
        change = "if remote endpoints were allowed"
    else:
        then = _chosen_id([e for e in eligible if e.candidate.locality == "local"], band)
        change = "if only local endpoints were allowed"
    if then == now:
        return None
    return Flip("local_only", strategy.local_only, not strategy.local_only, change, then)


def _by_measure(
    limit: _Limit, entries: Sequence[_Entry], *, reverse: bool
) -> list[tuple[float, list[_Entry]]]:
    def measure(entry: _Entry) -> float:
        return limit.measure(entry.candidate)

    ordered = sorted(entries, key=measure, reverse=reverse)
    return [(number, list(group)) for number, group in groupby(ordered, key=measure)]


def _chosen_id(entries: Sequence[_Entry], band: float) -> str | None:
    if not entries:
        return None
    floor = max(each.value_usd for each in entries) - band
    near = [each for each in entries if each.value_usd >= floor]
    return min(near, key=lambda each: each.key).candidate.endpoint
