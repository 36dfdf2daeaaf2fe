"""A scorer small enough to reckon with: two kinds of prompts, two tastes, a dozen models."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import cast

import numpy as np

from rolecall.registry.scorer.artifact import Calibration, Floats, Head
from rolecall.registry.scorer.encode import VIEWS, WIDTH, Encoder
from rolecall.registry.scorer.features import FEATURES
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.strength import FactsPrior, Line

KINDS = ("sums", "poems")
MODELS = tuple(f"trained-{number}" for number in range(12))
_INPUTS = len(VIEWS) * WIDTH + len(FEATURES)
_UNIT = WIDTH**0.5  # how long a unit vector is among the head's inputs


class TinyEncoder:
    """Sees the kind that a prompt begins with, and a little of each prompt by itself."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return (N, V, 384)."""
        return np.stack([self.views_of(self.token_ids(text)) for text in texts])

    def token_ids(self, text: str) -> list[int]:
        """Return the text's bytes."""
        return list(text.encode())

    def views_of(self, ids: Sequence[int]) -> Floats:
        """Return (V, 384)."""
        return np.repeat(self._vector(bytes(ids).decode())[None], len(VIEWS), axis=0)

    def _vector(self, text: str) -> Floats:
        seed = int.from_bytes(sha256(text.encode()).digest()[:4])
        vector = 0.02 * np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
        for place, kind in enumerate(KINDS):
            vector[place] += text.startswith(kind)
        unit: Floats = vector / np.linalg.norm(vector)
        return unit


def tiny_prior() -> FactsPrior:
    """Return a prior of strength by size alone: 10 billion weights are 1 more than 1 billion."""
    return FactsPrior(
        weights=(1.0, 0.0, 0.0, 0.0, 0.0),
        first_years=-2.0,
        newest_years=1.0,
        last_years=2.0,
        drift=0.2,
        spread=0.6,
        mean_size=1.0,
        mean_price=0.0,
        size_spread=0.5,
        price_spread=0.5,
        years_spread=0.5,
        size_from_price=Line(1.0, 0.5, 0.4),
        price_from_size=Line(-0.5, 0.5, 0.4),
    )


def tiny_head(seed: int = 1) -> Head:
    """Return a head whose two signals of success are the two kinds."""
    dice = np.random.default_rng(seed)
    hidden = np.zeros((1, _INPUTS, 2), dtype=np.float32)
    hidden[0, 0, 0] = hidden[0, 1, 1] = 1 / _UNIT
    # The signals: one for either kind, an easiness of 0, one for length, a length of e⁴.
    signal = np.zeros((1, 2, 5), dtype=np.float32)
    signal[0, 0, 0] = signal[0, 1, 1] = signal[0, 1, 3] = 1.0
    bias = np.zeros((1, 1, 5), dtype=np.float32)
    bias[..., 4] = 4.0
    strength = np.linspace(-1, 1, len(MODELS))
    taste = 0.8 * dice.standard_normal(len(MODELS))
    latent = np.stack([taste, -taste], axis=1)[None].astype(np.float32)
    nothing = np.zeros((1, _INPUTS, 0), dtype=np.float32)
    return Head(
        version="tiny-1",
        models=MODELS,
        panel=tuple(range(len(MODELS))),
        tasks=(),
        dim=2,
        token_dim=1,
        memory_temperature=1.0,
        prior=tiny_prior(),
        calibration=Calibration(
            scale=1.0, shift=0.0, local_share=0.0, latent_spread=0.1, token_shift=0.0
        ),
        weights=np.ones(1, dtype=np.float32),
        feature_mean=np.zeros(len(FEATURES), dtype=np.float32),
        feature_scale=np.ones(len(FEATURES), dtype=np.float32),
        phrase_mean=np.zeros(WIDTH, dtype=np.float32),
        phrase_scale=np.ones(WIDTH, dtype=np.float32),
        hidden_weight=hidden,
        hidden_bias=np.zeros((1, 1, 2), dtype=np.float32),
        signal_weight=signal,
        signal_bias=bias,
        task_weight=nothing,
        task_bias=nothing[:, :1],
        task_signals=np.zeros((1, 0, 5), dtype=np.float32),
        latent=latent,
        bias=strength[None].astype(np.float32),
        origin=np.zeros((1, 3), dtype=np.float32),
        slope=np.array([[0, 0, 1]], dtype=np.float32),
        # Their facts misjudge them a little.
        strength=(strength + 0.5 * (-1.0) ** np.arange(len(MODELS))).astype(np.float32),
        asked=np.zeros((0, len(MODELS)), dtype=np.float32),
        token_latent=(0.3 * dice.standard_normal((1, len(MODELS), 1))).astype(np.float32),
        token_bias=(0.3 * dice.standard_normal((1, len(MODELS)))).astype(np.float32),
        axes=np.zeros((2 * WIDTH, 1), dtype=np.float32),
        places=np.zeros((1, 1), dtype=np.float32),
        outcomes=np.full((1, len(MODELS)), np.nan, dtype=np.float32),
    )


def tiny_scorer(seed: int = 1) -> Scorer:
    """Return the tiny head with the tiny encoder."""
    return Scorer(tiny_head(seed), cast(Encoder, TinyEncoder()))
