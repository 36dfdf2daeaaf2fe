"""What it costs to hold a share of the best single model's success, without hindsight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.proof.cases import Cases, Table
from rolecall.registry.scorer.proof.policies import Choices, best_single
from rolecall.registry.scorer.proof.proof import Point

_ROUNDING = 1e-9
SHARES = {"90": 0.90, "95": 0.95, "99": 0.99, "100": 1.0}


@dataclass(frozen=True, slots=True)
class Halves:
    """A sweep's total success and cost on two halves of the groups.

    `inside` (2, N) marks each half's prompts. `success` and `cost` (2, D) are sums over a half,
    `target` (2,) the best single model's successes there.
    """

    chosen: NDArray[np.int32]
    inside: NDArray[np.bool_]
    success: Table
    cost: Table
    target: Table

    def dials(self, share: float) -> tuple[int, int]:
        """Return for each half the dial that was chosen on the *other* one.

        That is the cheapest dial whose success reaches `share` of the best single model's, else
        the most successful. A dial chosen where it is accounted would be picked for its luck.
        """
        first, second = (self._dial(half, share) for half in (1, 0))
        return first, second

    def point(self, share: float) -> Point | None:
        """Return the mean cost and success of holding `share`, `None` if no dial ever does.

        The success is what was reached, which may fall short of what the dial was chosen for.
        """
        if not _reaches(self.success.sum(axis=0), share * self.target.sum()).any():
            return None
        rows = self.chosen.shape[1]
        at = (np.arange(2), self.dials(share))
        return Point(float(self.cost[at].sum()) / rows, float(self.success[at].sum()) / rows)

    def choices(self, share: float) -> Choices:
        """Return the models (N,) that holding `share`, or coming nearest to it, chooses."""
        first, second = self.dials(share)
        chosen = np.where(self.inside[0], self.chosen[first], self.chosen[second])
        return np.asarray(chosen, dtype=np.intp)

    def _dial(self, half: int, share: float) -> int:
        success, cost = self.success[half], self.cost[half]
        able = _reaches(success, min(share * self.target[half], success.max()))
        return int(np.where(able, cost, np.inf).argmin())


def halves(cases: Cases, chosen: NDArray[np.int32], numbers: Choices, seed: int) -> Halves:
    """Split a sweep (D, N) by halves of its groups, whose `numbers` (N,) count from 0."""
    groups = int(numbers.max()) + 1
    first = np.random.default_rng(seed).permutation(groups) < groups // 2
    inside = np.stack([first[numbers], ~first[numbers]])
    rows, paid, weight = np.arange(len(numbers)), cases.paid, inside.astype(np.float64)
    success = np.stack([weight @ cases.scores[rows, dial] for dial in chosen], axis=1)
    cost = np.stack([weight @ paid[rows, dial] for dial in chosen], axis=1)
    target = weight @ cases.scores[:, best_single(cases)]
    return Halves(chosen, inside, success, cost, target)


def _reaches(success: Table, target: float) -> NDArray[np.bool_]:
    """Say which sums of scores reach a target, sums in another order being the same."""
    return success >= target - _ROUNDING
