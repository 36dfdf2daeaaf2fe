"""Learn output tokens from judged rows: visible lengths, and hidden ones where they are counted.

Kinds of prompts that no judged set has are assumed: `length_assumed.yaml`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from math import log
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Floats, Table
from rolecall.registry.scorer.asked_length import asked_tokens
from rolecall.registry.scorer.encoder import WIDTH
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.length import (
    HiddenModel,
    LengthModel,
    family_key,
    joined,
    similarity_to,
)
from rolecall.registry.scorer.variants import reasons, variant

ASSUMED = "assumed"
_ROUNDS = 10


# Tuned on folds 1, 3, 5 and 6, each left out in turn, or assumed.
_RIDGE = 10.0
_FEATURE_SHARE = 0.1  # what a feature counts beside a number of the vector
_ASSUMED_WEIGHT = 3.0  # what an assumed prompt counts beside a judged one
_TASK_SHARE = 2.0  # what the similarity to a task counts beside a number of the vector
_SHARPNESS = 40.0
_MODEL_ROWS = 3.0
_MODEL_TASK_ROWS = 1.0
_OFFSET_SHARE = 3.0  # what a model's offset on everything counts beside one on a task
_FAMILY_MODELS = 2.0
_LEAST_TASK_ROWS = 4
_LEAST_ERROR = 0.3  # errors count by their size, smaller ones by their square
_LEAST_HIDDEN = 15.0  # tokens; fewer are differences of visible text
_HIDES_FROM = 2.0  # times the length of the plain models' answers
_LEAST_HIDDEN_ROWS = 4
_SHOWN_SHARE = 0.8  # of the shortest answer, where every model may hide some
_EFFORT_STEP = log(2.5)  # of hidden tokens, from one effort to the next


@dataclass(frozen=True, slots=True)
class LengthRows:
    """P judged prompts: their inputs, and what M models, by canonical names, wrote.

    `tokens` (P, M) is `nan` where unknown; of rows that `count_hidden` they are the servers' own
    counts, with hidden reasoning, else visible text. `difficulty` is 0–1. Of rows that are not
    `typical` visible lengths do not count: instructions beside the prompt set them. Those
    that are `told` ask for a length themselves.
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
    told: NDArray[np.bool_]  # (P,)

    def only(self, rows: NDArray[np.bool_]) -> LengthRows:
        """Return some of the rows."""
        names = [field.name for field in fields(self) if field.name != "models"]
        return LengthRows(self.models, *(getattr(self, name)[rows] for name in names))


@dataclass(frozen=True, slots=True)
class AssumedRows:
    """A prompts of kinds that no judged set has, and their assumed tokens, visible and hidden."""

    vectors: Floats  # (A, 384)
    features: Floats  # (A, F)
    tokens: Floats  # (A, 2)
    tasks: NDArray[np.str_]  # (A,)
    told: NDArray[np.bool_]  # (A,)
    usual: tuple[float, float]


def assumed_rows(encode: Callable[[Sequence[str]], Floats]) -> AssumedRows:
    """Return the assumed rows; `encode` makes sentence vectors of texts."""
    content = assumed_lengths()
    prompts, tokens, tasks = [], [], []
    for kind, one in content["kinds"].items():
        for prompt in one["prompts"].splitlines():
            prompts.append(prompt)
            tokens.append((one["visible"], one["hidden"]))
            latin = sum(map(str.isascii, prompt)) > len(prompt) / 2
            tasks.append(f"{ASSUMED}/{kind}/{'latin' if latin else 'other'}")
    usual = content["usual"]
    return AssumedRows(
        vectors=encode(prompts),
        features=np.stack([measure(prompt) for prompt in prompts]),
        tokens=np.array(tokens, dtype=np.float32),
        tasks=np.array(tasks),
        told=np.array([asked_tokens(prompt) is not None for prompt in prompts]),
        usual=(usual["visible"], usual["hidden"]),
    )


def assumed_lengths() -> dict[str, Any]:
    """Return the table of assumed lengths."""
    file = resources.files("rolecall.registry.scorer.training") / "length_assumed.yaml"
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def train_length(rows: LengthRows, assumed: AssumedRows) -> LengthModel:
    """Return the model learnt from all the given rows."""
    rows = rows.only(np.asarray(np.isfinite(rows.tokens).any(axis=1)))
    hiding = _hiding(rows)
    visible, hidden = _parted(rows, hiding)
    inputs = _Inputs(rows, assumed)
    parts = [inputs.fit(tokens, assumed.tokens[:, i]) for i, tokens in enumerate((visible, hidden))]
    shown, thought = (np.flatnonzero(np.isfinite(one).any(axis=0)) for one in (visible, hidden))
    counts = np.isfinite(rows.tokens[rows.count_hidden]).sum(axis=0)
    plain = np.flatnonzero(~hiding & (counts >= _LEAST_HIDDEN_ROWS))
    names = np.array(rows.models)
    variants: dict[str, int | None] = dict.fromkeys(names[plain].tolist())
    variants |= {name: row for row, name in enumerate(names[thought].tolist())}
    families = [
        _families(names[columns].tolist(), part.offsets[columns])
        for part, columns in zip(parts, (shown, thought), strict=True)
    ]
    return LengthModel(
        models=tuple(names[shown].tolist()),
        feature_mean=inputs.mean,
        feature_scale=inputs.scale,
        centroids=inputs.centroids,
        sharpness=_SHARPNESS,
        told=inputs.told,
        weight=np.stack([part.weight for part in parts]).astype(np.float32),
        intercept=np.array([part.intercept for part in parts], dtype=np.float32),
        usual=np.log1p(np.array(assumed.usual, dtype=np.float32)),
        lowest=np.array([part.lowest for part in parts], dtype=np.float32),
        highest=np.array([part.highest for part in parts], dtype=np.float32),
        model_task=parts[0].by_task[shown].astype(np.float32),
        families=families[0],
        hidden_task=parts[1].by_task[thought].astype(np.float32),
        hidden=HiddenModel(variants, families[1], _EFFORT_STEP),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What is learnt of visible or of hidden tokens."""

    weight: Table  # (D,)
    intercept: float
    lowest: float
    highest: float
    offsets: Table  # (M,)
    by_task: Table  # (M, 1 + T)


class _Inputs:
    """What lengths are linear in, of judged and assumed prompts, and the fits to them."""

    def __init__(self, rows: LengthRows, assumed: AssumedRows) -> None:
        self.mean = rows.features.mean(axis=0).astype(np.float32)
        self.scale = np.maximum(rows.features.std(axis=0), 1e-3).astype(np.float32)
        vectors = np.concatenate([rows.vectors, assumed.vectors])
        features = np.concatenate([rows.features, assumed.features])
        self.sets = np.concatenate([rows.sets, np.full(len(assumed.vectors), ASSUMED)])
        tasks = np.concatenate([rows.tasks, assumed.tasks])
        names, counts = np.unique(tasks, return_counts=True)
        often = names[counts >= _LEAST_TASK_ROWS].tolist()
        means = np.array([vectors[tasks == name].mean(axis=0) for name in often])
        norms = np.linalg.norm(means, axis=1, keepdims=True)
        self.centroids = (means / norms).astype(np.float32)
        told = np.concatenate([rows.told, assumed.told])
        self.told = np.array([told[tasks == name].mean() for name in often], dtype=np.float32)
        self.similarity = similarity_to(self.centroids, vectors, _SHARPNESS)
        usual = np.full(len(assumed.vectors), rows.difficulty.mean())
        self.inputs = joined(
            vectors,
            (features - self.mean) / self.scale,
            self.similarity,
            np.concatenate([rows.difficulty, usual]),
        ).astype(np.float64)

    def fit(self, tokens: Table, assumed: Floats) -> _Part:
        """Return the fit to tokens (P, M) of the judged prompts and (A,) of the assumed ones.

        What is assumed is what a model without an offset writes.
        """
        logs = np.log1p(tokens)
        some = np.isfinite(logs).any(axis=1)  # (P,)
        logs, judged = logs[some], int(some.sum())
        told = np.concatenate([some, np.ones(len(assumed), dtype=bool)])
        weights = _by_set(self.sets[told])
        weights[judged:] *= _ASSUMED_WEIGHT
        prompts, offsets = self._prompts(logs, weights[:judged])
        truth = np.concatenate([prompts, np.log1p(assumed)])
        weight, intercept = self._ridge(self.inputs[told], truth, weights)
        lowest, highest = float(truth.min()), float(truth.max())
        shared = np.clip(self.inputs[told][:judged] @ weight + intercept, lowest, highest)
        by_task = self._by_task(logs - shared[:, None], self.similarity[told][:judged])
        return _Part(weight, intercept, lowest, highest, offsets, by_task)

    def _prompts(self, logs: Table, weights: Table) -> tuple[Table, Table]:
        """Return each prompt's mean, as an average model would write it, and models' offsets."""
        known = np.isfinite(logs)
        filled = np.where(known, logs, 0.0)
        cells = known * weights[:, None]
        offsets: Table = np.zeros(logs.shape[1])
        for _ in range(_ROUNDS):
            prompts = ((filled - offsets) * known).sum(axis=1) / known.sum(axis=1)
            left = ((filled - prompts[:, None]) * cells).sum(axis=0)
            offsets = left / (cells.sum(axis=0) + _MODEL_ROWS)
        return prompts, offsets

    def _ridge(self, inputs: Table, truth: Table, weights: Table) -> tuple[Table, float]:
        """Return the ridge regression of prompts' lengths; outliers count less."""
        width, tasks = inputs.shape[1], len(self.centroids)
        shares: Table = np.ones(width)
        shares[WIDTH : width - tasks - 1] = _FEATURE_SHARE
        shares[width - tasks - 1 : width - 1] = _TASK_SHARE
        centre: Table = np.average(inputs, axis=0, weights=weights)
        level = float(np.average(truth, weights=weights))
        found = _robust((inputs - centre) * shares, truth - level, weights, _RIDGE)
        return found * shares, float(level - centre @ (found * shares))

    def _by_task(self, left: Table, similarity: Floats) -> Table:
        """Return each model's offset on everything and on each task (M, 1 + T)."""
        share = _OFFSET_SHARE
        inputs = np.hstack([np.full((len(similarity), 1), share), similarity]).astype(np.float64)
        found = np.zeros((left.shape[1], inputs.shape[1]))
        for column in np.flatnonzero(np.isfinite(left).any(axis=0)):
            rows = np.isfinite(left[:, column])
            found[column] = _robust(
                inputs[rows],
                left[rows, column],
                np.ones(int(rows.sum())),
                _MODEL_TASK_ROWS,
            )
        found[:, 0] *= share
        return found


def _robust(inputs: Table, truth: Table, weights: Table, penalty: float) -> Table:
    """Return a weighted ridge regression without an intercept, in which outliers count less."""
    found: Table = np.zeros(inputs.shape[1])
    now = weights
    for _ in range(3):
        weighted = inputs * now[:, None]
        square = weighted.T @ inputs + penalty * np.eye(inputs.shape[1])
        found = np.asarray(np.linalg.solve(square, weighted.T @ truth), dtype=np.float64)
        errors = np.abs(truth - inputs @ found)
        now = weights * _LEAST_ERROR / np.maximum(errors, _LEAST_ERROR)
    return found


def _by_set(sets: NDArray[np.str_]) -> Table:
    """Return weights (P,): a set counts by the root of its size, so none rules."""
    _, places, counts = np.unique(sets, return_inverse=True, return_counts=True)
    weights = counts[places] ** -0.5
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _families(models: Sequence[str], offsets: Table) -> Mapping[str, float]:
    of_family = defaultdict(list)
    for model, offset in zip(models, offsets.tolist(), strict=True):
        of_family[family_key(variant(model))].append(offset)
    return {
        name: sum(some) / (len(some) + _FAMILY_MODELS) for name, some in sorted(of_family.items())
    }


def _parted(rows: LengthRows, hiding: NDArray[np.bool_]) -> tuple[Table, Table]:
    """Return visible and hidden tokens (P, M) of each answer, `nan` where not known.

    Where hidden reasoning is counted with the rest, a model shows what plain models wrote.
    """
    visible = rows.tokens.astype(np.float64)
    hidden = np.full(visible.shape, np.nan)
    counted = np.ix_(rows.count_hidden, hiding)
    plain = _plain_lengths(rows.only(rows.count_hidden), hiding)[:, None]
    visible[counted] = np.minimum(visible[counted], plain)
    excess = rows.tokens[counted] - visible[counted]
    hidden[counted] = np.where(excess < _LEAST_HIDDEN, 0.0 * excess, excess)
    visible[~rows.typical] = np.nan
    return visible, hidden


def _plain_lengths(rows: LengthRows, hiding: NDArray[np.bool_]) -> Table:
    """Return how long (P,) models that hide nothing answer.

    It is their lower quartile: some may hide what is not known to be hidden. Where none answered
    it is most of the shortest answer.
    """
    lengths: Table = _SHOWN_SHARE * np.nanmin(rows.tokens, axis=1).astype(np.float64)
    plain = rows.tokens[:, ~hiding]
    told = np.isfinite(plain).any(axis=1)
    lengths[told] = np.nanpercentile(plain[told], 25, axis=1)
    return lengths


def _hiding(rows: LengthRows) -> NDArray[np.bool_]:
    """Return which models (M,) hide reasoning: by name, or by counts far above plain models'."""
    hiding = np.array([reasons(variant(name)) for name in rows.models])
    counted = rows.only(rows.count_hidden)
    for _ in range(2):
        plain = _plain_lengths(counted, hiding)
        least = np.maximum(plain, _LEAST_HIDDEN)[:, None]
        ratios = counted.tokens / least
        for column in np.flatnonzero(np.isfinite(ratios).any(axis=0)):
            hiding[column] |= bool(np.nanpercentile(ratios[:, column], 75) > _HIDES_FROM)
    return hiding
