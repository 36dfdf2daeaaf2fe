"""Success against cost as a small figure of plain characters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from rolecall.registry.core.formatting import usd

WIDTH, HEIGHT = 60, 14
METHODS = {"ours": "o", "nearest": "n", "task means": "t"}
SINGLE, NAMED, ORACLE = "·", "*", "^"
PROMPTS = 1000  # costs are told for so many
_LABELLED_ROWS = 4
_COST_AXIS = f"cost of {PROMPTS:,} prompts, logarithmic"
_MARGIN = " " * 6

Point = tuple[float, float]  # cost in USD for `PROMPTS` prompts, success 0–1


def curve_points(evaluated: Mapping[str, Any], name: str) -> list[Point]:
    """Return the hull of what a method reaches at its dials, or of "mixtures" of single models."""
    points = (evaluated["curves"] or {}).get(name, ())
    return [(PROMPTS * point["cost_usd"], point["success"]) for point in points]


def single_points(evaluated: Mapping[str, Any]) -> dict[str, Point]:
    """Return where each single model stands."""
    singles = evaluated["singles"] or {}
    return {name: (PROMPTS * one["cost_usd"], one["success"]) for name, one in singles.items()}


def oracle_point(evaluated: Mapping[str, Any]) -> Point | None:
    """Return where the oracle stands; null without costs."""
    for policy in evaluated["policies"]:
        if policy["policy"] == "oracle" and policy["cost_usd"] is not None:
            return PROMPTS * policy["cost_usd"], policy["success"]
    return None


def has_costs(evaluated: Mapping[str, Any]) -> bool:
    """Whether a data set can be drawn against cost: some model is known to cost something."""
    return any(cost > 0 for cost, _ in single_points(evaluated).values())


def mixed(points: Sequence[Point], cost: float) -> float:
    """Return the success to be had for `cost` by mixing the two points on either side of it.

    Taking one for a share of the prompts and the other for the rest gives every point of the
    straight line between them, which on a logarithmic axis is a bow.
    """
    for (below, low), (above, high) in pairwise(points):
        if below <= cost <= above:
            return low + (high - low) * (cost - below) / (above - below)
    return points[0][1] if cost < points[0][0] else points[-1][1]


def figure_lines(evaluated: Mapping[str, Any]) -> list[str]:
    """Return the figure with its axes and legend; empty where no cost is known."""
    if not has_costs(evaluated):
        return []
    shown = _shown(evaluated)
    sheet = _Sheet([point for _, points in shown for point in points])
    for mark, points in shown:
        if mark in METHODS.values():
            sheet.draw_curve(mark, points)
        else:
            sheet.draw_dots(mark, points)
    return [*sheet.lines(), "", *_legend(evaluated, [mark for mark, _ in shown])]


def _shown(evaluated: Mapping[str, Any]) -> list[tuple[str, list[Point]]]:
    """Return marks with their points; what comes later is drawn over what came before."""
    singles = single_points(evaluated)
    named = evaluated["verdict"]["model"]
    others = [point for model, point in singles.items() if model != named]
    oracle = oracle_point(evaluated)
    shown = [(METHODS[name], curve_points(evaluated, name)) for name in reversed(METHODS)]
    shown += [(SINGLE, others), (NAMED, [singles[named]] if named in singles else [])]
    shown.append((ORACLE, [] if oracle is None else [oracle]))
    return [(mark, points) for mark, points in shown if points]


def _legend(evaluated: Mapping[str, Any], marks: Sequence[str]) -> Iterator[str]:
    names = {mark: name for name, mark in METHODS.items()}
    names |= {SINGLE: "one model", ORACLE: "oracle"}
    entries = [f"{mark} {name}" for mark, name in names.items() if mark in marks]
    yield f"{_MARGIN}  " + "   ".join(entries)
    if NAMED in marks:
        yield f"{_MARGIN}  {NAMED} {evaluated['verdict']['model']}, the single model of the verdict"


class _Sheet:
    """A grid of characters over cost (logarithmic) and success."""

    def __init__(self, points: Sequence[Point]) -> None:
        positive = [cost for cost, _ in points if cost > 0]
        # What costs nothing has no place on a logarithmic axis: it stands at its left end.
        left = min(positive) / (2 if len(positive) < len(points) else 1)
        right = max(positive)
        if left == right:
            left, right = left / 2, right * 2
        self._left, self._right = math.log(left), math.log(right)
        low, high = min(s for _, s in points), max(s for _, s in points)
        self._low, self._high = (low, high) if high > low else (low - 0.05, high + 0.05)
        self._rows = [[" "] * WIDTH for _ in range(HEIGHT)]

    def draw_dots(self, mark: str, points: Sequence[Point]) -> None:
        for cost, success in points:
            self._rows[self._row(success)][self._column(cost)] = mark

    def draw_curve(self, mark: str, points: Sequence[Point]) -> None:
        first, last = self._column(points[0][0]), self._column(points[-1][0])
        for column in range(first, last + 1):
            self._rows[self._row(mixed(points, self._cost(column)))][column] = mark

    def lines(self) -> Iterator[str]:
        yield f"{_MARGIN}  success"
        step = (HEIGHT - 1) / (_LABELLED_ROWS - 1)
        labelled = {round(number * step) for number in range(_LABELLED_ROWS)}
        for number, row in enumerate(self._rows):
            share = 1 - number / (HEIGHT - 1)
            value = f"{self._low + share * (self._high - self._low):.3f}"
            label = value if number in labelled else ""
            yield f"{label:>6} |{''.join(row)}".rstrip()
        yield f"{_MARGIN} +{'-' * WIDTH}"
        yield f"{_MARGIN}  {self._ticks()}"
        yield f"{_MARGIN}  {_COST_AXIS:^{WIDTH}}".rstrip()

    def _ticks(self) -> str:
        """Return the costs at both ends and in the middle of the axis."""
        left, middle, right = (usd(self._cost(at)) for at in (0, (WIDTH - 1) // 2, WIDTH - 1))
        return f"{left}{middle:^{WIDTH - len(left) - len(right)}}{right}"

    def _row(self, success: float) -> int:
        share = (success - self._low) / (self._high - self._low)
        return round((1 - min(max(share, 0.0), 1.0)) * (HEIGHT - 1))

    def _column(self, cost: float) -> int:
        place = self._left if cost <= 0 else math.log(cost)
        share = (place - self._left) / (self._right - self._left)
        return round(min(max(share, 0.0), 1.0) * (WIDTH - 1))

    def _cost(self, column: int) -> float:
        return math.exp(self._left + (self._right - self._left) * column / (WIDTH - 1))
