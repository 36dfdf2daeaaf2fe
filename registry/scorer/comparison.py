"""Fits beside what was in use and the means of tasks, on groups that neither learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.bootstrap import Interval, draw, interval
from rolecall.registry.scorer.onboarding import Answers, cross_fits, part_numbers, parts_of

if TYPE_CHECKING:
    from rolecall.registry.scorer.model import Reading, Scorer


LEAST_GROUPS = 30
_DRAWS = 2000
_SEED = 7
# So many rows at a model's mean count beside those of a task, and so many at 0.5 beside those.
_TASK_ROWS = 4.0
_MODEL_ROWS = 1.0


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """How one method predicts the held-back scores; `brier` also by model."""

    success: float
    success_std: float | None
    brier: float
    brier_by_model: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FitComparison:
    """Methods on held-back `scores` of so many `groups`.

    `fitted` is cross-fitted, `in_use` what predictions rested on so far. `over_*` are differences
    of Brier scores: below 0 `fitted` is better. Whether there are groups enough to tell, and
    whether fits beat what was in use beyond chance without being beaten by task means, are
    `is_enough` and `is_better`.
    """

    groups: int
    scores: int
    success: float
    fitted: MethodFigures
    in_use: MethodFigures
    task_means: MethodFigures
    model_means: MethodFigures
    over_in_use: Interval
    over_task_means: Interval
    is_enough: bool
    is_better: bool


def compare(
    in_use: Scorer, answers: Answers, tasks: Sequence[str], held: Sequence[Sequence[bool]]
) -> FitComparison | None:
    """Compare on the scores (N, M) that may be held back; null without two groups of them.

    Held back in five parts, each group is predicted by fits to all other rows.
    """
    is_scored = np.isfinite(answers.scores) & np.array(held, dtype=bool)
    is_held = is_scored.any(axis=1).tolist()
    part_of = parts_of([group for group, one in zip(answers.groups, is_held, strict=True) if one])
    if len(part_of) < 2:
        return None
    parts = part_numbers(answers.groups, part_of)
    task_means, model_means = _means(answers, tasks, parts)
    tables = {
        "fitted": _cross_predicted(in_use, answers, parts),
        "in_use": _predict_table(in_use, answers.readings, answers.facts),
        "task_means": task_means,
        "model_means": model_means,
    }
    held_groups = np.repeat(np.array(answers.groups, dtype=object), is_scored.sum(axis=1))
    draws = draw(held_groups.tolist(), _DRAWS, _SEED)
    errors = {name: (table[..., 0] - answers.scores) ** 2 for name, table in tables.items()}
    gaps = np.stack(
        [(errors["fitted"] - errors[name])[is_scored] for name in ("in_use", "task_means")], axis=1
    )
    over_in_use, over_task_means = map(interval, draws.means(gaps, np.ones(len(gaps))).T)
    methods = {
        name: _method(table, errors[name], is_scored, answers.facts)
        for name, table in tables.items()
    }
    return FitComparison(
        groups=len(part_of),
        scores=int(is_scored.sum()),
        success=float(answers.scores[is_scored].mean()),
        **methods,
        over_in_use=over_in_use,
        over_task_means=over_task_means,
        is_enough=len(part_of) >= LEAST_GROUPS,
        is_better=over_in_use.high < 0 and over_task_means.low <= 0,
    )


def _cross_predicted(in_use: Scorer, answers: Answers, parts: NDArray[np.intp]) -> Table:
    """Return success and its deviation, (N, M, 2), by fits to the rows of other parts."""
    predicted = np.full((*answers.scores.shape, 2), np.nan)
    for part, fits in enumerate(cross_fits(in_use, answers, parts)):
        rows = np.flatnonzero(parts == part)
        readings = [answers.readings[row] for row in rows.tolist()]
        predicted[rows] = _predict_table(in_use.with_fits(fits), readings, answers.facts)
    return predicted


def _predict_table(
    scorer: Scorer, readings: Sequence[Reading], facts: Sequence[ModelFacts]
) -> Table:
    """Return success and its deviation, (N, M, 2), of these models on prompts that were read."""
    rows = [scorer.predict(reading, facts) for reading in readings]
    return np.array(
        [[(one.success, one.success_std) for one in row] for row in rows], dtype=np.float64
    ).reshape(len(readings), len(facts), 2)


def _means(answers: Answers, tasks: Sequence[str], parts: NDArray[np.intp]) -> tuple[Table, Table]:
    """Return each model's mean on the prompt's task and on all prompts, (N, M, 2) each.

    Both are of the rows outside the prompt's part, drawn a little to the mean of all models.
    """
    names = np.array(tasks, dtype=object)
    by_task, by_model = (np.full((*answers.scores.shape, 2), np.nan) for _ in range(2))
    for part in range(int(parts.max()) + 1):
        inside = np.flatnonzero(parts == part)
        known = np.where((parts != part)[:, None], answers.scores, np.nan)
        level = float(np.nanmean(known)) if np.isfinite(known).any() else 0.5
        model_mean = _mean(known, level, _MODEL_ROWS)
        by_model[inside, :, 0] = model_mean
        for task in set(names[inside]):
            of_task = names == task
            by_task[inside[of_task[inside]], :, 0] = _mean(known[of_task], model_mean, _TASK_ROWS)
    return by_task, by_model


def _mean(scores: Table, level: Table | float, rows: float) -> Table:
    """Return the means of columns (M,), as if so many rows more were at `level`."""
    is_known = np.isfinite(scores)
    total: Table = np.where(is_known, scores, 0.0).sum(axis=0) + rows * level
    found: Table = total / (is_known.sum(axis=0) + rows)
    return found


def _method(
    table: Table, errors: Table, is_scored: NDArray[np.bool_], facts: Sequence[ModelFacts]
) -> MethodFigures:
    deviation = table[..., 1][is_scored]
    return MethodFigures(
        success=float(table[..., 0][is_scored].mean()),
        success_std=float(deviation.mean()) if np.isfinite(deviation).all() else None,
        brier=float(errors[is_scored].mean()),
        brier_by_model={
            one.model: float(errors[is_scored[:, column], column].mean())
            for column, one in enumerate(facts)
            if is_scored[:, column].any()
        },
    )
