"""What plain methods would predict: a task's mean per model, and the nearest past prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.data import Judged

Table = NDArray[np.float64]
Vectors = NDArray[np.float32]

# A model's mean starts from even odds, worth this many cases.
_EVEN = 0.5
_EVEN_CASES = 2.0

_FOLDS = 5
_TASK_CASES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_COUNTS = (10, 20, 40, 80, 150, 300)
_TEMPERATURES = (None, 0.05, 0.1, 0.2)
_MEAN_CASES = (0.0, 1.0, 3.0, 10.0, 30.0)
# Neighbours are looked for among so many past prompts, and settings tried on so many, at most.
_MOST_PAST = 20_000
_MOST_TRIED = 500
# Numbers in one block of gathered scores; 8 million of them are 64 MB.
_BLOCK = 8_000_000
_AT_ONCE = 500
_TASK_NEIGHBOURS = 10
_CROSS_FITTED = ("task means", "detected tasks", "nearest")


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How neighbours count: how many, how fast they fade, and what stands against them.

    A neighbour weighs exp((its cosine − the nearest one's) / `temperature`), or 1 without one;
    the model's mean weighs as much as `mean_cases` of the nearest.
    """

    count: int = 40
    temperature: float | None = None
    mean_cases: float = 3.0


def task_means(
    train: Judged, asked_tasks: Sequence[str], models: Sequence[str], seed: int = 7
) -> Table:
    """Predict each model's mean on past prompts of the same task (N, M), shrunk to its mean.

    How many cases the model's mean is worth is chosen by Brier score on a fifth of the groups.
    A model without any past score is predicted 0.5.
    """
    scores, tasks = _columns(train, models), np.array(train.tasks, dtype=object)
    inner, tried = _held_out(train.groups, seed)
    losses = [
        np.nansum((_by_task(scores[inner], tasks[inner], tasks[tried], cases) - scores[tried]) ** 2)
        for cases in _TASK_CASES
    ]
    best = _TASK_CASES[int(np.argmin(losses))] if len(tried) else _TASK_CASES[2]
    return _by_task(scores, tasks, np.array(asked_tasks, dtype=object), best)


def nearest(
    train: Judged,
    train_vectors: Vectors,
    asked_vectors: Vectors,
    models: Sequence[str],
    seed: int = 7,
) -> Table:
    """Predict each model's mean on the nearest past prompts that it answered (N, M).

    Vectors are unit rows (·, 384). The number of neighbours, their weights and the shrinkage to
    the model's mean are chosen by `tuned`. Of more than 20 000 past prompts a random part
    serves. A model without any past score is predicted 0.5.
    """
    scores = _columns(train, models)
    past = _some(np.arange(len(scores)), _MOST_PAST, seed)
    settings = tuned(train, train_vectors, models, seed)
    return _by_neighbours(scores[past], train_vectors[past], asked_vectors, settings)


def tuned(train: Judged, vectors: Vectors, models: Sequence[str], seed: int = 7) -> Neighbourhood:
    """Return the settings of least Brier score on a fifth of the groups, of all in the grid."""
    scores = _columns(train, models)
    inner, tried = _held_out(train.groups, seed)
    if not len(tried):
        return Neighbourhood()
    inner, tried = _some(inner, _MOST_PAST, seed), _some(tried, _MOST_TRIED, seed)
    grid = [Neighbourhood(*one) for one in product(_COUNTS, _TEMPERATURES, _MEAN_CASES)]
    losses, truth = np.zeros(len(grid)), scores[tried]
    for rows, columns, said in _neighbour_blocks(
        scores[inner], vectors[inner], vectors[tried], grid
    ):
        losses += np.nansum((said - truth[rows, columns]) ** 2, axis=(1, 2))
    return grid[int(np.argmin(losses))]


def detected_tasks(
    tasks: Sequence[str], vectors: Vectors, asked_vectors: Vectors
) -> tuple[str, ...]:
    """Return the task of each asked prompt as most of its 10 nearest past prompts have it.

    Vectors are unit rows (·, 384); a neighbour counts by its cosine.
    """
    names, place = np.unique(np.array(tasks, dtype=object), return_inverse=True)
    found: list[str] = []
    for start in range(0, len(asked_vectors), _AT_ONCE):
        cosines = asked_vectors[start : start + _AT_ONCE] @ vectors.T  # (rows, past)
        count = min(_TASK_NEIGHBOURS, cosines.shape[1])
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        votes = np.zeros((len(near), len(names)))
        np.add.at(
            votes,
            (np.arange(len(near))[:, None], place[near]),
            np.take_along_axis(cosines, near, axis=1),
        )
        found += names[votes.argmax(axis=1)].tolist()
    return tuple(found)


def cross_fitted(judged: Judged, vectors: Vectors, seed: int = 7) -> dict[str, Table]:
    """Predict every row by each method (N, M), learnt from other groups' rows.

    Five folds over the groups, so that no baseline sees a row it predicts, nor its like.
    """
    folds = _fold_of(judged.groups, seed)
    found = {name: np.full(judged.scores.shape, _EVEN) for name in _CROSS_FITTED}
    for fold in range(_FOLDS):
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(rows) or not len(others):
            continue
        train, tasks = judged.only(others), [judged.tasks[row] for row in rows]
        found["task means"][rows] = task_means(train, tasks, judged.models, seed)
        detected = detected_tasks(train.tasks, vectors[others], vectors[rows])
        found["detected tasks"][rows] = task_means(train, detected, judged.models, seed)
        found["nearest"][rows] = nearest(train, vectors[others], vectors[rows], judged.models, seed)
    return found


def _columns(judged: Judged, models: Sequence[str]) -> Table:
    """Return the scores of these models (N, M), all NaN for one that was never judged."""
    column = {model: index for index, model in enumerate(judged.models)}
    scores = np.full((len(judged.scores), len(models)), np.nan)
    for index, model in enumerate(models):
        if model in column:
            scores[:, index] = judged.scores[:, column[model]]
    return scores


def _means(scores: Table) -> Table:
    """Return each model's mean (M,), drawn a little to even odds."""
    known = np.count_nonzero(~np.isnan(scores), axis=0)
    return np.asarray((np.nansum(scores, axis=0) + _EVEN * _EVEN_CASES) / (known + _EVEN_CASES))


def _by_task(
    scores: Table, tasks: NDArray[np.object_], asked: NDArray[np.object_], cases: float
) -> Table:
    means = _means(scores)
    said = np.tile(means, (len(asked), 1))
    for task in set(asked.tolist()):
        same = scores[tasks == task]
        known = np.count_nonzero(~np.isnan(same), axis=0)
        said[asked == task] = (np.nansum(same, axis=0) + cases * means) / (known + cases)
    return said


def _by_neighbours(
    scores: Table, vectors: Vectors, asked: Vectors, settings: Neighbourhood
) -> Table:
    said = np.tile(_means(scores), (len(asked), 1))
    for rows, columns, found in _neighbour_blocks(scores, vectors, asked, [settings]):
        said[rows, columns] = found[0]
    return said


def _neighbour_blocks(
    scores: Table, vectors: Vectors, asked: Vectors, grid: Sequence[Neighbourhood]
) -> Iterator[tuple[slice, NDArray[np.intp], Table]]:
    """Yield rows of `asked`, columns, and what each setting predicts there (S, rows, columns).

    Models that answered the same past prompts have the same neighbours and go together.
    """
    means = _means(scores)
    most = max(settings.count for settings in grid)
    at_once = max(1, _BLOCK // (len(vectors) + most * scores.shape[1]))
    patterns, pattern_of = np.unique(~np.isnan(scores), axis=1, return_inverse=True)
    together = [
        (np.flatnonzero(answered), np.flatnonzero(pattern_of.ravel() == number))
        for number, answered in enumerate(patterns.T)
        if answered.any()
    ]
    for start in range(0, len(asked), at_once):
        rows = slice(start, min(start + at_once, len(asked)))
        cosines = asked[rows] @ vectors.T  # (rows, past)
        for answered, columns in together:
            near = cosines if len(answered) == len(vectors) else cosines[:, answered]
            known = scores[np.ix_(answered, columns)]
            yield rows, columns, _weighed(near, known, means[columns], grid)


def _weighed(cosines: Vectors, scores: Table, means: Table, grid: Sequence[Neighbourhood]) -> Table:
    """Return each setting's prediction (S, rows, M) from the cosines (rows, past) to the past."""
    most = min(max(settings.count for settings in grid), len(scores))
    near = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(cosines, near, axis=1), axis=1, kind="stable")
    near = np.take_along_axis(near, order, axis=1)  # (rows, most), the nearest first
    cosine = np.take_along_axis(cosines, near, axis=1).astype(np.float64)
    outcome = scores[near]  # (rows, most, M)
    said = np.empty((len(grid), len(cosines), scores.shape[1]))
    for (count, fade), same in groupby(
        range(len(grid)), lambda at: (grid[at].count, grid[at].temperature)
    ):
        weight = np.exp((cosine - cosine[:, :1]) / (fade or np.inf))[:, : min(count, most)]
        total = np.einsum("rk,rkm->rm", weight, outcome[:, : weight.shape[1]])
        weights = weight.sum(axis=1, keepdims=True)
        for at in same:
            drawn = grid[at].mean_cases
            said[at] = (total + drawn * means) / (weights + drawn)
    return said


def _fold_of(groups: Sequence[str], seed: int) -> NDArray[np.intp]:
    """Return each row's fold (N,), whole groups together."""
    names, number = np.unique(np.array(groups, dtype=object), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(order[number] % _FOLDS, dtype=np.intp)


def _held_out(groups: Sequence[str], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to learn from and the rows to try settings on; none with one group."""
    folds = _fold_of(groups, seed)
    return np.flatnonzero(folds != 0), np.flatnonzero(folds == 0) if folds.any() else folds[:0]


def _some(rows: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """Return the rows, or a random part of them where there are more than `most`."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
