"""Heads learnt anew from judged rows, for the benchmarks that change what is learnt from."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.core.entities import Registry
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.evaluation.plan import EvalPlan, Selection, plans, training_rows
from rolecall.registry.scorer.arrays import Rows, Table
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.card import MODEL_FILE, PRETRAINED, file_digest
from rolecall.registry.scorer.data import read_judged
from rolecall.registry.scorer.encoder import Encoder
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.posterior import expected
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData, load_data
from rolecall.registry.scorer.variants import variant

# Of eight families, as many before 2025 as after; in each set of 2025-26 at least one.
LEFT_OUT = (
    "claude-opus-4-7",
    "deepseek-v3.2",
    "gemini-3.1-flash-lite",
    "gpt-5.4",
    "llama-3.3-70b-instruct",
    "minimax-m2.5",
    "mistral-small-2503",
    "qwen2.5-72b-instruct",
)
FOLD = Settings().report_fold


@dataclass(frozen=True)
class ReportSet:
    """The judged prompts of one data set in the report fold: row and column numbers of the data."""

    name: str
    rows: Rows
    columns: Rows
    groups: tuple[str, ...]
    scores: Table  # (N, M)


def read_arguments(about: str | None) -> tuple[TrainingData, Encoder]:
    """Read the judged rows named on the command line, and the shipped encoder."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("data", type=Path, help="folder of judged rows (*.jsonl, *.jsonl.gz)")
    parser.add_argument(
        "--cache", type=Path, default=Path(".training"), help="where embeddings are kept"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", RuntimeWarning)
    encoder = Encoder(PRETRAINED, file_digest(PRETRAINED / MODEL_FILE)[:16])
    chosen.cache.mkdir(parents=True, exist_ok=True)
    return load_data(read_judged([chosen.data])[0], encoder, Settings(), chosen.cache), encoder


class ReadBefore(Encoder):
    """Gives the embeddings that the data holds of its own prompts."""

    def __init__(self, data: TrainingData) -> None:
        self.version = "read before"
        self._data = data
        self._row = {prompt: row for row, prompt in enumerate(data.judged.prompts)}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings (N, 2, 384) of N prompts of the data."""
        return self._data.embeddings[[self._row[text] for text in texts]]


def report_sets(data: TrainingData) -> tuple[ReportSet, ...]:
    """Return what `scorer eval --fold` evaluates on, set by set."""
    judged = data.judged
    learned = training_rows(judged, None, FOLD)
    planned, _ = plans(judged, learned, Selection(fold=FOLD), (), ({}, Registry(1)))
    number = {key: row for row, key in enumerate(zip(judged.datasets, judged.ids, strict=True))}
    column = {model: place for place, model in enumerate(judged.models)}
    return tuple(_report_set(plan, number, column) for plan in planned)


def _report_set(
    plan: EvalPlan, number: dict[tuple[str, str], int], column: dict[str, int]
) -> ReportSet:
    cases = plan.cases
    return ReportSet(
        name=plan.dataset,
        rows=np.array([number[plan.dataset, one] for one in cases.ids], dtype=np.intp),
        columns=np.array([column[model] for model in cases.models], dtype=np.intp),
        groups=cases.groups,
        scores=cases.scores.astype(np.float64),
    )


def without_models(data: TrainingData, models: Sequence[str]) -> TrainingData:
    """Return the data without these models, in any effort."""
    bases = {variant(model).base for model in models}
    rest = [model for model in data.judged.models if variant(model).base not in bases]
    return replace(data, judged=data.judged.of(rest))


@dataclass(frozen=True)
class Logits:
    """What a head makes of N prompts for M models, each logit up to a variance."""

    means: Table
    variances: Table

    def success(self, offsets: Table | float = 0.0) -> Table:
        """Return the expected success (N, M), all logits of a prompt moved by its offset (N, 1)."""
        return np.clip(expected(self.means + offsets, self.variances), 0.01, 0.99)


def logits_of(
    head: Head, data: TrainingData, encoder: Encoder, rows: Rows, facts: Sequence[ModelFacts]
) -> Logits:
    """Return the logits of models on these rows, as `Scorer.predict` makes them one by one."""
    scorer = Scorer(head, encoder)
    local, signals = scorer.understand(data.embeddings[rows], data.features[rows])
    pool = scorer.pool(tuple(facts))
    trained, loading = pool.rows >= 0, signals.loading
    share = np.where(trained, local.share[:, pool.rows], 0.0)
    unasked = np.where(trained, 1 - local.asked[:, pool.rows], 0.0)
    plain = loading @ pool.latent.T - unasked * (loading @ pool.own.T) + signals.offset[:, None]
    moved = share * (local.logit[:, pool.rows] - plain)
    far = ((1 - local.familiar) * head.calibration.far_spread) ** 2
    own = _variances(loading, pool.covariance) + unasked * _variances(loading, pool.unasked)
    return Logits(plain + moved, own * (1 - share) ** 2 + far[:, None])


def _variances(loading: Table, covariances: Table) -> Table:
    """Return how unsure each model's logit is on each prompt (N, M)."""
    return np.asarray(((loading @ covariances) * loading).sum(axis=-1).T)
