"""The paired bootstrap: how far figures would move on other prompts of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.proof.cases import Table
from rolecall.registry.scorer.proof.policies import Policy
from rolecall.registry.scorer.proof.proof import Interval

_LEVELS = (2.5, 97.5)
# More groups than these are drawn in bags, which moves an interval's width by a percent at most.
_MOST_UNITS = 10_000
# Numbers in one block of weights; 4 million of them are 32 MB.
_BLOCK = 4_000_000


@dataclass(frozen=True, slots=True)
class Resampled:
    """Policies' mean success and cost in USD on the cases and on resampled cases (1 + R, P).

    Row 0 is the estimate on the cases as they are; a statistic of any row is a statistic of all.
    """

    names: tuple[str, ...]
    success: Table
    cost: Table

    def of(self, name: str) -> tuple[Table, Table]:
        """Return one policy's success and cost (1 + R,)."""
        column = self.names.index(name)
        return self.success[:, column], self.cost[:, column]


def group_numbers(groups: Sequence[str]) -> NDArray[np.intp]:
    """Return each prompt's group as a number from 0 (N,)."""
    return np.unique(np.array(groups, dtype=object), return_inverse=True)[1].astype(np.intp)


def resample(
    policies: Sequence[Policy], numbers: NDArray[np.intp], resamples: int, seed: int
) -> Resampled:
    """Draw as many groups as there are, with replacement, `resamples` times.

    All policies see the same draws, so that differences are paired. Whole groups are drawn,
    because prompts of one group are not independent evidence.
    """
    columns = [policy.success for policy in policies] + [policy.cost for policy in policies]
    random = np.random.default_rng(seed)
    groups = int(numbers.max()) + 1
    if groups > _MOST_UNITS:
        numbers = random.permutation(groups)[numbers] % _MOST_UNITS
    sums = _sums([*columns, np.ones(len(numbers))], numbers)  # (G, 2P + 1)
    totals = [sums.sum(axis=0, keepdims=True)]
    groups = len(sums)
    at_once = max(1, _BLOCK // groups)
    for start in range(0, resamples, at_once):
        weights = [
            np.bincount(random.integers(0, groups, groups), minlength=groups)
            for _ in range(min(at_once, resamples - start))
        ]
        totals.append(np.array(weights, dtype=np.float64) @ sums)
    table = np.concatenate(totals)
    means = table[:, :-1] / table[:, -1:]
    names = tuple(policy.name for policy in policies)
    return Resampled(names, means[:, : len(names)], means[:, len(names) :])


def interval(statistic: Table) -> Interval:
    """Return a statistic (1 + R,) with its 95 % percentile interval (Efron and Tibshirani)."""
    low, high = np.percentile(statistic[1:], _LEVELS)
    return Interval(float(statistic[0]), float(low), float(high))


def known_interval(statistic: Table) -> Interval | None:
    """Return `interval`, or `None` where the statistic is not always a number."""
    return interval(statistic) if np.isfinite(statistic).all() else None


def _sums(columns: Sequence[Table], numbers: NDArray[np.intp]) -> Table:
    """Return each column's sum by group (G, K)."""
    return np.stack([np.bincount(numbers, weights=column) for column in columns], axis=1)
