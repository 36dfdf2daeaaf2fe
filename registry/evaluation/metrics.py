"""How well predicted success matches what happened: ranking, distance, calibration.

Tables are (N, M), N prompts × M models; a score is NaN where the model was not asked. Without
`weights` a metric counts each prompt once and returns one figure; `weights` (R, N) count each
prompt so often in each of R resamples, and the metric returns one figure for each. NaN stands for
what cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Table

LEAST_PROMPTS = 30
BINS = 15
SUCCESS = 0.5
APART = 0.25


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells of similar predicted success: its mean, the mean score, and how many they are."""

    predicted: float
    observed: float
    count: int


def auc_per_model(
    predicted: NDArray[Any], scores: NDArray[Any], weights: Table | None = None
) -> Table:
    """Return each model's area under the ROC curve (M,), or (R, M); a score from 0.5 is a success.

    The share of its pairs of a success and a failure in which the success was predicted higher,
    ties counting half (Hanley and McNeil 1982; the rank form of Mann and Whitney's U). NaN for a
    model with fewer than 30 scores or with one outcome only.
    """
    scores, predicted, weights = _prepared(scores, predicted, weights)
    found = [
        _auc(predicted[:, column], scores[:, column], weights) for column in range(scores.shape[1])
    ]
    return np.stack(found, axis=-1)


def mean_auc(predicted: NDArray[Any], scores: NDArray[Any], weights: Table | None = None) -> Table:
    """Return the mean of `auc_per_model` over the models that have one, or (R,)."""
    found = np.atleast_2d(auc_per_model(predicted, scores, weights))
    known = np.isfinite(found)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, found, 0.0).sum(axis=1) / known.sum(axis=1)
    return means if weights is not None and weights.ndim == 2 else np.asarray(means[0])


def brier(predicted: NDArray[Any], scores: NDArray[Any], weights: Table | None = None) -> Table:
    """Return the mean squared distance of prediction and score over all cells (Brier 1950)."""
    scores, predicted, weights = _prepared(scores, predicted, weights)
    known = np.isfinite(scores)
    missed = np.where(known, (predicted - np.nan_to_num(scores)) ** 2, 0.0).sum(axis=1)
    return _ratio(weights @ missed, weights @ known.sum(axis=1))


def ece(predicted: NDArray[Any], scores: NDArray[Any], weights: Table | None = None) -> Table:
    """Return the expected calibration error over 15 bins of equal mass, all cells pooled.

    The mean distance of predicted and observed success, each bin counting by its cells (Naeini
    et al. 2015, with equal mass for equal width). Bins are those of the prompts as they are.
    Drawing prompts anew adds noise that counts as error: resamples are only good for the spread.
    """
    scores, predicted, weights = _prepared(scores, predicted, weights)
    rows, columns = np.nonzero(np.isfinite(scores))
    said, truth = predicted[rows, columns], scores[rows, columns]
    bins = np.empty(len(said), dtype=np.intp)
    for number, part in enumerate(np.array_split(np.argsort(said, kind="stable"), BINS)):
        bins[part] = number
    place = rows * BINS + bins
    size = len(scores) * BINS

    def totals(values: Table | None) -> Table:
        cells = np.bincount(place, weights=values, minlength=size).reshape(-1, BINS)
        return np.asarray(weights @ cells.astype(np.float64))  # (R, BINS)

    return _ratio(np.abs(totals(said - truth)).sum(axis=-1), totals(None).sum(axis=-1))


def pair_order(
    predicted: NDArray[Any],
    scores: NDArray[Any],
    weights: Table | None = None,
    of: NDArray[np.bool_] | None = None,
) -> Table:
    """Return how often the better of two models is predicted higher, on the same prompt.

    Over all pairs of models whose scores on a prompt differ by more than 0.25, or those with one
    `of` these models (M,); equal predictions count half (the C-index of Harrell et al. 1982,
    within prompts).
    """
    scores, predicted, weights = _prepared(scores, predicted, weights)
    pairs, right = np.zeros(len(scores)), np.zeros(len(scores))
    counted = np.ones(scores.shape[1], dtype=bool) if of is None else of
    for row, known in enumerate(np.isfinite(scores)):
        truth, said, one = scores[row, known], predicted[row, known], counted[known]
        differs = (truth[:, None] - truth > APART) & (one[:, None] | one)
        apart = (said[:, None] - said)[differs]
        pairs[row] = len(apart)
        right[row] = np.count_nonzero(apart > 0) + 0.5 * np.count_nonzero(apart == 0)
    return _ratio(weights @ right, weights @ pairs)


def model_rank(
    predicted: NDArray[Any], scores: NDArray[Any], weights: Table | None = None
) -> Table:
    """Return Spearman's correlation of the models' mean predicted and mean true success.

    Means are over the prompts on which a model was asked. NaN with fewer than three models, or
    where all of them are predicted alike.
    """
    scores, predicted, weights = _prepared(scores, predicted, weights)
    known = np.isfinite(scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        counts = weights @ known.astype(np.float64)  # (R, M)
        truth = (weights @ np.nan_to_num(scores)) / counts
        said = (weights @ np.where(known, predicted, 0.0)) / counts
    pairs = zip(np.atleast_2d(said), np.atleast_2d(truth), strict=True)
    found = np.array([_spearman(one, other) for one, other in pairs])
    return found if weights.ndim == 2 else np.asarray(found[0])


def reliability(predicted: NDArray[Any], scores: NDArray[Any]) -> tuple[Bin, ...]:
    """Return up to 15 bins of equal mass, by rising predicted success; none is empty."""
    known = np.isfinite(scores)
    said, truth = predicted[known], scores[known]
    parts = np.array_split(np.argsort(said, kind="stable"), BINS)
    return tuple(
        Bin(float(said[part].mean()), float(truth[part].mean()), len(part))
        for part in parts
        if len(part)
    )


def _prepared(
    scores: NDArray[Any], predicted: NDArray[Any], weights: Table | None
) -> tuple[Table, Table, Table]:
    """Return both tables as (N, M) of 64 bits, and weights, by default 1 for each prompt (N,)."""
    if scores.shape != predicted.shape:
        raise ValueError(f"scores {scores.shape} and predictions {predicted.shape} differ in shape")
    counts = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
    shape = (len(scores), -1)
    return (
        scores.astype(np.float64).reshape(shape),
        predicted.astype(np.float64).reshape(shape),
        counts,
    )


def _ratio(part: Any, whole: Any) -> Table:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), dtype=np.float64)


def _auc(predicted: Table, scores: Table, weights: Table) -> Table:
    known = np.isfinite(scores)
    won = scores[known] >= SUCCESS
    if len(won) < LEAST_PROMPTS or won.all() or not won.any():
        return np.full(weights.shape[:-1], np.nan)
    order = np.argsort(predicted[known], kind="stable")
    said, won = predicted[known][order], won[order]
    starts = np.flatnonzero(np.append(True, np.diff(said) > 0))  # of equal predictions
    counted = weights[..., known][..., order]
    ones = np.add.reduceat(counted * won, starts, axis=-1)
    zeros = np.add.reduceat(counted * ~won, starts, axis=-1)
    below = np.cumsum(zeros, axis=-1) - 0.5 * zeros
    return _ratio((ones * below).sum(axis=-1), ones.sum(axis=-1) * zeros.sum(axis=-1))


def _spearman(said: Table, truth: Table) -> float:
    known = np.isfinite(said) & np.isfinite(truth)
    if known.sum() < 3:
        return float("nan")
    one, other = _ranks(said[known]), _ranks(truth[known])
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / size) if size else float("nan")


def _ranks(values: Table) -> Table:
    """Return ranks; equal values share the middle of theirs."""
    # What differs by rounding only is the same: means of one figure are summed in any order.
    values = values.round(12)
    return np.asarray(
        (values[:, None] > values).sum(axis=1) + (values[:, None] == values).sum(axis=1) / 2
    )
