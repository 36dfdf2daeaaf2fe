"""Cost–quality curves: the success that a mean cost buys, and the cost at a given success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.evaluation.policies import best_single
from rolecall.registry.scorer.arrays import Rows, Table

Curve = tuple[Table, Table]  # mean cost in USD (K,), mean success (K,)

SHARES = {"90": 0.90, "95": 0.95, "99": 0.99, "100": 1.0}
_ROUNDING = 1e-9


def curve(cases: Cases, chosen: NDArray[np.int32]) -> Curve:
    """Return a sweep's (D, N) mean costs and successes, points that repeat left out."""
    rows = np.arange(chosen.shape[1])
    costs, successes = (
        cases.mean(table[rows, chosen].T).tolist() for table in (cases.paid, cases.success)
    )
    kept = list(dict.fromkeys(zip(costs, successes, strict=True)))
    return np.array([cost for cost, _ in kept]), np.array([success for _, success in kept])


def hull(points: Curve) -> Curve:
    """Return the non-decreasing convex hull of some points, by rising cost.

    What lies on it can be had by mixing two points at random, so no point below is worth its cost
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


@dataclass(frozen=True, slots=True)
class Halves:
    """A sweep's total success and cost on two halves of the groups.

    `inside` (2, N) marks each half's prompts. `success` and `cost` (2, D) are weighted sums over
    a half, `target` (2,) the best single model's successes there, `weight` that of all prompts.
    """

    chosen: NDArray[np.int32]
    inside: NDArray[np.bool_]
    success: Table
    cost: Table
    target: Table
    weight: float

    def dials(self, share: float) -> tuple[int, int]:
        """Return for each half the dial that was chosen on the *other* one.

        That is the cheapest dial whose success reaches `share` of the best single model's, else
        the most successful. Measured on the prompts it was chosen on it would look too good.
        """
        first, second = (self._dial(half, share) for half in (1, 0))
        return first, second

    def cost_at_quality(self, share: float) -> tuple[float, float] | None:
        """Return mean cost and success at this share of the best single model's success.

        The success is what was reached, which may fall short of what the dial was chosen for;
        `None` if no dial ever reaches it.
        """
        if not _reaches(self.success.sum(axis=0), share * self.target.sum()).any():
            return None
        at = (np.arange(2), self.dials(share))
        return float(self.cost[at].sum()) / self.weight, float(self.success[at].sum()) / self.weight

    def choices(self, share: float) -> Rows:
        """Return the models (N,) chosen for this share, or to come nearest to it."""
        first, second = self.dials(share)
        chosen = np.where(self.inside[0], self.chosen[first], self.chosen[second])
        return np.asarray(chosen, dtype=np.intp)

    def _dial(self, half: int, share: float) -> int:
        success, cost = self.success[half], self.cost[half]
        able = _reaches(success, min(share * self.target[half], success.max()))
        return int(np.where(able, cost, np.inf).argmin())


def halves(cases: Cases, chosen: NDArray[np.int32], numbers: Rows, seed: int) -> Halves:
    """Split a sweep (D, N) by halves of its groups, whose `numbers` (N,) count from 0."""
    groups = int(numbers.max()) + 1
    first = np.random.default_rng(seed).permutation(groups) < groups // 2
    inside = np.stack([first[numbers], ~first[numbers]])
    rows, weight = np.arange(len(numbers)), inside * cases.weights
    success, cost = (weight @ table[rows, chosen].T for table in (cases.success, cases.paid))
    target = weight @ cases.success[:, best_single(cases)]
    return Halves(chosen, inside, success, cost, target, float(cases.weights.sum()))


def _reaches(success: Table, target: float) -> NDArray[np.bool_]:
    """Say which sums of scores reach a target, sums in another order being the same."""
    return success >= target - _ROUNDING


def _below(
    left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> bool:
    """Say whether the middle point lies on or under the line between the other two."""
    run, rise = right[0] - left[0], right[1] - left[1]
    return (middle[1] - left[1]) * run <= rise * (middle[0] - left[0])
