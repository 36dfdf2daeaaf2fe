"""How well predicted success matches what models did, beside two plain baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.training.data import Judged

Table = NDArray[np.float64]
_LEAST_CASES = 30
_BINS = 15


def figures(judged: Judged, rows: NDArray[np.intp], predicted: Table) -> dict[str, float]:
    """Return mean per-model AUC by data set, their mean, Brier score and calibration error.

    `predicted` (len(rows), M) is compared where a score exists. AUC calls a score from 0.5 a
    success and skips models with fewer than 30 cases or with one outcome only.
    """
    scores = judged.scores[rows]
    datasets = np.array(judged.datasets)[rows]
    aucs: dict[str, float] = {}
    for dataset in sorted(set(datasets.tolist())):
        inside = datasets == dataset
        found = [
            _column_auc(scores[inside, model], predicted[inside, model])
            for model in range(len(judged.models))
        ]
        known = [auc for auc in found if auc is not None]
        if known:
            aucs[f"auc_{dataset}"] = float(np.mean(known))
    has_score = ~np.isnan(scores)
    truth, said = scores[has_score].astype(np.float64), predicted[has_score]
    result = {
        **aucs,
        "auc_mean": float(np.mean(list(aucs.values()))) if aucs else float("nan"),
        "brier": float(np.mean((said - truth) ** 2)),
        "calibration_error": calibration_error(truth, said),
    }
    return {name: round(value, 4) for name, value in result.items()}


def auc(success: NDArray[np.bool_], predicted: Table) -> float:
    """Return the chance that a success was predicted above a failure; ties count half."""
    _, rank, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ones = int(success.sum())
    zeros = len(success) - ones
    return float((middle[rank][success].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def calibration_error(truth: Table, predicted: Table) -> float:
    """Return the expected calibration error over 15 bins of equal mass."""
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, _BINS)
    gaps = [abs(truth[p].mean() - predicted[p].mean()) * len(p) for p in parts if len(p)]
    return float(sum(gaps) / len(truth))


def task_means(judged: Judged, train: NDArray[np.intp], rows: NDArray[np.intp]) -> Table:
    """Predict each model's mean over the training rows of the same task, else over all."""
    overall = _means(judged.scores[train], 0.5)
    tasks = np.array(judged.tasks)
    predicted = np.tile(overall, (len(rows), 1))
    for task in set(tasks[rows].tolist()):
        same = train[tasks[train] == task]
        if len(same):
            predicted[tasks[rows] == task] = _means(judged.scores[same], overall)
    return predicted


def neighbours(
    judged: Judged,
    vectors: NDArray[np.float32],
    train: NDArray[np.intp],
    rows: NDArray[np.intp],
    count: int = 100,
) -> Table:
    """Predict each model's mean over the `count` nearest training prompts that it answered."""
    order = np.argsort(-(vectors[rows] @ vectors[train].T), axis=1, kind="stable")  # (R, T)
    scores = judged.scores[train]
    predicted = np.tile(_means(scores, 0.5), (len(rows), 1))
    for model in range(len(judged.models)):
        answered = ~np.isnan(scores[:, model])
        if not answered.any():
            continue
        ordered = answered[order]
        taken = ordered & (np.cumsum(ordered, axis=1) <= count)
        total = (np.nan_to_num(scores[:, model])[order] * taken).sum(axis=1)
        predicted[:, model] = total / taken.sum(axis=1)
    return predicted


def excess_spread(judged: Judged, rows: NDArray[np.intp], predicted: Table, least: float) -> float:
    """Return the deviation in logits that tasks' mean successes show beyond chance.

    For each model × task with enough cases, what the mean misses by is compared with what that
    many draws would miss by anyway; `least` is returned where nothing is left.
    """
    excess = weight = 0.0
    for residual, chance, steepness, cases in _groups(judged, rows, predicted):
        excess += cases * (residual**2 - chance)
        weight += cases * steepness**2
    return float(max(np.sqrt(max(excess, 0.0) / weight), least)) if weight else least


def coverage(
    judged: Judged, rows: NDArray[np.intp], predicted: Table, spread: Table
) -> dict[str, float]:
    """Return the share of model × task means within one and two stated deviations."""
    inside: list[tuple[bool, bool]] = []
    for index, (residual, chance, _, _) in _numbered_groups(judged, rows, predicted):
        stated = float(np.sqrt(spread[index].mean() ** 2 + chance))
        inside.append((abs(residual) <= stated, abs(residual) <= 2 * stated))
    shares = np.array(inside, dtype=float).reshape(-1, 2).mean(axis=0) if inside else (0.0, 0.0)
    return {"within_one_std": round(float(shares[0]), 3), "within_two": round(float(shares[1]), 3)}


_Group = tuple[float, float, float, int]


def _groups(judged: Judged, rows: NDArray[np.intp], predicted: Table) -> list[_Group]:
    return [group for _, group in _numbered_groups(judged, rows, predicted)]


def _numbered_groups(
    judged: Judged, rows: NDArray[np.intp], predicted: Table
) -> list[tuple[tuple[NDArray[np.intp], int], _Group]]:
    scores, tasks = judged.scores[rows], np.array(judged.tasks)[rows]
    found = []
    for task in sorted(set(tasks.tolist())):
        for model in range(len(judged.models)):
            same = np.flatnonzero((tasks == task) & ~np.isnan(scores[:, model]))
            if len(same) < _LEAST_CASES or np.isnan(predicted[same, model]).any():
                continue
            said = predicted[same, model]
            steepness = said * (1 - said)
            residual = float(scores[same, model].mean() - said.mean())
            group = (residual, float(steepness.mean()) / len(same), float(steepness.mean()))
            found.append(((same, model), (*group, len(same))))
    return found


def _column_auc(scores: NDArray[np.float32], predicted: Table) -> float | None:
    known = ~np.isnan(scores)
    success = scores[known] >= 0.5
    if len(success) < _LEAST_CASES or success.all() or not success.any():
        return None
    return auc(success, predicted[known])


def _means(scores: NDArray[np.float32], otherwise: float | Sequence[float] | Table) -> Table:
    count = (~np.isnan(scores)).sum(axis=0)
    total = np.nan_to_num(scores).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)
