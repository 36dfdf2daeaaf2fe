"""A data set of judged prompts, cut to a table in which no cell is missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import Prediction
from rolecall.registry.scorer.data import Judged

# A model judged on fewer of the prompts would cost the table more prompts than it is worth.
COVERAGE = 0.8

Table = NDArray[np.float64]
Vectors = NDArray[np.float32]
RowNumbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cut:
    """The `rows` of the judged prompts (N,) that every one of `models` was judged on.

    `coverage` is the share of prompts that each model can be used for, left-out ones included.
    """

    models: tuple[str, ...]
    rows: RowNumbers
    coverage: dict[str, float]


def cut(judged: Judged, priced: Collection[str] | None) -> Cut:
    """Keep the models known on nearly all prompts, and the prompts known for all of those.

    A cell is known if it has a score and, unless `priced` is null, a cost: its own, or one that
    can be worked out because its model is among `priced`.
    """
    known = np.isfinite(judged.scores)
    if priced is not None:
        has_price = np.array([model in priced for model in judged.models], dtype=bool)
        known &= np.isfinite(judged.costs) | has_price
    shares = known.mean(axis=0) if len(known) else np.zeros(len(judged.models))
    kept = np.flatnonzero(shares >= COVERAGE)
    return Cut(
        models=tuple(judged.models[column] for column in kept),
        rows=np.flatnonzero(known[:, kept].all(axis=1)) if kept.size else np.arange(0),
        coverage=dict(zip(judged.models, shares.tolist(), strict=True)),
    )


def judged_models(judged: Judged) -> tuple[str, ...]:
    """Return the models with at least one score."""
    seen = np.flatnonzero(np.isfinite(judged.scores).any(axis=0))
    return tuple(judged.models[column] for column in seen)


def has_costs(judged: Judged) -> bool:
    """Whether every answer has a cost of its own."""
    return bool(np.isfinite(judged.costs).all())


def rows_of_dataset(judged: Judged, dataset: str, fold: int | None = None) -> RowNumbers:
    """Return the row numbers of one data set, in one fold if it is given."""
    wanted = np.array([name == dataset for name in judged.datasets], dtype=bool)
    if fold is not None:
        wanted &= judged.folds == fold
    return np.flatnonzero(wanted)


def rows_outside_fold(judged: Judged, fold: int) -> RowNumbers:
    """Return the row numbers of every fold but one."""
    return np.flatnonzero(judged.folds != fold)


def rows_without(judged: Judged, prompts: Collection[str]) -> RowNumbers:
    """Return the row numbers of prompts that are none of these."""
    known = set(prompts)
    return np.flatnonzero(np.array([one not in known for one in judged.prompts], dtype=bool))


def rows_about(judged: Judged, models: Collection[str]) -> RowNumbers:
    """Return the row numbers of the prompts that any of these models was judged on."""
    columns = [column for column, model in enumerate(judged.models) if model in models]
    return np.flatnonzero(np.isfinite(judged.scores[:, columns]).any(axis=1))


def places(rows: RowNumbers, among: RowNumbers) -> RowNumbers:
    """Return where each of these row numbers stands among others, both of them rising."""
    return np.searchsorted(among, rows)


def stacked(vectors: Sequence[Vectors]) -> Vectors:
    """Return vectors as the rows of one table."""
    return np.stack(vectors)


def prediction_tables(predictions: Sequence[Sequence[Prediction]]) -> tuple[Table, Table]:
    """Return success and output tokens (N, M) of each prompt's predictions."""
    success = [[one.success for one in row] for row in predictions]
    tokens = [[one.output_tokens for one in row] for row in predictions]
    return np.array(success, dtype=np.float64), np.array(tokens, dtype=np.float64)
