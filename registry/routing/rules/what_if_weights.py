"""The smallest change of each weight that alters the choice, solved from straight lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rolecall.registry.core.decisions import Candidate, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.routing.rules.ranking import TieKey, tie_key
from rolecall.registry.routing.rules.value import value


class _Weight(NamedTuple):
    parameter: str
    sentence: str
    slope: Callable[[Candidate], float]
    without: Callable[[Strategy], Strategy]


_WEIGHTS = (
    _Weight(
        "quality_usd",
        "if a correct answer were worth {} (now {})",
        lambda each: each.success,
        lambda strategy: replace(strategy, quality_usd=0.0),
    ),
    _Weight(
        "ttft_usd_per_s",
        "if waiting for the first token cost {} a second (now {})",
        lambda each: -each.ttft_s,
        lambda strategy: replace(strategy, ttft_usd_per_s=0.0),
    ),
    _Weight(
        "itl_usd_per_s",
        "if waiting for the rest of the answer cost {} a second (now {})",
        lambda each: -each.streaming_s,
        lambda strategy: replace(strategy, itl_usd_per_s=0.0),
    ),
)


def weight_flips(
    ranked: Sequence[Candidate], strategy: Strategy, incumbent: str | None, worth: float
) -> list[Flip]:
    """Return at most one flip for each weight and for the near-tie band, the nearer way."""
    if len(ranked) < 2:
        return []
    keys = [tie_key(each, strategy, incumbent) for each in ranked]
    found: list[Flip | None] = []
    for weight in _WEIGHTS:
        without = weight.without(strategy)
        factor = worth if weight.parameter == "quality_usd" else 1.0
        lines = [
            Line(_value(each, without, worth), factor * weight.slope(each), key)
            for each, key in zip(ranked, keys, strict=True)
        ]
        found.append(_nearer(weight, lines, strategy, factor))
    flat = [Line(each.value_usd, 0.0, key) for each, key in zip(ranked, keys, strict=True)]
    found.append(_band_flip(flat, strategy.tie_band_usd))
    return [flip for flip in found if flip is not None]


def _value(each: Candidate, strategy: Strategy, worth: float) -> float:
    return value(each.success, each.cost_usd, each.ttft_s, each.streaming_s, strategy, worth)


def _nearer(
    weight: _Weight, lines: Sequence[Line], strategy: Strategy, factor: float
) -> Flip | None:
    """Return the nearer change of a weight, in words multiplied by `factor`."""
    now: float = getattr(strategy, weight.parameter)
    band = strategy.tie_band_usd
    above = next(_other_choices(lines, now, band), None)
    mirrored = [line.mirrored() for line in lines]
    below = next(_other_choices(mirrored, -now, band, last=0.0), None)
    # Equally near only by accident; the lower weight is told then.
    if below is not None and (above is None or now + below[0] <= above[0] - now):
        boundary, chosen = abs(below[0]), below[1]
        bound = f"under {usd(factor * boundary, 'down')}" if boundary else "nothing"
    elif above is not None:
        boundary, chosen = above
        bound = f"over {usd(factor * boundary, 'up')}"
    else:
        return None
    change = weight.sentence.format(bound, _product(factor, now))
    return Flip(weight.parameter, now, boundary, change, chosen.key[-1])


def _product(factor: float, weight: float) -> str:
    """Write the product of a worth and a weight, and how it comes about: "$0.2 = 4 × $0.05"."""
    total = usd(factor * weight)
    return total if factor == 1 or not weight else f"{total} = {factor:g} × {usd(weight)}"


def _other_choices(
    lines: Sequence[Line], start: float, band: float, last: float = math.inf
) -> Iterator[tuple[float, Line]]:
    """Yield where, from `start` up to `last`, others than the first of `lines` are chosen."""
    for weight in changes(lines, lines[0], start, band):
        if weight > last:
            return
        then = winner(lines, weight, band, beyond=weight < last)
        if then != lines[0]:
            yield weight, then


def _band_flip(lines: Sequence[Line], now: float) -> Flip | None:
    """Solve for the band: wider lets a preferred one in, narrower leaves the chosen out."""
    chosen = lines[0]
    highest = max(line.intercept for line in lines)
    behind = highest - chosen.intercept
    rivals = [highest - line.intercept for line in lines if line.key < chosen.key]
    wider = min(rivals, default=None)
    if behind > 0 and (wider is None or now - behind <= wider - now):
        above = [line for line in lines if highest - line.intercept < behind]
        change = f"if only values under {usd(behind, 'down')} apart were ties (now {usd(now)})"
        then = min(above, key=lambda line: line.key)
        return Flip("tie_band_usd", now, behind, change, then.key[-1])
    if wider is None:
        return None
    near = [line for line in lines if highest - line.intercept <= wider]
    change = f"if values up to {usd(wider, 'up')} apart were ties (now {usd(now)})"
    then = min(near, key=lambda line: line.key)
    return Flip("tie_band_usd", now, wider, change, then.key[-1])


_ROUNDOFF = 32 * 2.0**-53


class Line(NamedTuple):
    """A candidate's value as `intercept + slope · weight`, and its place among near-ties."""

    intercept: float
    slope: float
    key: TieKey

    def at(self, weight: float) -> float:
        """Return the value at `weight`."""
        return self.intercept + self.slope * weight

    def mirrored(self) -> Line:
        """Return the line over the negated weight, on which leftwards is rightwards."""
        return Line(self.intercept, -self.slope, self.key)


def changes(lines: Sequence[Line], chosen: Line, start: float, band: float) -> Iterator[float]:
    """Yield the weights from `start` upwards at which `chosen` may stop being the choice.

    It stops where it leaves the band below the highest line, or where a line that is preferred
    among near-ties enters it. While one line is the highest, each of these happens at most once.
    A change may fall just past the weight yielded rather than on it.
    """
    rivals = [line for line in lines if line.key < chosen.key]
    highest = max(lines, key=lambda line: (line.at(start), line.slope))
    while True:
        end, higher = _overtaken(highest, lines, start)
        rise = min((_rise(rival, highest, band) for rival in rivals), default=math.inf)
        found = (_fall(chosen, highest, band), rise)
        yield from sorted(max(weight, start) for weight in found if weight < end)
        if higher is None:
            return
        start, highest = end, higher


def _overtaken(highest: Line, lines: Sequence[Line], start: float) -> tuple[float, Line | None]:
    """Return where another line is the highest, from `start` upwards, and which; else infinity."""
    crossings = [
        (max((highest.intercept - line.intercept) / (line.slope - highest.slope), start), line)
        for line in lines
        if line.slope > highest.slope
    ]
    if not crossings:
        return math.inf, None
    return min(crossings, key=lambda crossing: (crossing[0], -crossing[1].slope))


def winner(lines: Sequence[Line], weight: float, band: float, *, beyond: bool) -> Line:
    """Return the choice at `weight`, or just beyond it.

    Beyond it, what lies on an edge within rounding errors is taken to where its slope leads.
    """
    highest = max(lines, key=lambda line: (line.at(weight), line.slope))
    if beyond:
        for line in lines:
            gap, noise = _gap(line, highest, weight, 0.0)
            if gap >= -noise and line.slope > highest.slope:
                highest = line
    near: list[Line] = []
    for line in lines:
        gap, noise = _gap(line, highest, weight, band)
        on_edge = beyond and abs(gap) <= noise and line.slope != highest.slope
        if (line.slope > highest.slope) if on_edge else gap >= 0:
            near.append(line)
    return min(near, key=lambda line: line.key)


def _gap(line: Line, highest: Line, weight: float, band: float) -> tuple[float, float]:
    """Return how far inside the band `line` is, and how far rounding may have moved it."""
    size = abs(line.intercept) + abs(highest.intercept) + band
    size += (abs(line.slope) + abs(highest.slope)) * abs(weight)
    return line.at(weight) - (highest.at(weight) - band), _ROUNDOFF * size


def _fall(chosen: Line, highest: Line, band: float) -> float:
    """Return where `chosen` leaves the band below `highest`, infinity if it never does."""
    slower = highest.slope - chosen.slope
    return (chosen.intercept + band - highest.intercept) / slower if slower > 0 else math.inf


def _rise(rival: Line, highest: Line, band: float) -> float:
    """Return where `rival` enters the band below `highest`, infinity if it never does."""
    lacking = highest.intercept - band - rival.intercept
    faster = rival.slope - highest.slope
    if faster > 0:
        return lacking / faster
    return -math.inf if faster == 0 and lacking <= 0 else math.inf
