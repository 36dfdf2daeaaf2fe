"""The prior of a model before any of its answers was judged: its numbers theta.

Public benchmark scores come first, by a few factors; then the facts of the model (size, date,
price, whether it reasons, whether its weights are open); then its relatives: other efforts of
the same model, and models of its family. All are inputs of one linear map that is learnt with the
network (Agarwal and Chen, "Regression-based Latent Factor Models", 2009).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log10
from typing import Any, Literal

import numpy as np

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Arrays, Table
from rolecall.registry.scorer.posterior import Gaussian
from rolecall.registry.scorer.variants import FAMILIES, candidates, canonical, reasons, variant

Basis = Literal["scores", "facts"]

Cells = Mapping[str, float]  # benchmark: score

_FEWEST, _MOST = 0.01, 0.99


@dataclass(frozen=True, slots=True)
class BenchmarkScore:
    """A score known of a model; `model` is the variant that it was measured on."""

    benchmark: str
    score: float
    model: str
    given: bool = False  # by the user


@dataclass(frozen=True)
class BenchmarkFactors:
    """A few factors behind public benchmark scores: factor analysis with missing cells.

    The logit of model m's score on benchmark b is `intercept_b + loading_b · f_m` give or take
    `noise_b`. A model's factors f have a normal prior, its mean linear in the model's facts; the
    known cells make it a posterior (Bishop, "Pattern Recognition and Machine Learning", 12.2).
    `table` (N, B) holds the scores of N models on B benchmarks, `nan` where none is known.
    `facts_weights` (D, R) makes facts (standardised, D) the prior mean of the factors.
    `borrowed` is the variance added to a cell that another effort of the model reached.
    """

    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    table: Table
    intercept: Table  # (B,)
    loading: Table  # (B, R)
    noise: Table  # (B,), variances
    facts_weights: Table  # (D, R)
    borrowed: float

    def cells_of(self, model: str, given: Cells) -> tuple[BenchmarkScore, ...]:
        """Return the scores known of a model, each benchmark once.

        What the user gave comes first, then the variant's own scores, then those of the nearest
        other effort. Benchmarks that the table does not have are left out.
        """
        known = frozenset(self.benchmarks)
        found = {
            name: BenchmarkScore(name, score, model, given=True)
            for name, score in given.items()
            if name in known
        }
        for name in candidates(model):
            if name not in self._row_of:
                continue
            scores = self.table[self._row_of[name]]
            for at in np.flatnonzero(np.isfinite(scores)).tolist():
                benchmark = self.benchmarks[at]
                found.setdefault(benchmark, BenchmarkScore(benchmark, float(scores[at]), name))
        return tuple(found[name] for name in self.benchmarks if name in found)

    def posterior(self, cells: tuple[BenchmarkScore, ...], model: str, facts: Table) -> Gaussian:
        """Return the factors of a model from its cells and its standardised facts (D,)."""
        mean = facts @ self.facts_weights
        if not cells:
            return Gaussian(mean, np.eye(len(mean)))
        index = {name: at for at, name in enumerate(self.benchmarks)}
        rows = np.array([index[cell.benchmark] for cell in cells])
        other = np.array([cell.model != model for cell in cells])
        values = logit([cell.score for cell in cells]) - self.intercept[rows]
        noise = self.noise[rows] + self.borrowed * other
        return factor_posterior(values, self.loading[rows], noise, mean)

    @cached_property
    def _row_of(self) -> Mapping[str, int]:
        return {model: row for row, model in enumerate(self.models)}


def factor_posterior(values: Table, loading: Table, noise: Table, mean: Table) -> Gaussian:
    """Return the factors (R,) given centred cells; their prior is normal with unit covariance."""
    weighed = loading / noise[:, None]
    precision = weighed.T @ loading + np.eye(len(mean))
    covariance = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    return Gaussian(covariance @ (weighed.T @ values + mean), covariance)


def logit(scores: Any) -> Table:
    """Return scores from 0 to 1 as logits, the extremes drawn in."""
    clipped = np.clip(np.asarray(scores, dtype=np.float64), _FEWEST, _MOST)
    odds: Table = np.log(clipped / (1 - clipped))
    return odds


_ORIGIN_YEAR = 2024.5
_DEFAULT_MONTH = 6.5
_WORD = re.compile(r"[a-z]+")
# Scores are stored in ten thousandths.
_SCORE_STEPS, _NO_SCORE = 10_000, 65_535
# The arrays of the factors, of the scales, of the inputs and of the prior itself.
_ARRAYS = (
    ("intercept", "loading", "noise", "facts_weights"),
    ("mean", "deviation", "low", "spread", "price_of_size", "size_of_price"),
    ("centre", "size"),
    ("level", "common", "own", "of_family", "of_base"),
)
_FAMILY_OF = {other: name for name, others in FAMILIES.items() for other in others}


@dataclass(frozen=True, slots=True)
class Scales:
    """How facts are brought to one scale, and what is read where one is unknown.

    `low` (5,) is the pessimistic value of each column, `spread` (5,) how far it may be off.
    Size and price stand in for each other: `price ≈ line · (1, size)` and the reverse.
    """

    mean: Table
    deviation: Table
    low: Table
    spread: Table
    price_of_size: Table  # intercept, slope, spread
    size_of_price: Table
    last_years: float

    def row(self, facts: ModelFacts) -> tuple[Table, Table]:
        """Return a model's standardised facts and their variances, both (5,)."""
        size, price = power(facts.parameters_b), power(facts.output_usd_per_mtok)
        values, spreads = self.low.copy(), self.spread.copy()
        for at, value in enumerate((size, price, years_of(facts.release_date))):
            if value is not None:
                values[at], spreads[at] = value, 0.0
        if size is None and price is not None:
            values[0], spreads[0] = _guess(self.size_of_price, price)
        if price is None and size is not None:
            values[1], spreads[1] = _guess(self.price_of_size, size)
        values[2] = min(values[2], self.last_years)
        thinks = facts.reasoning
        values[3], spreads[3] = reasons(variant(facts.model)) if thinks is None else thinks, 0.0
        if facts.open_weights is not None:
            values[4], spreads[4] = 1.0 - facts.open_weights, 0.0
        return (values - self.mean) / self.deviation, (spreads / self.deviation) ** 2


@dataclass(frozen=True)
class ModelInputs:
    """What the prior reads of a model, C columns.

    First the R factors and the 5 facts, standardised by `centre` and `size` (R + 5,), then 1 for
    the model's family and 1 for the model whose efforts it is one of.
    """

    factors: BenchmarkFactors
    scales: Scales
    families: tuple[str, ...]
    bases: tuple[str, ...]
    centre: Table
    size: Table

    def rows(self, facts: Sequence[ModelFacts]) -> Table:
        """Return each model's inputs (N, C)."""
        numbers = np.array([self.numbers(one)[0] for one in facts])
        numbers = ((numbers - self.centre) / self.size).reshape(len(facts), -1)
        families, bases = (
            np.array(mine)[:, None] == np.array(names)
            for mine, names in (
                ([family_of(canonical(one.model)) for one in facts], self.families),
                ([variant(one.model).base for one in facts], self.bases),
            )
        )
        return np.concatenate([numbers, families, bases], axis=1)

    def numbers(self, facts: ModelFacts) -> tuple[Table, Table]:
        """Return a model's factors and facts (R + 5,) and their covariance, not standardised."""
        row, variance = self.scales.row(facts)
        name = canonical(facts.model)
        found = self.factors.posterior(self.cells(facts), name, row)
        rank = len(found.mean)
        covariance = np.zeros((rank + len(row), rank + len(row)))
        covariance[:rank, :rank], covariance[rank:, rank:] = found.covariance, np.diag(variance)
        return np.concatenate([found.mean, row]), covariance

    def cells(self, facts: ModelFacts) -> tuple[BenchmarkScore, ...]:
        """Return the benchmark scores that count for a model."""
        return self.factors.cells_of(canonical(facts.model), dict(facts.benchmarks))


@dataclass(frozen=True)
class MetadataPrior:
    """The prior of a model's theta (K,): expected at `level + inputs @ common`.

    `common` is (C, K). `own` (K, K) is the covariance of what is a model's own, `of_family` and
    `of_base` that of what relatives share, for a model whose relatives nobody has judged.
    """

    inputs: ModelInputs
    level: Table
    common: Table
    own: Table
    of_family: Table
    of_base: Table

    def predict(self, facts: Sequence[ModelFacts]) -> tuple[Table, Table]:
        """Return theta's mean (N, K) and covariance (N, K, K) for each model."""
        rows = self.inputs.rows(facts)
        return self.level + rows @ self.common, np.array(
            [self._covariance(one, row) for one, row in zip(facts, rows, strict=True)]
        )

    def _covariance(self, facts: ModelFacts, row: Table) -> Table:
        count = len(self.inputs.centre)
        slope = self.common[:count] / self.inputs.size[:, None]
        found: Table = self.own + slope.T @ self.inputs.numbers(facts)[1] @ slope
        families, bases = np.split(row[count:], [len(self.inputs.families)])
        found = found if bases.any() else found + self.of_base
        return found if families.any() else found + self.of_family

    def basis(self, facts: ModelFacts) -> Basis:
        """Return whether a model is known by public scores, or by its facts alone."""
        return "scores" if self.cells(facts) else "facts"

    def cells(self, facts: ModelFacts) -> tuple[BenchmarkScore, ...]:
        """Return the benchmark scores that count for a model."""
        return self.inputs.cells(facts)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """Return the prior as plain JSON values, and its arrays by name."""
        inputs = self.inputs
        about = {
            "rated": inputs.factors.models,
            "benchmarks": inputs.factors.benchmarks,
            "borrowed": inputs.factors.borrowed,
            "last_years": inputs.scales.last_years,
            "families": inputs.families,
            "bases": inputs.bases,
        }
        arrays = {
            name: getattr(part, name).astype("<f4")
            for part, names in zip(
                (inputs.factors, inputs.scales, inputs, self), _ARRAYS, strict=True
            )
            for name in names
        }
        scores = np.round(inputs.factors.table * _SCORE_STEPS)
        arrays["table"] = np.where(np.isnan(scores), _NO_SCORE, scores).astype("<u2")
        return about, arrays

    @classmethod
    def unpack(cls, about: Mapping[str, Any], arrays: Arrays) -> MetadataPrior:
        """Return what `pack` packed; raises KeyError, TypeError or ValueError."""
        factors, scales, inputs, own = (
            {name: arrays[name].astype(np.float64) for name in names} for names in _ARRAYS
        )
        table = arrays["table"]
        read = ModelInputs(
            factors=BenchmarkFactors(
                models=tuple(about["rated"]),
                benchmarks=tuple(about["benchmarks"]),
                table=np.where(table == _NO_SCORE, np.nan, table / _SCORE_STEPS),
                borrowed=about["borrowed"],
                **factors,
            ),
            scales=Scales(last_years=about["last_years"], **scales),
            families=tuple(about["families"]),
            bases=tuple(about["bases"]),
            **inputs,
        )
        return cls(inputs=read, **own)


def family_of(name: str) -> str:
    """Return the family of a canonical name: its first word, or the family that it is known as."""
    words: list[str] = _WORD.findall(name)
    return next((_FAMILY_OF.get(word, word) for word in words), "")


def power(value: float | None) -> float | None:
    """Return a size or a price in powers of ten; null for 0, the price of a local model."""
    return None if value is None or value <= 0 else log10(value)


def years_of(date: str | None) -> float | None:
    """Return an ISO date (YYYY, YYYY-MM or YYYY-MM-DD) as years since mid 2024, null if none."""
    if date is None or not date[:4].isdigit():
        return None
    month = float(date[5:7]) if date[5:7].isdigit() else _DEFAULT_MONTH
    return int(date[:4]) + (month - 0.5) / 12 - _ORIGIN_YEAR


def _guess(line: Table, other: float) -> tuple[float, float]:
    return float(line[0] + line[1] * other), float(line[2])
