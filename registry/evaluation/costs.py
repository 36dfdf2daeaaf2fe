"""What the judged answers cost, and what they could be expected to cost, in USD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.entities import Price
from rolecall.registry.routing.rules.cost import known_price
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.data import Judged

_PER_MTOK = 1e-6


@dataclass(frozen=True, slots=True)
class Spending:
    """What is known of the cost of N prompts × M models of one data set.

    `cases` are the judged cases themselves and `whole` all rows of their data set, both with the
    models in the order of `prices`, of which a null is unknown. `input_tokens` (N,) are
    estimated, `predicted_tokens` (N, M) the scorer's.
    """

    cases: Judged
    whole: Judged
    prices: Sequence[Price | None]
    input_tokens: Sequence[int]
    predicted_tokens: Table

    def paid(self) -> Table:
        """Return the cost (N, M): the row's own, else price × tokens, else the model's mean.

        Output tokens are the row's own, else the model's median over the data set, else the
        scorer's prediction.
        """
        tokens = np.where(np.isfinite(self.cases.tokens), self.cases.tokens, self._usual_tokens())
        tokens = np.where(np.isfinite(tokens), tokens, self.predicted_tokens)
        return self._known(self.cases.costs.astype(np.float64), self._at_price(tokens))

    def expected(self) -> Table:
        """Return the cost (N, M) as known before the call.

        It is price × predicted tokens; for a model without a price its mean cost in the other
        groups of the data set.
        """
        return self._known(self._at_price(self.predicted_tokens), self._means_of_others())

    def _known(self, first: Table, then: Table) -> Table:
        """Return the first table, where it is unknown the second, and then the models' means."""
        found = np.where(np.isfinite(first), first, then)
        return np.where(np.isfinite(found), found, _means(self.whole.costs))

    def _at_price(self, output_tokens: Table) -> Table:
        """Return the cost (N, M) at list price; NaN where there is none."""
        asked = [_rates(price, self.input_tokens) for price in self.prices]
        inputs, outputs = np.moveaxis(np.stack(asked), (2, 1), (0, 1))  # (N, M) each
        read = np.asarray(self.input_tokens, dtype=np.float64)[:, None]
        return np.asarray(_PER_MTOK * (read * inputs + output_tokens * outputs))

    def _usual_tokens(self) -> Table:
        """Return each model's median length in the data set (M,)."""
        medians = np.full(len(self.whole.models), np.nan)
        known = np.isfinite(self.whole.tokens)
        for column in np.flatnonzero(known.any(axis=0)).tolist():
            medians[column] = np.median(self.whole.tokens[known[:, column], column])
        return medians

    def _means_of_others(self) -> Table:
        """Return each model's mean cost in the rows outside a case's own group (N, M)."""
        names = {group: number for number, group in enumerate(dict.fromkeys(self.whole.groups))}
        numbers = np.array([names[group] for group in self.whole.groups])
        own = np.array([names[group] for group in self.cases.groups])
        known = np.isfinite(self.whole.costs)
        costs = np.where(known, self.whole.costs, 0.0).astype(np.float64)
        others = _outside(known.astype(np.float64), numbers, own)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(_outside(costs, numbers, own) / others)


def _rates(price: Price | None, input_tokens: Sequence[int]) -> Table:
    """Return the prices (N, 2) of input and output at the tier of each input; NaN where unknown."""
    if price is None or None in (price.input_usd_per_mtok, price.output_usd_per_mtok):
        return np.full((len(input_tokens), 2), np.nan)
    tiered = known_price(price)
    sizes = input_tokens if price.tiers else [0]
    found = np.array([tiered.level(size)[1][:2] for size in sizes], dtype=np.float64)
    return np.broadcast_to(found.reshape(-1, 2), (len(input_tokens), 2))


def _outside(table: Table, numbers: NDArray[np.intp], own: NDArray[np.intp]) -> Table:
    """Return the columns' sums less those of each case's own group (N, M)."""
    by_group = np.zeros((int(numbers.max()) + 1, table.shape[1]))
    np.add.at(by_group, numbers, table)
    return np.asarray(by_group.sum(axis=0) - by_group[own])


def _means(table: NDArray[Any]) -> Table:
    """Return each column's mean (M,) over what is known; NaN where nothing is."""
    known = np.isfinite(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(known, table, 0.0).sum(axis=0) / known.sum(axis=0))
