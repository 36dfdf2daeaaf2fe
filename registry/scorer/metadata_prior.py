"""What is believed of a model before any of its answers was judged: its numbers theta.

Public benchmark scores come first, by a few factors; then the facts of the model (size, date,
price, whether it reasons, whether its weights are open); then its relatives: other efforts of
the same model, and models of its family from the same time. A Gaussian process over the trained
models joins all three (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log10
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Arrays
from rolecall.registry.scorer.benchmark_factors import BenchmarkFactors, Cell
from rolecall.registry.scorer.variant_names import FAMILIES
from rolecall.registry.scorer.variants import canonical, reasons, variant

Floats = NDArray[np.float64]
Basis = Literal["scores", "facts"]

FACTS = ("size", "price", "years", "reasoning", "closed")
_ORIGIN_YEAR = 2024.5
_DEFAULT_MONTH = 6.5
_FAMILY_YEARS = 1.0  # over which relatives of one family grow apart
_WORD = re.compile(r"[a-z]+")
# Scores are stored in ten thousandths.
_SCORE_STEPS, _NO_SCORE = 10_000, 65_535
# The arrays of the factors, the scales, the models described, and of the prior itself.
_ARRAYS = (
    ("intercept", "loading", "noise", "facts_weights"),
    ("mean", "deviation", "low", "spread", "price_of_size", "size_of_price"),
    ("factors", "factor_doubt", "facts", "fact_doubt", "years"),
    ("axes", "centre", "weights"),
)
_FAMILY_OF = {other: name for name, others in FAMILIES.items() for other in others}


@dataclass(frozen=True, slots=True)
class Scales:
    """How facts are brought to one scale, and what is read where one is unknown.

    `low` (5,) is the pessimistic value of each column, `spread` (5,) how far it may be off.
    Size and price stand in for each other: `price ≈ line · (1, size)` and the reverse.
    """

    mean: Floats
    deviation: Floats
    low: Floats
    spread: Floats
    price_of_size: Floats  # intercept, slope, spread
    size_of_price: Floats
    last_years: float

    def row(self, facts: ModelFacts) -> tuple[Floats, Floats]:
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


@dataclass(frozen=True, slots=True)
class Kernel:
    """How alike two models' numbers are along some axes: variances of the parts that add up.

    `scores` and `facts` weigh what is linear in the factors and in the facts, `near` what is
    smooth in both over `length`, `family` and `base` what relatives share; `own` is each model's
    own, and `noise / weight` how badly a model with few judged prompts is known.
    """

    scores: float
    facts: float
    near: float
    length: float
    family: float
    base: float
    own: float
    noise: float

    def between(self, left: Described, right: Described) -> Floats:
        """Return the covariance of two lists of models, (N, M), without what is each one's own."""
        apart = _squares(left.factors, right.factors) + _squares(left.facts, right.facts)
        relatives = left.families[:, None] == right.families[None]
        years = np.abs(left.years[:, None] - right.years[None])
        found: Floats = (
            self.scores * left.factors @ right.factors.T
            + self.facts * left.facts @ right.facts.T
            + self.near * np.exp(-apart / (2 * self.length**2))
            + self.family * relatives * np.exp(-years / _FAMILY_YEARS)
            + self.base * (left.bases[:, None] == right.bases[None])
        )
        return found

    def alone(self, models: Described) -> Floats:
        """Return each model's own variance (N,), doubt about its facts and factors included."""
        linear = self.scores * (models.factors**2).sum(1) + self.facts * (models.facts**2).sum(1)
        inputs = self.scores * models.factor_doubt + self.facts * models.fact_doubt
        shared = self.near + self.family + self.base + self.own
        found: Floats = linear + inputs + shared
        return found

    def doubt(self, models: Described, weights: Floats) -> Floats:
        """Return what keeps trained models from being known as they are, (M,)."""
        inputs = self.scores * models.factor_doubt + self.facts * models.fact_doubt
        found: Floats = inputs + self.own + self.noise / np.maximum(weights, 1.0)
        return found


@dataclass(frozen=True)
class Described:
    """N models as the kernel sees them. `*_doubt` (N,) are summed variances of the inputs."""

    factors: Floats  # (N, R)
    factor_doubt: Floats
    facts: Floats  # (N, 5)
    fact_doubt: Floats
    families: NDArray[np.str_]
    bases: NDArray[np.str_]
    years: Floats


@dataclass(frozen=True)
class MetadataPrior:
    """The prior of a model's theta (K,), fitted on M trained models.

    `axes` (K, K) turns theta into axes that are independent across models, the widest first;
    `kernels` holds one kernel for each run of axes in `runs`. Along the axes theta is expected at
    `centre` (K,), moved by `weights` (M, K) times the covariance with each trained model.
    `whitening` (runs, M, M), lower triangular, makes trained models independent, which tells what
    they leave in doubt; `widen` scales the variances of each run.
    """

    factors: BenchmarkFactors
    scales: Scales
    described: Described
    axes: Floats
    centre: Floats
    weights: Floats
    whitening: Floats
    runs: tuple[int, ...]
    kernels: tuple[Kernel, ...]
    widen: tuple[float, ...]

    def predict(self, facts: Sequence[ModelFacts]) -> tuple[Floats, Floats]:
        """Return theta's mean (N, K) and covariance (N, K, K) for each model."""
        models = self.describe(facts)
        means, variances = [], []
        parts = np.split(self.weights, np.cumsum(self.runs)[:-1], axis=1)
        for kernel, weights, whitening in zip(self.kernels, parts, self.whitening, strict=True):
            across = kernel.between(models, self.described)  # (N, M)
            means.append(across @ weights)
            left = kernel.alone(models) - ((across @ whitening.T) ** 2).sum(1)
            variances.append(np.repeat(np.maximum(left, 1e-6)[:, None], weights.shape[1], axis=1))
        mean = self.centre + np.concatenate(means, axis=1)
        variance = np.concatenate(variances, axis=1) * np.repeat(self.widen, self.runs)
        back = np.linalg.inv(self.axes)
        return mean @ back, np.einsum("ik,ni,il->nkl", back, variance, back)

    def basis(self, facts: ModelFacts) -> Basis:
        """Return whether public scores speak for a model, or its facts alone."""
        return "scores" if self.cells(facts) else "facts"

    def cells(self, facts: ModelFacts) -> tuple[Cell, ...]:
        """Return the benchmark scores that count for a model."""
        return self.factors.cells_of(canonical(facts.model), dict(facts.benchmarks))

    def describe(self, facts: Sequence[ModelFacts]) -> Described:
        """Return models as the kernel sees them."""
        return describe(self.factors, self.scales, facts)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """Return the prior as plain JSON values, and its arrays by name."""
        about = {
            "rated": self.factors.models,
            "benchmarks": self.factors.benchmarks,
            "borrowed": self.factors.borrowed,
            "last_years": self.scales.last_years,
            "families": self.described.families.tolist(),
            "bases": self.described.bases.tolist(),
            "runs": self.runs,
            "kernels": [asdict(kernel) for kernel in self.kernels],
            "widen": self.widen,
        }
        parts = (self.factors, self.scales, self.described, self)
        arrays = {
            name: getattr(part, name).astype("<f4")
            for part, names in zip(parts, _ARRAYS, strict=True)
            for name in names
        }
        scores = np.round(self.factors.table * _SCORE_STEPS)
        arrays["table"] = np.where(np.isnan(scores), _NO_SCORE, scores).astype("<u2")
        rows, columns = np.tril_indices(len(self.weights))
        arrays["whitening"] = self.whitening[:, rows, columns].astype("<f2")
        return about, arrays

    @classmethod
    def unpack(cls, about: Mapping[str, Any], arrays: Arrays) -> MetadataPrior:
        """Return what `pack` packed; raises KeyError, TypeError or ValueError."""
        factors, scales, described, own = (
            {name: arrays[name].astype(np.float64) for name in names} for names in _ARRAYS
        )
        table, count = arrays["table"], len(own["weights"])
        rows, columns = np.tril_indices(count)
        whitening = np.zeros((len(about["runs"]), count, count))
        whitening[:, rows, columns] = arrays["whitening"]
        return cls(
            factors=BenchmarkFactors(
                models=tuple(about["rated"]),
                benchmarks=tuple(about["benchmarks"]),
                table=np.where(table == _NO_SCORE, np.nan, table / _SCORE_STEPS),
                borrowed=about["borrowed"],
                **factors,
            ),
            scales=Scales(last_years=about["last_years"], **scales),
            described=Described(
                families=np.array(about["families"]), bases=np.array(about["bases"]), **described
            ),
            whitening=whitening,
            runs=tuple(about["runs"]),
            kernels=tuple(Kernel(**kernel) for kernel in about["kernels"]),
            widen=tuple(about["widen"]),
            **own,
        )


def describe(factors: BenchmarkFactors, scales: Scales, facts: Sequence[ModelFacts]) -> Described:
    """Return models as the kernel sees them, their factors from their public scores."""
    rows = [scales.row(one) for one in facts]
    names = [canonical(one.model) for one in facts]
    found = [
        factors.posterior(factors.cells_of(name, dict(one.benchmarks)), name, row)
        for name, one, (row, _) in zip(names, facts, rows, strict=True)
    ]
    values = np.array([row for row, _ in rows]).reshape(-1, len(FACTS))
    return Described(
        factors=np.array([one.mean for one in found]).reshape(len(found), -1),
        factor_doubt=np.array([np.trace(one.covariance) for one in found]),
        facts=values,
        fact_doubt=np.array([doubt.sum() for _, doubt in rows]),
        families=np.array([family_of(name) for name in names], dtype=np.str_),
        bases=np.array([variant(name).base for name in names], dtype=np.str_),
        years=values[:, 2] * scales.deviation[2] + scales.mean[2],
    )


def family_of(name: str) -> str:
    """Return the family of a canonical name: its first word, or the family that it is known as."""
    words: list[str] = _WORD.findall(name)
    return next((_FAMILY_OF.get(word, word) for word in words), "")


def power(value: float | None) -> float | None:
    """Return a size or a price in powers of ten; 0, the price of a local model, says nothing."""
    return None if value is None or value <= 0 else log10(value)


def years_of(date: str | None) -> float | None:
    """Return an ISO date (YYYY, YYYY-MM or YYYY-MM-DD) as years since mid 2024, null if none."""
    if date is None or not date[:4].isdigit():
        return None
    month = float(date[5:7]) if date[5:7].isdigit() else _DEFAULT_MONTH
    return int(date[:4]) + (month - 0.5) / 12 - _ORIGIN_YEAR


def _guess(line: Floats, other: float) -> tuple[float, float]:
    return float(line[0] + line[1] * other), float(line[2])


def _squares(left: Floats, right: Floats) -> Floats:
    apart: Floats = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    return np.maximum(apart, 0.0)
