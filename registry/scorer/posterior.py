"""What rows of one model say of its own numbers: Bayesian regression with the network frozen.

Given the frozen network, the logit of a model's success on a prompt is linear in the model's own
numbers w: `offset + features · w`. A Gaussian prior on w and judged rows give its posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Table

# The least deviation of a success: of a model with scores of its own, and by facts alone.
LATENT_FLOOR = 0.02
FACTS_FLOOR = 0.04

_MOST_STEPS = 50
_MOST_HALVINGS = 30
_ENOUGH = 1e-8  # gain of the log posterior, per step
_ROWS_AT_ONCE = 10_000
# Of few trained models some numbers do not vary: no variance is quite 0.
_LEAST_VARIANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Design:
    """What the frozen network makes of N prompts for one model of K numbers of its own.

    `offset` (N,) is what those numbers do not touch, in logits (for lengths, in logarithms);
    `features` (N, K) are what they weigh.
    """

    offset: Table
    features: Table

    def __len__(self) -> int:
        return len(self.offset)

    def only(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Design:
        """Return these prompts alone."""
        return Design(self.offset[rows], self.features[rows])


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A normal distribution of a model's own numbers: `mean` (K,) and `covariance` (K, K)."""

    mean: Table
    covariance: Table


def expected(logits: Table, variance: Table | float) -> Table:
    """Return the mean success where a logit is normal with this variance.

    It is nearly the logistic of `logit / √(1 + π·variance/8)` (MacKay, "The evidence framework
    applied to classification networks", 1992).
    """
    return logistic(logits / np.sqrt(1 + pi / 8 * variance))


def logistic(logits: Table) -> Table:
    """Return the probabilities that these logits are."""
    success: Table = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return success


def fit_posterior(design: Design, scores: Table, prior: Gaussian) -> Gaussian:
    """Return the posterior after rows of success `scores` (N,), 0–1; a fraction counts as such.

    Laplace's approximation: Newton's method finds the likeliest numbers, and the curvature there
    is the inverse covariance (Bishop, "Pattern Recognition and Machine Learning", 4.4 and 4.5.1).
    Without rows it is the prior.
    """
    if not len(design):
        return prior
    precision = _inverse(prior.covariance + _LEAST_VARIANCE * np.eye(len(prior.mean)))
    numbers = prior.mean
    loss = _loss(design, scores, numbers - prior.mean, numbers, precision)
    for _ in range(_MOST_STEPS):
        gradient, curvature = _derivatives(design, scores, numbers)
        step = np.linalg.solve(curvature + precision, gradient + precision @ (numbers - prior.mean))
        share = 1.0
        for _ in range(_MOST_HALVINGS):
            tried = numbers - share * step
            new = _loss(design, scores, tried - prior.mean, tried, precision)
            if new <= loss:
                break
            share /= 2  # the step overshot: the loss is convex, so that a shorter one lowers it
        if new > loss:
            break
        numbers, gained, loss = tried, loss - new, new
        if gained < _ENOUGH:
            break
    _, curvature = _derivatives(design, scores, numbers)
    return Gaussian(numbers, _inverse(curvature + precision))


def predict_with(posterior: Gaussian, design: Design) -> Table:
    """Return the expected success (N,) under this posterior."""
    logits = design.offset + design.features @ posterior.mean
    return expected(logits, variances(posterior, design))


def variances(posterior: Gaussian, design: Design) -> Table:
    """Return the variance of each prompt's logit (N,) under this posterior."""
    found: Table = ((design.features @ posterior.covariance) * design.features).sum(axis=1)
    return np.maximum(found, 0.0)


def _loss(design: Design, scores: Table, moved: Table, numbers: Table, precision: Table) -> float:
    """Return the negative log posterior, up to a constant."""
    logits = design.offset + design.features @ numbers
    misfit = np.logaddexp(0.0, logits).sum() - scores @ logits
    return float(misfit + moved @ precision @ moved / 2)


def _derivatives(design: Design, scores: Table, numbers: Table) -> tuple[Table, Table]:
    """Return the misfit's gradient (K,) and curvature (K, K)."""
    features = design.features
    success = logistic(design.offset + features @ numbers)
    gradient: Table = features.T @ (success - scores)
    steepness = success * (1 - success)
    curvature = np.zeros((features.shape[1], features.shape[1]))
    for start in range(0, len(features), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        weighed = features[part] * np.sqrt(steepness[part, None])
        curvature += weighed.T @ weighed
    return gradient, curvature


def _inverse(matrix: Table) -> Table:
    inverse = np.linalg.inv(matrix)
    symmetric: Table = (inverse + inverse.T) / 2
    return symmetric
