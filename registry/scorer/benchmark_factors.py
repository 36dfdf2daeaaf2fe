"""A few factors behind public benchmark scores: factor analysis with missing cells.

The logit of model m's score on benchmark b is `intercept_b + loading_b · f_m` give or take
`noise_b`. A model's factors f have a normal prior, its mean linear in the model's facts; the
cells that are known make it a posterior (Bishop, "Pattern Recognition and Machine Learning",
12.2). A score of another effort of the same model counts with more noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.posterior import Gaussian
from rolecall.registry.scorer.variants import candidates

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
    """The fitted factor model over B benchmarks with R factors, and the table it was fitted on.

    `table` (N, B) holds the scores of N models, `nan` where none is known.

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
