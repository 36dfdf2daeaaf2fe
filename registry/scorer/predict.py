"""A prompt and any pool of models become success and expected tokens, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import Basis, ModelFacts, Prediction, SuccessParts
from rolecall.registry.scorer.artifact import Floats, Head, load_head
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.chances import FACTS_FLOOR, LATENT_FLOOR, expected
from rolecall.registry.scorer.encode import SENTENCE, Encoder
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.fitted import FittedLatents, short_name
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.signals import likeness, read_signals

# Assumptions, named in the card: the data hold no hidden reasoning, so its length is believed.
REASONING_TOKENS = 150.0
REASONING_TOKENS_PER_DIFFICULTY = 900.0

_MOST_TOKENS = 32_000.0
# No prompt may make a stronger model read worse: along strength, success rises at least this
# much of the average.
_LEAST_SLOPE = 0.1

Table = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the scorer took from one prompt, once for any number of models.

    `vector` (384,) is the sentence vector, `signals` (E, K) are the head's, `local` (M,) is what
    the memory says of the trained models. `task` is the training task that the prompt is most
    like, -1 where there is none, and `likeness` how much, 0–1.
    `difficulty` is the share of the artifact's reference models expected to fail, 0–1. That panel
    is fixed at training, so that the figure does not move with anyone's pool.
    """

    vector: Floats
    signals: Floats
    local: Table
    task: int
    likeness: float
    difficulty: float


class Scorer:
    """The trained head with its encoder."""

    def __init__(self, head: Head, encoder: Encoder, fitted: FittedLatents | None = None) -> None:
        self.head = head
        self.encoder = encoder
        self.fitted = fitted
        self._row_of = {model: row for row, model in enumerate(head.models)}
        # The same pool is asked about prompt after prompt.
        self._strength = lru_cache(maxsize=8)(head.prior.strength)
        self._rows = lru_cache(maxsize=8)(self._rows_of)

    @classmethod
    def load(cls, folder: Path | None = None) -> Scorer:
        """Load an artifact folder, by default the shipped one; raises `ScorerUnusable`."""
        folder = folder or PRETRAINED
        head = load_head(folder)
        return cls(head, Encoder(folder, head.version))

    def with_fitted(self, fitted: FittedLatents) -> Self:
        """Return a scorer like this one that reads these models by what was fitted for them."""
        other = copy(self)
        other.fitted = fitted
        return other

    @property
    def version(self) -> str:
        """The artifact's version: name, date, and digest of settings, beliefs and scores."""
        return self.head.version

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one L2-normalised sentence vector (384) per text."""
        return self.encoder.encode(texts)[:, SENTENCE]

    def read(self, text: str) -> Reading:
        """Read one prompt, once for any number of models."""
        views = self._views(text)  # (1, V, 384)
        signals = self.signals(views, self._features(text)[None])  # (E, 1, K)
        local = recall(self.head, views)  # (1, M)
        panel, _ = self.trained_success(signals, local, np.array(self.head.panel))
        like = likeness(self.head, signals)[0]
        task = int(like.argmax()) if len(like) else -1
        return Reading(
            vector=views[0, SENTENCE],
            signals=signals[:, 0],
            local=local[0],
            task=task,
            likeness=round(float(like[task]), 4) if task >= 0 else 0.0,
            difficulty=round(float(1 - panel.mean()), 4),
        )

    def _views(self, text: str) -> Floats:
        return self.encoder.encode([text])

    def _features(self, text: str) -> Floats:
        return measure(text)

    def signals(self, views: Floats, features: Floats) -> Floats:
        """Return the head's signals (E, N, K) of N prompts' views (N, V, 384) and features."""
        return read_signals(self.head, views, features)

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Predict for each model in `facts`, in that order.

        A model is read by what was fitted for it (`scorer fit`), else by its latent if it was
        seen in training (by the last part of its id, whatever the case), else by its size, date,
        price and reasoning, with a wider `success_std`.
        """
        if not facts:
            return ()
        rows = self._rows(tuple((one.model, one.base or one.model) for one in facts))
        # As it is, without the memory, and as the average prompt of the task it is most like.
        signals = reading.signals[:, None]
        nowhere = np.full((1, len(self.head.models)), np.nan)
        whole, spread = self._success(signals, reading.local[None], facts, rows)
        plain, _ = self._success(signals, nowhere, facts, rows)
        average = plain
        if reading.task >= 0:
            usual = self.head.task_signals[:, reading.task, None]
            average, _ = self._success(usual, nowhere, facts, rows)
        tokens = self._tokens(signals, facts, rows)
        tokens += self._hidden_tokens(reading) * np.array([one.reasoning is True for one in facts])
        # Rounded all at once, and plain numbers from here on.
        figures = zip(
            *(table.round(4).tolist() for table in (whole, spread)),
            tokens.astype(int).tolist(),
            map(self._basis, (one.model for one in facts), rows.tolist()),
            self._parts(reading, average, plain, whole),
            strict=True,
        )
        return tuple(
            Prediction(one.model, *figure) for one, figure in zip(facts, figures, strict=True)
        )

    def _success(
        self, signals: Floats, local: Table, facts: Sequence[ModelFacts], rows: Rows
    ) -> tuple[Table, Table]:
        """Return each model's success and deviation (len(facts),) on one prompt's signals."""
        success, spread = np.empty(len(facts)), np.empty(len(facts))
        is_fitted = np.array([self._is_fitted(one.model) for one in facts])
        seen = np.flatnonzero((rows >= 0) & ~is_fitted)
        others = np.flatnonzero((rows < 0) & ~is_fitted)
        for i in np.flatnonzero(is_fitted).tolist():
            assert self.fitted is not None
            found, apart = self.fitted.success(facts[i].model, signals, local)
            success[i], spread[i] = found[0], max(apart[0], LATENT_FLOOR)
        if len(seen):
            by_latent = self.trained_success(signals, local, rows[seen])
            success[seen], spread[seen] = by_latent[0][0], by_latent[1][0]
        if len(others):
            strange = tuple(facts[i] for i in others.tolist())
            success[others], spread[others] = self._by_facts(signals, strange)
        return success, spread

    def _basis(self, model: str, row: int) -> Basis:
        if self._is_fitted(model):
            return "fitted"
        return "latent" if row >= 0 else "facts"

    def _is_fitted(self, model: str) -> bool:
        return self.fitted is not None and model in self.fitted

    def _parts(
        self, reading: Reading, average: Table, plain: Table, whole: Table
    ) -> list[SuccessParts | None]:
        """Return what each success rests on: the average, then the prompt, then the memory."""
        if reading.task < 0:
            return [None] * len(whole)
        task, likeness = self.head.tasks[reading.task], reading.likeness
        average, plain, whole = (step.round(4) for step in (average, plain, whole))
        steps = ((plain - average).round(4), (whole - plain).round(4))
        columns = (average.tolist(), *(step.tolist() for step in steps))
        return [SuccessParts(task, likeness, *parts) for parts in zip(*columns, strict=True)]

    def trained_success(self, signals: Floats, local: Table, rows: Rows) -> tuple[Table, Table]:
        """Return success and deviation (N, R) of trained models (R rows of the head's).

        `signals` (E, N, K) and what the memory says, `local` (N, M), are of N prompts.
        """
        calibration = self.head.calibration
        logits = self.latent_logits(signals, rows)  # (E, N, R)
        mean = self._mean(logits)
        share = np.where(np.isfinite(local[:, rows]), calibration.local_share, 0.0)
        blended = mean + share * (np.nan_to_num(local[:, rows]) - mean)
        spread = np.hypot(calibration.scale * logits.std(axis=0), calibration.latent_spread)
        return expected(calibration.scale * blended + calibration.shift, spread, LATENT_FLOOR)

    def facts_logits(self, signals: Floats, strength: Table) -> tuple[Table, Table, Table]:
        """Return calibrated logits (N, M) of models of these strengths, on signals (E, N, K).

        With them, how they rise with strength (N, 1) and how far the members disagree (N, M).
        """
        head = self.head
        scale, shift = head.calibration.scale, head.calibration.shift
        base = self._along(signals, head.origin) + signals[..., head.dim]  # (E, N)
        slope = self._along(signals, head.slope)  # (E, N)
        apart = scale * (base[..., None] + slope[..., None] * strength).std(axis=0)  # (N, M)
        floor = _LEAST_SLOPE * float(head.weights @ head.slope[:, -1])
        rise = scale * np.maximum(self._mean(slope), floor)[:, None]  # (N, 1)
        return scale * self._mean(base)[:, None] + shift + rise * strength, rise, apart

    def latent_logits(self, signals: Floats, rows: Rows) -> Table:
        """Return what each member says, (E, N, R), before the memory and the calibration."""
        head = self.head
        latent = head.latent[:, rows].swapaxes(1, 2)  # (E, dim, R)
        logits = signals[..., : head.dim] @ latent + signals[..., head.dim, None]
        return np.asarray(logits + head.bias[:, None, rows], dtype=np.float64)

    def log_tokens(self, signals: Floats) -> Table:
        """Return the uncorrected log length (N, M) of the trained models on signals (E, N, K)."""
        head = self.head
        latent = head.token_latent.swapaxes(1, 2)  # (E, token_dim, M)
        lengths = signals[..., head.dim + 1 : -1] @ latent + signals[..., -1:]  # (E, N, M)
        return self._mean(np.asarray(lengths + head.token_bias[:, None], dtype=np.float64))

    def _mean(self, by_member: Table) -> Table:
        mean: Table = np.tensordot(self.head.weights.astype(np.float64), by_member, axes=1)
        return mean

    def _rows_of(self, models: tuple[tuple[str, str], ...]) -> Rows:
        """Return each variant's row, else its base's, -1 where neither was seen in training."""
        rows = [[self._row_of.get(short_name(name), -1) for name in pair] for pair in models]
        return np.array([own if own >= 0 else base for own, base in rows], dtype=np.intp)

    def _by_facts(self, signals: Floats, facts: tuple[ModelFacts, ...]) -> tuple[Table, Table]:
        strength, spread = self._strength(facts)
        logits, rise, apart = self.facts_logits(signals, strength)
        success, deviation = expected(logits, np.hypot(rise * spread, apart), FACTS_FLOOR)
        return success[0], deviation[0]

    def _along(self, signals: Floats, line: Floats) -> Table:
        dots = (signals[..., : self.head.dim] * line[:, None, :-1]).sum(axis=-1) + line[:, -1:]
        return np.asarray(dots, dtype=np.float64)  # (E, N)

    def _tokens(self, signals: Floats, facts: Sequence[ModelFacts], rows: Rows) -> Table:
        """Return each model's visible tokens (len(facts),) on one prompt's signals."""
        lengths = self.log_tokens(signals)[0]  # (M,)
        # A model that was never seen answers as long as the reference models do on average.
        other = float(lengths[list(self.head.panel)].mean())
        found = np.where(rows >= 0, lengths[rows], other)
        for i, one in enumerate(facts):
            if self.fitted is not None and one.model in self.fitted:
                own = self.fitted.log_tokens(one.model, signals)
                found[i] = found[i] if own is None else own[0]
        return _token_count(found + self.head.calibration.token_shift)

    def _hidden_tokens(self, reading: Reading) -> float:
        return REASONING_TOKENS + REASONING_TOKENS_PER_DIFFICULTY * reading.difficulty


def _token_count(logarithm: Table) -> Table:
    """Return how many tokens the logarithms of 1 + tokens are."""
    return np.clip(np.round(np.expm1(np.minimum(logarithm, 12.0))), 1, _MOST_TOKENS)
