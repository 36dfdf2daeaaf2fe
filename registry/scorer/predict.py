"""A prompt and any pool of models become success and expected tokens, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.records import ModelFacts, Prediction
from rolecall.registry.scorer.artifact import Floats, Head, load_head
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.encode import Encoder
from rolecall.registry.scorer.features import measure

LATENT_FLOOR = 0.02
FACTS_FLOOR = 0.04

# Assumptions, named in the card: the data hold no hidden reasoning, so its length is believed.
REASONING_TOKENS = 150.0
REASONING_TOKENS_PER_DIFFICULTY = 900.0

_MOST_TOKENS = 32_000.0
# No prompt may make a stronger model read worse: along strength, success rises at least this
# much of the average.
_LEAST_SLOPE = 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """What the scorer took from one prompt: its vector (384,) and the head's signals (E, K).

    `difficulty` is the share of the artifact's reference models expected to fail, 0–1. That panel
    is fixed at training, so that the figure does not move with anyone's pool.
    """

    vector: Floats
    signals: Floats
    difficulty: float


class Scorer:
    """The trained head with its encoder."""

    def __init__(self, head: Head, encoder: Encoder) -> None:
        self.head = head
        self.encoder = encoder
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

    @property
    def version(self) -> str:
        """The artifact's version: name, date, and digest of settings, beliefs and scores."""
        return self.head.version

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one L2-normalised row (384) per text."""
        return self.encoder.encode(texts)

    def read(self, text: str) -> Reading:
        """Read one prompt, once for any number of models."""
        vector = self.encode([text])[0]
        signals = self.signals(vector[None], measure(text)[None])  # (E, 1, K)
        panel, _ = self._calibrated(self._latent_logits(signals, np.array(self.head.panel)))
        return Reading(vector, signals[:, 0], round(float(1 - panel.mean()), 4))

    def signals(self, vectors: Floats, features: Floats) -> Floats:
        """Return the head's signals (E, N, K) of N prompts' vectors (N, 384) and features."""
        head = self.head
        inputs = join(vectors, features, head.feature_mean, head.feature_scale)  # (N, D)
        hidden = np.maximum(inputs @ head.hidden_weight + head.hidden_bias, 0)  # (E, N, H)
        signals: Floats = hidden @ head.signal_weight + head.signal_bias
        return signals

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Predict for each model in `facts`, in that order.

        A model seen in training (by the last part of its id, whatever the case) is read by its
        latent; any other by its size, date, price and reasoning, with a wider `success_std`.
        """
        if not facts:
            return ()
        rows = self._rows(tuple(one.model for one in facts))
        seen = np.flatnonzero(rows >= 0)
        unseen = np.flatnonzero(rows < 0)
        success, spread = np.empty(len(facts)), np.empty(len(facts))
        tokens = np.empty(len(facts))
        success[seen], spread[seen] = self._by_latent(reading, rows[seen])
        others = [facts[i] for i in unseen.tolist()]
        success[unseen], spread[unseen] = self._by_facts(reading, others)
        tokens[seen], tokens[unseen] = self._tokens(reading, rows[seen])
        reasons = np.array([one.reasoning is True for one in facts])
        tokens = tokens + reasons * self._hidden_tokens(reading)
        return tuple(
            Prediction(
                one.model, round(p, 4), round(std, 4), int(n), "latent" if row >= 0 else "facts"
            )
            for one, p, std, n, row in zip(
                facts,
                success.tolist(),
                spread.tolist(),
                tokens.tolist(),
                rows.tolist(),
                strict=True,
            )
        )

    def latent_success(self, signals: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return success and deviation (N, M) of the trained models on signals (E, N, K)."""
        rows = np.arange(len(self.head.models))
        return self._calibrated(self._latent_logits(signals, rows))

    def facts_logits(
        self, signals: Floats, strength: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return calibrated logits (N, M) of models of these strengths, on signals (E, N, K).

        With them, how they rise with strength (N, 1) and how far the members disagree (N, M).
        """
        head = self.head
        scale, shift = head.calibration.scale, head.calibration.shift
        base = self._along(signals, head.origin) + signals[..., head.dim]  # (E, N)
        slope = self._along(signals, head.slope)  # (E, N)
        apart = scale * (base[..., None] + slope[..., None] * strength).std(axis=0)  # (N, M)
        floor = _LEAST_SLOPE * float(head.slope[:, -1].mean())
        rise = scale * np.maximum(slope.mean(axis=0), floor)[:, None]  # (N, 1)
        return scale * base.mean(axis=0)[:, None] + shift + rise * strength, rise, apart

    def _rows_of(self, models: tuple[str, ...]) -> NDArray[np.intp]:
        """Return each model's row, -1 for one not seen in training."""
        names = (model.rsplit("/", 1)[-1].lower() for model in models)
        return np.array([self._row_of.get(name, -1) for name in names], dtype=np.intp)

    def _by_latent(
        self, reading: Reading, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        success, spread = self._calibrated(self._latent_logits(reading.signals[:, None], rows))
        return success[0], spread[0]

    def _by_facts(
        self, reading: Reading, facts: Sequence[ModelFacts]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        strength, spread = self._strength(tuple(facts))
        logits, rise, apart = self.facts_logits(reading.signals[:, None], strength)
        success, deviation = expected(logits, np.hypot(rise * spread, apart), FACTS_FLOOR)
        return success[0], deviation[0]

    def _latent_logits(self, signals: Floats, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        head = self.head
        latent = head.latent[:, rows].swapaxes(1, 2)  # (E, dim, M)
        logits = signals[..., : head.dim] @ latent + signals[..., head.dim, None]  # (E, N, M)
        return np.asarray(logits + head.bias[:, None, rows], dtype=np.float64)

    def _calibrated(
        self, logits: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scale, shift = self.head.calibration.scale, self.head.calibration.shift
        spread = np.hypot(scale * logits.std(axis=0), self.head.calibration.latent_spread)
        return expected(scale * logits.mean(axis=0) + shift, spread, LATENT_FLOOR)

    def _along(self, signals: Floats, line: Floats) -> NDArray[np.float64]:
        dots = (signals[..., : self.head.dim] * line[:, None, :-1]).sum(axis=-1) + line[:, -1:]
        return np.asarray(dots, dtype=np.float64)  # (E, N)

    def log_tokens(self, signals: Floats) -> NDArray[np.float64]:
        """Return the uncorrected log length (N, M) of the trained models on signals (E, N, K)."""
        head = self.head
        latent = head.token_latent.swapaxes(1, 2)  # (E, token_dim, M)
        lengths = signals[..., head.dim + 1 : -1] @ latent + signals[..., -1:]  # (E, N, M)
        return np.asarray((lengths + head.token_bias[:, None]).mean(axis=0), dtype=np.float64)

    def _tokens(
        self, reading: Reading, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], float]:
        """Return the visible tokens of the models in `rows`, and of any other model."""
        head = self.head
        lengths = self.log_tokens(reading.signals[:, None])[0]  # (M,)
        # A model that was never seen answers as long as the reference models do on average.
        other = float(lengths[list(head.panel)].mean())
        counts = _token_count(np.append(lengths[rows], other) + head.calibration.token_shift)
        return counts[:-1], float(counts[-1])

    def _hidden_tokens(self, reading: Reading) -> float:
        return REASONING_TOKENS + REASONING_TOKENS_PER_DIFFICULTY * reading.difficulty


def join(vectors: Floats, features: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return the head's input rows (N, D): vectors on unit scale beside standardised features."""
    standard = np.clip((features - mean) / scale, -4, 4)
    unit = vectors * np.float32(vectors.shape[1] ** 0.5)
    return np.concatenate([unit, standard], axis=1, dtype=np.float32)


def expected(
    logits: NDArray[np.float64], spread: NDArray[np.float64], floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of a success whose logit is normal with the given spread."""
    shrunk = logits / np.sqrt(1 + pi / 8 * spread**2)
    success = 1 / (1 + np.exp(-np.clip(shrunk, -30, 30)))
    return success, np.maximum(success * (1 - success) * spread, floor)


def _token_count(logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.round(np.exp(np.minimum(logarithm, 12.0))), 1, _MOST_TOKENS)
