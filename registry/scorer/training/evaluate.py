"""How well predicted success and length match what models did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.proof.metrics import calibration_error, known_auc

Table = NDArray[np.float64]
_LEAST_CASES = 30
_ENOUGH_CASES = 300
_DRAWS = 50


def figures(judged: Judged, rows: NDArray[np.intp], predicted: Table) -> dict[str, float]:
    """Return mean per-model AUC and Brier score by data set, over all, and calibration error.

    `predicted` (len(rows), M) is compared where a score exists. AUC calls a score from 0.5 a
    success and skips models with fewer than 30 cases or with one outcome only.
    """
    scores = judged.scores[rows]
    datasets = np.array(judged.datasets)[rows]
    aucs: dict[str, float] = {}
    briers: dict[str, float] = {}
    for dataset in sorted(set(datasets.tolist())):
        inside = datasets == dataset
        found = [
            _column_auc(scores[inside, model], predicted[inside, model])
            for model in range(len(judged.models))
        ]
        known = [auc for auc in found if auc is not None]
        if known:
            aucs[f"auc_{dataset}"] = float(np.mean(known))
        missed = (predicted[inside] - scores[inside]) ** 2
        briers[f"brier_{dataset}"] = float(np.nanmean(missed))
    has_score = ~np.isnan(scores)
    truth, said = scores[has_score].astype(np.float64), predicted[has_score]
    result = {
        **aucs,
        "auc_mean": float(np.mean(list(aucs.values()))) if aucs else float("nan"),
        **briers,
        "brier": float(np.mean((said - truth) ** 2)),
        "calibration_error": calibration_error(truth, said),
    }
    return {name: round(value, 4) for name, value in result.items()}


def data_sets(
    judged: Judged, origins: Mapping[str, Mapping[str, Any]], unknown: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return how much of each data set is judged, with its origin or what stands for none."""
    datasets = np.array(judged.datasets)
    entries = []
    for name in sorted(set(judged.datasets)):
        asked = ~np.isnan(judged.scores[datasets == name])
        entries.append(
            {
                "set": name,
                "prompts": len(asked),
                "scores": int(asked.sum()),
                "models": int(asked.any(axis=0).sum()),
                **origins.get(name, unknown),
            }
        )
    return entries


def token_error(judged: Judged, rows: NDArray[np.intp], log_tokens: Table) -> float | None:
    """Return the median absolute difference of log lengths; `None` without lengths.

    `log_tokens` (len(rows), M) are natural logarithms of 1 + tokens.
    """
    truth = judged.tokens[rows]
    known = ~np.isnan(truth)
    if not known.any():
        return None
    return round(float(np.median(np.abs(np.log1p(truth[known]) - log_tokens[known]))), 4)


def median_log_tokens(judged: Judged, train: NDArray[np.intp], rows: NDArray[np.intp]) -> Table:
    """Return each model's median log length on the training rows, (len(rows), M)."""
    lengths = np.log1p(judged.tokens[train])
    known = ~np.isnan(lengths).all(axis=0)
    medians = np.full(lengths.shape[1], np.nan)
    medians[known] = np.nanmedian(lengths[:, known], axis=0)
    return np.tile(medians, (len(rows), 1))


def errors_by_model(
    judged: Judged, rows: NDArray[np.intp], predicted: Table, seed: int
) -> dict[str, dict[str, float]]:
    """Return the calibration error of each model with at least 300 rows.

    `by_chance` is the error that the same predictions would have if they were exactly right: in
    bins of so few rows, draws stray from the best forecast. It is the mean of 50 draws by `seed`.
    """
    dice = np.random.default_rng(seed)
    scores = judged.scores[rows].astype(np.float64)
    found = {}
    for column, model in enumerate(judged.models):
        known = ~np.isnan(scores[:, column])
        if known.sum() >= _ENOUGH_CASES:
            said = predicted[known, column]
            drawn = [
                calibration_error((dice.random(len(said)) < said).astype(np.float64), said)
                for _ in range(_DRAWS)
            ]
            found[model] = {
                "rows": int(known.sum()),
                "error": round(calibration_error(scores[known, column], said), 4),
                "by_chance": round(float(np.mean(drawn)), 4),
            }
    return found


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
    return known_auc(scores[known].astype(np.float64), predicted[known])
