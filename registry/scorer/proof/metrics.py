"""How well predicted success matches what happened: ranking, distance, calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.proof.cases import Cases, Table
from rolecall.registry.scorer.proof.proof import Bin, ModelQuality, Quality

LEAST_CASES = 30
BINS = 15
SUCCESS = 0.5


def auc(success: NDArray[np.bool_], predicted: Table) -> float:
    """Return the chance that a success was predicted above a failure; ties count half.

    Needs at least one success and one failure (the rank form of Mann and Whitney's U).
    """
    _, rank, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ones = int(success.sum())
    zeros = len(success) - ones
    return float((middle[rank][success].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def known_auc(scores: Table, predicted: Table) -> float | None:
    """Return `auc` with a score from 0.5 as success.

    `None` with fewer than 30 cases, or with one outcome only.
    """
    success = scores >= SUCCESS
    if len(success) < LEAST_CASES or success.all() or not success.any():
        return None
    return auc(success, predicted)


def brier(truth: Table, predicted: Table) -> float:
    """Return the mean squared distance between predicted and true success."""
    return float(np.mean((predicted - truth) ** 2))


def reliability(truth: Table, predicted: Table) -> tuple[Bin, ...]:
    """Return up to 15 bins of equal mass, by rising predicted success; none is empty."""
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return tuple(
        Bin(float(predicted[part].mean()), float(truth[part].mean()), len(part)) for part in parts
    )


def calibration_error(truth: Table, predicted: Table) -> float:
    """Return the expected calibration error over 15 bins of equal mass.

    The mean distance between predicted and observed success, each bin weighed by its cases
    (Naeini et al. 2015, with equal mass for equal width).
    """
    return _error(reliability(truth, predicted))


def quality(cases: Cases, predicted: Table) -> Quality:
    """Return how well a method's predictions (N, M) match the scores.

    `auc` is the mean over the models that have one; Brier and calibration error pool all cells.
    """
    by_model = {
        model: _model_quality(cases.scores[:, column], predicted[:, column])
        for column, model in enumerate(cases.models)
    }
    known = [one.auc for one in by_model.values() if one.auc is not None]
    truth, said = cases.scores.ravel(), predicted.ravel()
    return Quality(
        auc=float(np.mean(known)) if known else None,
        brier=brier(truth, said),
        ece=calibration_error(truth, said),
        by_model=by_model,
    )


def _model_quality(truth: Table, predicted: Table) -> ModelQuality:
    bins = reliability(truth, predicted)
    return ModelQuality(known_auc(truth, predicted), brier(truth, predicted), _error(bins), bins)


def _error(bins: tuple[Bin, ...]) -> float:
    total = sum(one.count for one in bins)
    return sum(abs(one.observed - one.predicted) * one.count for one in bins) / total
