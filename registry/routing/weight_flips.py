"""The smallest change of each weight that alters the choice, solved from straight lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rolecall.registry.core.entities import Candidate, Flip, Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.routing.choose import tie_key
from rolecall.registry.routing.envelope import Line, changes, winner
from rolecall.registry.routing.value import value


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
