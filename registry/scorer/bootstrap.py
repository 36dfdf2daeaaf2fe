"""The paired bootstrap by group: how far figures would move on other prompts of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Table

_LEVELS = (2.5, 97.5)
# More groups than these are drawn in bags, which moves an interval's width by a percent at most.
_MOST_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the 95 % bootstrap interval around it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each of G groups counts (1 + R, G), and the group of each prompt (N,).

    Row 0 is the prompts as they are, so that a statistic of any row is a statistic of all. What
    is computed from the same draws is paired.
    """

    counts: Table
    numbers: NDArray[np.intp]

    @property
    def groups(self) -> int:
        """The number of groups."""
        return len(self.counts[0])

    def totals(self, columns: Table) -> Table:
        """Return the sums (1 + R, K) of columns (N, K)."""
        order = np.argsort(self.numbers, kind="stable")
        starts = np.flatnonzero(np.diff(self.numbers[order], prepend=-1))
        return np.asarray(self.counts @ np.add.reduceat(columns[order], starts, axis=0))

    def means(self, columns: Table, weights: Table) -> Table:
        """Return the weighted means (1 + R, K) of columns (N, K) by weights (N,)."""
        totals = self.totals(np.column_stack([columns * weights[:, None], weights]))
        return np.asarray(totals[:, :-1] / totals[:, -1:])

    def by_prompt(self, resamples: int) -> Table:
        """Return how often each prompt counts (1 + resamples, N), in the first of the draws."""
        return np.asarray(self.counts[: 1 + resamples, self.numbers])


def draw(
    groups: Sequence[str] | NDArray[np.intp],
    resamples: int,
    seed: int,
    strata: Sequence[str] | None = None,
) -> Draws:
    """Draw as many groups as there are, with replacement, `resamples` times.

    Whole groups are drawn, because prompts of one group are not independent evidence (Efron and
    Tibshirani 1993); where there are `strata` (N,), within each of them.
    """
    units = np.array(groups, dtype=object)
    parts = np.zeros(len(units), dtype=object) if strata is None else np.array(strata, dtype=object)
    random = np.random.default_rng(seed)
    numbers = np.empty(len(units), dtype=np.intp)
    counts: list[Table] = []
    first = 0
    for part in dict.fromkeys(parts.tolist()):
        inside = parts == part
        number = np.unique(units[inside], return_inverse=True)[1]
        size = int(number.max()) + 1
        if size > _MOST_UNITS:
            number, size = random.permutation(size)[number] % _MOST_UNITS, _MOST_UNITS
        numbers[inside] = first + number
        drawn = random.multinomial(size, np.full(size, 1 / size), resamples)
        counts.append(np.vstack([np.ones(size), drawn]))
        first += size
    return Draws(np.concatenate(counts, axis=1), numbers)


def interval(statistic: Table) -> Interval:
    """Return a statistic (1 + R,) with its 95 % percentile interval."""
    low, high = np.percentile(statistic[1:], _LEVELS)
    return Interval(float(statistic[0]), float(low), float(high))


def centred(statistic: Table) -> Table:
    """Return a statistic (1 + R,) of at least 0 whose resamples lie around the estimate.

    For one that drawing anew can only make larger, as a distance: their spread is kept, their
    bias is not.
    """
    shift = statistic[0] - statistic[1:].mean()
    return np.concatenate([statistic[:1], np.maximum(statistic[1:] + shift, 0.0)])


def known_interval(statistic: Table) -> Interval | None:
    """Return `interval` over the resamples in which the statistic is known.

    `None` where it is unknown as such, or in more than one of twenty resamples.
    """
    known = np.isfinite(statistic)
    if not known[0] or known.mean() < 0.95:
        return None
    return interval(statistic[known])
