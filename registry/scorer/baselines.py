"""What plain methods would predict: a task's mean per model, and the nearest past prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Floats, Table
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.knn import Block, as_blocks, kernel_mean

# A model's mean starts from even odds, worth this many cases.
_EVEN = 0.5
_EVEN_CASES = 2.0

_FOLDS = 5
_TASK_CASES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_TEMPERATURES = (0.03, 0.045, 0.055, 0.07, 0.1, 0.15)
_MEAN_WEIGHTS = (0.0, 0.001, 0.01, 0.1)
# Settings are tried on so many prompts at most.
_MOST_TRIED = 1000
_AT_ONCE = 500
_TASK_NEIGHBOURS = 10
_CROSS_FITTED = ("task means", "detected tasks", "nearest")


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
    train_places: Floats,
    asked_places: Floats,
    models: Sequence[str],
    seed: int = 7,
) -> Table:
    """Predict each model's mean on past prompts by their similarity to the asked one (N, M).

    The kernel is the scorer's own (`knn.kernel_mean`), over all past prompts, and so are places
    (`Neighbours.locate`). Its temperature, and what the model's mean weighs beside the
    neighbours, have the least Brier score on a fifth of the groups. A model without any past
    score is predicted 0.5.
    """
    scores = _columns(train, models)
    temperature, mean_weight = _tuned(train, scores, train_places, seed)
    past = _Past.of(scores, train.datasets, train_places)
    found = [
        _shrunk(*past.recall(similarity, temperature), past.means, mean_weight)
        for similarity in past.similarities(asked_places)
    ]
    return np.concatenate([np.empty((0, len(models))), *found])


def _tuned(train: Judged, scores: Table, places: Floats, seed: int) -> tuple[float, float]:
    """Return temperature and weight of the mean that predict a fifth of the groups best."""
    inner, tried = _held_out(train.groups, seed)
    settings = list(product(_TEMPERATURES, _MEAN_WEIGHTS))
    if not len(tried):
        return settings[0]
    if len(tried) > _MOST_TRIED:
        tried = np.sort(np.random.default_rng(seed).choice(tried, _MOST_TRIED, replace=False))
    past = _Past.of(scores[inner], [train.datasets[row] for row in inner.tolist()], places[inner])
    [similarity] = past.similarities(places[tried], _MOST_TRIED)
    losses = []
    for temperature in _TEMPERATURES:
        mean, weight = past.recall(similarity, temperature)
        for mean_weight in _MEAN_WEIGHTS:
            said = _shrunk(mean, weight, past.means, mean_weight)
            losses.append(np.nansum((said - scores[tried]) ** 2))
    return settings[int(np.argmin(losses))]


@dataclass(frozen=True, slots=True)
class _Past:
    """Past prompts by data set: `places` (P, A), and each model's mean (M,) over all of them."""

    places: Floats
    blocks: tuple[Block, ...]
    means: Table

    @classmethod
    def of(cls, scores: Table, datasets: Sequence[str], places: Floats) -> Self:
        means = _means(scores)
        if not len(scores):
            return cls(places, (), means)
        order, blocks = as_blocks(scores.astype(np.float32), datasets, frozenset())
        return cls(places[order], blocks, means)

    def similarities(self, asked: Floats, at_once: int = _AT_ONCE) -> Iterator[Floats]:
        """Yield the similarities (rows, P) of asked places to the past, block by block."""
        for start in range(0, len(asked), at_once):
            yield asked[start : start + at_once] @ self.places.T

    def recall(self, similarity: Floats, temperature: float) -> tuple[Table, Table]:
        return kernel_mean(similarity, self.blocks, temperature, len(self.means))


def _shrunk(mean: Table, weight: Table, means: Table, mean_weight: float) -> Table:
    """Return means (N, M) drawn to the models' own (M,), which are all that is known at weight 0.

    `mean_weight` is what a model's own mean counts, where a neighbour in the same place counts 1.
    """
    whole = weight + mean_weight
    total = np.nan_to_num(mean) * weight + mean_weight * means
    return np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), means)


def detected_tasks(tasks: Sequence[str], places: Floats, asked_places: Floats) -> tuple[str, ...]:
    """Return the task of each asked prompt as most of its 10 nearest past prompts have it.

    A neighbour counts by its similarity, the product of both places.
    """
    names, place = np.unique(np.array(tasks, dtype=object), return_inverse=True)
    found: list[str] = []
    for start in range(0, len(asked_places), _AT_ONCE):
        similarity = asked_places[start : start + _AT_ONCE] @ places.T  # (rows, past)
        count = min(_TASK_NEIGHBOURS, similarity.shape[1])
        near = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        votes = np.zeros((len(near), len(names)))
        np.add.at(
            votes,
            (np.arange(len(near))[:, None], place[near]),
            np.take_along_axis(similarity, near, axis=1),
        )
        found += names[votes.argmax(axis=1)].tolist()
    return tuple(found)


def cross_fitted(judged: Judged, places: Floats, seed: int = 7) -> dict[str, Table]:
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
        detected = detected_tasks(train.tasks, places[others], places[rows])
        found["detected tasks"][rows] = task_means(train, detected, judged.models, seed)
        found["nearest"][rows] = nearest(train, places[others], places[rows], judged.models, seed)
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


def _fold_of(groups: Sequence[str], seed: int) -> NDArray[np.intp]:
    """Return each row's fold (N,), whole groups together."""
    names, number = np.unique(np.array(groups, dtype=object), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(order[number] % _FOLDS, dtype=np.intp)


def _held_out(groups: Sequence[str], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to learn from and the rows to try settings on; none with one group."""
    folds = _fold_of(groups, seed)
    return np.flatnonzero(folds != 0), np.flatnonzero(folds == 0) if folds.any() else folds[:0]
