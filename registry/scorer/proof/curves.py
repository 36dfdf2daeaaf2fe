"""Cost–quality curves: what success a mean cost buys, and the area under that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.proof.cases import Cases, Table

Curve = tuple[Table, Table]  # mean cost in USD (K,), mean success (K,)


def curve(cases: Cases, chosen: NDArray[np.int32]) -> Curve:
    """Return a sweep's (D, N) mean costs and successes, points that repeat left out."""
    rows = np.arange(chosen.shape[1])
    paid = cases.paid
    points = [(paid[rows, c].mean(), cases.scores[rows, c].mean()) for c in chosen]
    kept = list(dict.fromkeys(points))
    return np.array([cost for cost, _ in kept]), np.array([success for _, success in kept])


def hull(points: Curve) -> Curve:
    """Return the non-decreasing convex hull of some points, by rising cost.

    What lies on it can be had by mixing two points at random, so no point below earns its cost
    (RouterBench, arXiv 2403.12031). Its first point is the best of the cheapest.
    """
    costs, successes = points
    kept: list[tuple[float, float]] = []
    for index in np.lexsort((-successes, costs)).tolist():
        cost, success = float(costs[index]), float(successes[index])
        if kept and success <= kept[-1][1]:
            continue
        while len(kept) > 1 and _below(kept[-2], kept[-1], (cost, success)):
            kept.pop()
        kept.append((cost, success))
    return np.array([cost for cost, _ in kept]), np.array([success for _, success in kept])


def reached(on: Curve, cost: float) -> float:
    """Return the success that mixtures on a hull reach at this mean cost in USD.

    Below the cheapest point that point's success is returned.
    """
    costs, successes = on
    return float(np.interp(cost, costs, successes))


def needed(on: Curve, success: float) -> float:
    """Return the least mean cost in USD at which mixtures on a hull reach this success.

    Above the best point that point's cost is returned.
    """
    costs, successes = on
    return float(np.interp(success, successes, costs))


def aiq(curves: Mapping[str, Curve]) -> dict[str, float]:
    """Return each curve's average improvement in quality, as RouterBench defines it.

    The area under the non-decreasing convex hull, extended flat to the largest cost on any of
    the hulls compared, over that cost (RouterBench, evaluation/AIQ.py). Left of its cheapest
    point a curve has no area. Where every cost is 0, the best success.
    """
    hulls = {name: hull(points) for name, points in curves.items()}
    largest = max(costs[-1] for costs, _ in hulls.values())
    if largest == 0:
        return {name: float(successes[-1]) for name, (_, successes) in hulls.items()}
    areas = {}
    for name, (costs, successes) in hulls.items():
        area = np.trapezoid(np.append(successes, successes[-1]), np.append(costs, largest))
        areas[name] = float(area / largest)
    return areas


def _below(
    left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> bool:
    """Say whether the middle point lies on or under the line between the other two."""
    run, rise = right[0] - left[0], right[1] - left[1]
    return (middle[1] - left[1]) * run <= rise * (middle[0] - left[0])
