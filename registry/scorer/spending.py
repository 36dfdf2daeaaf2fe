"""What the judged answers cost, and what they could be expected to cost, in USD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.records import Price
from rolecall.registry.scorer.data import Judged

Table = NDArray[np.float64]

_PER_MTOK = 1e-6


@dataclass(frozen=True, slots=True)
class Rates:
    """What M models ask in USD per million tokens; `nan` where unknown."""

    input_usd: Table  # (M,)
    output_usd: Table  # (M,)

    @classmethod
    def of(cls, prices: Sequence[Price | None]) -> Rates:
        """Return the rates of prices; null is unknown."""
        asked = [one or Price() for one in prices]
        inputs = [one.input_usd_per_mtok for one in asked]
        outputs = [one.output_usd_per_mtok for one in asked]
        # Of what is null, numpy makes nan.
        return cls(np.array(inputs, dtype=np.float64), np.array(outputs, dtype=np.float64))

    def cost(self, input_tokens: Table, output_tokens: Table) -> Table:
        """Return the cost (N, M) of inputs (N,) and outputs (N, M), as far as it is known."""
        paid = input_tokens[:, None] * self.input_usd + output_tokens * self.output_usd
        return _PER_MTOK * paid


@dataclass(frozen=True, slots=True)
class Spending:
    """What is known of the cost of N prompts × M models.

    `cases` are the judged cases themselves and `whole` all rows of their data set, both with the
    models in the order of `rates`. `input_tokens` (N,) are estimated, `predicted_tokens` (N, M)
    the scorer's.
    """

    cases: Judged
    whole: Judged
    rates: Rates
    input_tokens: Sequence[int]
    predicted_tokens: Table

    def paid(self) -> Table:
        """Return the cost (N, M): the row's own, else price × tokens; `nan` where unknown.

        Output tokens are the row's own, else the model's median over the data set, else the
        scorer's prediction.
        """
        usual = _column_medians(self.whole.tokens)
        tokens = np.where(np.isfinite(self.cases.tokens), self.cases.tokens, usual)
        tokens = np.where(np.isfinite(tokens), tokens, self.predicted_tokens)
        worked_out = self.rates.cost(self._inputs, tokens)
        return np.where(np.isfinite(self.cases.costs), self.cases.costs, worked_out)

    def expected(self, learned: Judged | None) -> Table:
        """Return the cost (N, M) as known before the call; `nan` where unknown.

        It is price × predicted tokens; for a model without a price its mean cost in `learned`,
        else in the other groups of the data set.
        """
        expected = self.rates.cost(self._inputs, self.predicted_tokens)
        for column in np.flatnonzero(np.isnan(self.rates.output_usd)).tolist():
            expected[:, column] = self._mean_cost(column, learned)
        return expected

    @property
    def _inputs(self) -> Table:
        return np.asarray(self.input_tokens, dtype=np.float64)

    def _mean_cost(self, column: int, learned: Judged | None) -> Table:
        model = self.whole.models[column]
        if learned is not None and model in learned.models:
            costs = learned.costs[:, learned.models.index(model)].astype(np.float64)
            if np.isfinite(costs).any():
                return np.full(len(self.cases.groups), np.nanmean(costs))
        return self._mean_of_others(self.whole.costs[:, column].astype(np.float64))

    def _mean_of_others(self, costs: Table) -> Table:
        """Return the mean of costs (rows of `whole`) outside each case's own group (N,)."""
        names = {group: number for number, group in enumerate(dict.fromkeys(self.whole.groups))}
        numbers = np.array([names[group] for group in self.whole.groups])
        known = np.isfinite(costs)
        totals = np.bincount(numbers, np.where(known, costs, 0.0))
        counts = np.bincount(numbers, known)
        own = np.array([names[group] for group in self.cases.groups])
        others = counts.sum() - counts[own]
        # With a single group there is no other: its own mean is all there is.
        total = np.where(others > 0, totals.sum() - totals[own], totals.sum())
        return np.asarray(total / np.where(others > 0, others, counts.sum()))


def _column_medians(table: NDArray[np.float32]) -> Table:
    """Return each column's median (M,) over what is known; `nan` where nothing is."""
    medians = np.full(table.shape[1], np.nan)
    for column in range(table.shape[1]):
        known = table[np.isfinite(table[:, column]), column]
        if known.size:
            medians[column] = np.median(known)
    return medians
