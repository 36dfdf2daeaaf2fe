"""Learn output tokens from judged rows: visible lengths, and hidden ones where they are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.length import (
    RANKS,
    Floats,
    HiddenModel,
    LengthModel,
    Table,
    family_key,
    likeness_to,
)
from rolecall.registry.scorer.variants import reasons, variant


@dataclass(frozen=True, slots=True)
class LengthSettings:
    """What was tuned on fold 6, and what is assumed where there are no data."""

    ridge: float = 10.0
    sharpness: float = 40.0
    task_rows: float = 20.0  # rows that shrink a task's offset by half
    model_rows: float = 10.0
    model_task_rows: float = 10.0
    family_models: float = 2.0
    least_task_rows: int = 15
    least_error: float = 0.3  # errors count by their size, smaller ones by their square
    hidden_rows: float = 3.0
    least_hidden_rows: int = 4
    least_hidden: float = 15.0  # tokens; fewer are differences of visible text
    hides_from: float = 1.7  # times the length of the plain models' answers
    usual_step: float = log(2.5)  # of hidden tokens, from one effort to the next
    step_variants: float = 4.0


@dataclass(frozen=True, slots=True)
class LengthRows:
    """P judged prompts: their inputs, and what M models, by canonical names, wrote.

    `tokens` (P, M) is `nan` where unknown; of rows that `count_hidden` they are the servers' own
    counts, with hidden reasoning, else visible text. `difficulty` is 0–1. Of rows that are not
    `typical` visible lengths say nothing: they were told how to answer beside the prompt.
    """

    models: tuple[str, ...]
    vectors: Floats  # (P, 384)
    features: Floats  # (P, F)
    tokens: Floats  # (P, M)
    difficulty: Floats  # (P,)
    sets: NDArray[np.str_]  # (P,)
    tasks: NDArray[np.str_]  # (P,)
    count_hidden: NDArray[np.bool_]  # (P,)
    typical: NDArray[np.bool_]  # (P,)

    def only(self, rows: NDArray[np.bool_]) -> LengthRows:
        """Return some of the rows."""
        return LengthRows(
            self.models,
            *(
                getattr(self, name)[rows]
                for name in (
                    "vectors",
                    "features",
                    "tokens",
                    "difficulty",
                    "sets",
                    "tasks",
                    "count_hidden",
                    "typical",
                )
            ),
        )


def train_length(rows: LengthRows, settings: LengthSettings | None = None) -> LengthModel:
    """Return the model learnt from all the given rows."""
    chosen = settings or LengthSettings()
    hiding = _hiding(rows, chosen)
    visible = rows.tokens.astype(np.float64)
    visible[np.ix_(rows.count_hidden, hiding)] = np.nan
    visible[~rows.typical] = np.nan
    told: NDArray[np.bool_] = np.asarray(np.isfinite(visible).any(axis=1))
    return _Fit(rows.only(told), np.log1p(visible[told]), chosen).model(
        _hidden(rows, hiding, chosen)
    )


class _Fit:
    """The visible lengths: first the prompts' part, then the tasks', then the models'."""

    def __init__(self, rows: LengthRows, lengths: Table, chosen: LengthSettings) -> None:
        self.rows, self.lengths, self.chosen = rows, lengths, chosen
        self.known = np.isfinite(lengths)
        # A set counts by the root of its size: neither the largest nor the smallest rules.
        _, places, counts = np.unique(rows.sets, return_inverse=True, return_counts=True)
        weights = counts[places] ** -0.5
        self.weights: Table = weights / weights.mean()  # (P,)

    def _usual(self, prompts: Table) -> float:
        """Return the length that three of four sets stay below on average."""
        means = [prompts[self.rows.sets == name].mean() for name in np.unique(self.rows.sets)]
        return float(np.quantile(means, 0.75))

    def model(self, hidden: HiddenModel) -> LengthModel:
        """Return the fitted model."""
        rows, chosen = self.rows, self.chosen
        prompts = self._prompts()  # (P,)
        mean = rows.features.mean(axis=0)
        scale = np.maximum(rows.features.std(axis=0), 1e-3)
        inputs = np.hstack([rows.vectors, np.clip((rows.features - mean) / scale, -4, 4)])
        weight, intercept = self._ridge(inputs.astype(np.float64), prompts)
        lowest, highest = np.percentile(prompts, [1, 99])
        shared = np.clip(inputs @ weight + intercept, lowest, highest)
        centroids = self._centroids()
        likeness = likeness_to(centroids, rows.vectors, chosen.sharpness).astype(np.float64)
        tasks = _shrunk(likeness, prompts - shared, self.weights, chosen.task_rows)
        left = self.lengths - (shared + likeness @ tasks)[:, None]
        offsets = self._offsets(left, chosen.model_rows)
        return LengthModel(
            models=rows.models,
            feature_mean=mean.astype(np.float32),
            feature_scale=scale.astype(np.float32),
            weight=weight.astype(np.float32),
            intercept=intercept,
            usual=self._usual(prompts),
            lowest=float(lowest),
            highest=float(highest),
            centroids=centroids,
            sharpness=chosen.sharpness,
            task_offset=tasks.astype(np.float32),
            model_offset=offsets.astype(np.float32),
            model_task=self._by_task(left - offsets, likeness).astype(np.float32),
            families=self._families(offsets),
            hidden=hidden,
        )

    def _prompts(self) -> Table:
        """Return each prompt's mean length, as an average model would write it."""
        offsets = np.zeros(self.lengths.shape[1])
        for _ in range(15):
            prompts = np.nanmean(self.lengths - offsets, axis=1)
            offsets = self._offsets(self.lengths - prompts[:, None], self.chosen.model_rows)
        return np.asarray(prompts, dtype=np.float64)

    def _offsets(self, left: Table, rows: float) -> Table:
        weights = self.weights[:, None] * self.known
        total = (weights * np.where(self.known, left, 0.0)).sum(axis=0)
        return np.asarray(total / (weights.sum(axis=0) + rows), dtype=np.float64)

    def _ridge(self, inputs: Table, prompts: Table) -> tuple[Table, float]:
        centre = np.average(inputs, axis=0, weights=self.weights)
        level = float(np.average(prompts, weights=self.weights))
        weight = _shrunk(inputs - centre, prompts - level, self.weights, self.chosen.ridge)
        return weight, float(level - centre @ weight)

    def _centroids(self) -> Floats:
        names, counts = np.unique(self.rows.tasks, return_counts=True)
        enough = names[counts >= self.chosen.least_task_rows].tolist() or names.tolist()
        vectors, tasks = self.rows.vectors, self.rows.tasks
        means = np.array([vectors[tasks == name].mean(axis=0) for name in enough])
        unit: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _by_task(self, left: Table, likeness: Table) -> Table:
        """Return each model's offset on each task (M, T); outliers count less."""
        found = np.zeros((left.shape[1], likeness.shape[1]))
        for column in np.flatnonzero(self.known.any(axis=0)):
            rows = self.known[:, column]
            inputs, truth = likeness[rows], left[rows, column]
            weights = np.ones(len(truth))
            for _ in range(3):
                found[column] = _shrunk(inputs, truth, weights, self.chosen.model_task_rows)
                errors = np.abs(truth - inputs @ found[column])
                weights = self.chosen.least_error / np.maximum(errors, self.chosen.least_error)
        return found

    def _families(self, offsets: Table) -> Mapping[str, float]:
        of_family = defaultdict(list)
        for column in np.flatnonzero(self.known.any(axis=0)):
            of_family[family_key(variant(self.rows.models[column]))].append(offsets[column])
        return {
            name: float(sum(some) / (len(some) + self.chosen.family_models))
            for name, some in sorted(of_family.items())
        }


def _shrunk(inputs: Table, truth: Table, weights: Table, penalty: float) -> Table:
    """Return the weighted ridge regression of `truth` on `inputs`, without an intercept."""
    weighted = inputs * weights[:, None]
    square = weighted.T @ inputs + penalty * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(square, weighted.T @ truth), dtype=np.float64)


def _plain_lengths(rows: LengthRows, hiding: NDArray[np.bool_]) -> Table:
    """Return how long (P,) models that hide nothing answer; `nan` where none answered.

    It is their lower quartile: some may hide what is not known to be hidden.
    """
    lengths = np.full(len(rows.tokens), np.nan)
    plain = rows.tokens[:, ~hiding]
    told = np.isfinite(plain).any(axis=1)
    lengths[told] = np.nanpercentile(plain[told], 25, axis=1)
    return lengths


def _hiding(rows: LengthRows, chosen: LengthSettings) -> NDArray[np.bool_]:
    """Return which models (M,) hide reasoning: by name, or by counts far above plain models'."""
    hiding = np.array([reasons(variant(name)) for name in rows.models])
    counted = rows.only(rows.count_hidden)
    if not len(counted.tokens):
        return hiding
    for _ in range(2):
        least = np.maximum(_plain_lengths(counted, hiding), chosen.least_hidden)[:, None]
        ratios = counted.tokens / least
        for column in np.flatnonzero(np.isfinite(ratios).any(axis=0)):
            hiding[column] |= bool(np.nanmedian(ratios[:, column]) > chosen.hides_from)
    return hiding


def _hidden(rows: LengthRows, hiding: NDArray[np.bool_], chosen: LengthSettings) -> HiddenModel:
    """Return the model of hidden tokens: counts less what plain models wrote, in logarithms."""
    counted = rows.only(rows.count_hidden)
    excess = counted.tokens - _plain_lengths(counted, hiding)[:, None]
    # An answer without any says that reasoning was not counted, or not asked for, there.
    logs = np.log(np.where(excess >= chosen.least_hidden, excess, np.nan))
    enough = np.isfinite(excess).sum(axis=0) >= chosen.least_hidden_rows
    columns = np.flatnonzero(enough & hiding & np.isfinite(logs).any(axis=0))
    growth = _growth(logs[:, columns], counted.difficulty)
    flat = logs - growth * counted.difficulty[:, None]
    rows_of = {column: int(np.isfinite(flat[:, column]).sum()) for column in columns.tolist()}
    bases = {column: float(np.nanmedian(flat[:, column])) for column in rows_of}
    medium, step = _levels(rows.models, bases, chosen)
    variants: dict[str, float | None] = {
        rows.models[column]: None for column in np.flatnonzero(enough & ~hiding).tolist()
    }
    families = defaultdict(list)
    for column, base in bases.items():
        own = variant(rows.models[column])
        usual = medium + step * RANKS.get(own.effort, 0.0)
        share = rows_of[column] / (rows_of[column] + chosen.hidden_rows)
        variants[rows.models[column]] = share * base + (1 - share) * usual
        families[family_key(own)].append(share * base + (1 - share) * usual)
    means = {name: float(np.mean(some)) for name, some in sorted(families.items())}
    return HiddenModel(variants, means, medium, step, growth)


def _growth(logs: Table, difficulty: Floats) -> float:
    """Return how the logarithm of hidden tokens grows with difficulty within one variant."""
    known = np.isfinite(logs)
    counts = np.maximum(known.sum(axis=0), 1)
    spread = np.where(known, difficulty[:, None], 0.0)
    spread = np.where(known, spread - spread.sum(axis=0) / counts, 0.0)
    squares = float((spread**2).sum())
    return float((spread * np.where(known, logs, 0.0)).sum()) / (squares + 1.0)


def _levels(
    models: Sequence[str], bases: Mapping[int, float], chosen: LengthSettings
) -> tuple[float, float]:
    """Return the base of medium effort and the step to the next, near the usual one."""
    if not bases:
        return log(500.0), chosen.usual_step
    ranks = np.array([RANKS.get(variant(models[column]).effort, 0.0) for column in bases])
    values = np.array(list(bases.values()))
    step = chosen.usual_step
    for _ in range(10):
        medium = float((values - step * ranks).mean())
        above = float((ranks * (values - medium)).sum()) + chosen.step_variants * chosen.usual_step
        step = above / (float((ranks**2).sum()) + chosen.step_variants)
    return medium, step
