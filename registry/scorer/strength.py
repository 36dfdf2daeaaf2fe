"""A model's public facts become its expected general strength, with how unsure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts

# The columns of a facts row; `strength` is their weighted sum, in logits of success.
COLUMNS = ("size", "price", "years", "reasoning", "closed")
_ORIGIN_YEAR = 2024.5
_DEFAULT_MONTH = 6.5


@dataclass(frozen=True, slots=True)
class Line:
    """A column guessed from another: `intercept + slope · other`, give or take `spread`."""

    intercept: float
    slope: float
    spread: float


@dataclass(frozen=True, slots=True)
class FactsPrior:
    """How facts become strength. Sizes and prices are in powers of ten, dates in years.

    `first_years` and `last_years` bound the date: what lies past the models of the training data
    by more than that is read as if it lay there, with `drift` more spread per year beyond the
    newest of them.
    """

    weights: tuple[float, ...]
    first_years: float
    newest_years: float
    last_years: float
    drift: float
    spread: float
    mean_size: float
    mean_price: float
    size_spread: float
    price_spread: float
    years_spread: float
    size_from_price: Line
    price_from_size: Line

    def strength(self, facts: Sequence[ModelFacts]) -> tuple[NDArray[np.float64], ...]:
        """Return each model's expected strength and its standard deviation, both in logits."""
        rows = np.array([self._row(one) for one in facts], dtype=np.float64).reshape(-1, 11)
        columns, spreads, beyond = rows[:, :5], rows[:, 5:10], rows[:, 10]
        weights = np.array(self.weights)
        variance = self.spread**2 + ((spreads * weights) ** 2).sum(axis=1)
        return columns @ weights, np.sqrt(variance + (self.drift * beyond) ** 2)

    def columns(self, facts: ModelFacts) -> tuple[float, ...]:
        """Return the facts row of one model, its unknowns imputed."""
        return self._row(facts)[:5]

    def _row(self, facts: ModelFacts) -> tuple[float, ...]:
        size, price = _power(facts.parameters_b), _power(facts.output_usd_per_mtok)
        size_spread = price_spread = 0.0
        if size is None and price is None:
            size, size_spread = self.mean_size, self.size_spread
            price, price_spread = self.mean_price, self.price_spread
        elif price is None and size is not None:
            price, price_spread = _guess(self.price_from_size, size)
        elif size is None and price is not None:
            size, size_spread = _guess(self.size_from_price, price)
        years = years_of(facts.release_date)
        years_spread = self.years_spread if years is None else 0.0
        years = 0.0 if years is None else years
        beyond = max(years - self.newest_years, 0.0)
        years = min(max(years, self.first_years), self.last_years)
        reasoning, reasoning_spread = _claim(facts.reasoning, unknown=0.25)
        is_open, open_spread = _claim(facts.open_weights, unknown=0.5)
        known = (size, price, years, reasoning, 1.0 - is_open)
        spreads = (size_spread, price_spread, years_spread, reasoning_spread, open_spread)
        return (*(float(value or 0.0) for value in known), *spreads, beyond)

    def to_dict(self) -> dict[str, Any]:
        """Return the prior as plain JSON values."""
        return asdict(self)


def prior_from_dict(plain: Mapping[str, Any]) -> FactsPrior:
    """Rebuild what `FactsPrior.to_dict` made; raises `TypeError` or `KeyError` when it is not."""
    values = dict(plain)
    for name in ("size_from_price", "price_from_size"):
        values[name] = Line(**values[name])
    values["weights"] = tuple(values["weights"])
    return FactsPrior(**values)


def years_of(date: str | None) -> float | None:
    """Return an ISO date (YYYY, YYYY-MM or YYYY-MM-DD) as years since mid 2024, null if none."""
    if date is None or not date[:4].isdigit():
        return None
    month = float(date[5:7]) if date[5:7].isdigit() else _DEFAULT_MONTH
    return int(date[:4]) + (month - 0.5) / 12 - _ORIGIN_YEAR


def _power(value: float | None) -> float | None:
    # A local model's price of 0 says nothing of what it is worth.
    return None if value is None or value <= 0 else log10(value)


def _guess(line: Line, other: float) -> tuple[float, float]:
    return line.intercept + line.slope * other, line.spread


def _claim(claim: bool | None, *, unknown: float) -> tuple[float, float]:
    if claim is None:
        return unknown, (unknown * (1 - unknown)) ** 0.5
    return float(claim), 0.0
