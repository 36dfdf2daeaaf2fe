"""A scorer small enough to reckon with: two kinds of prompts, two tastes, a dozen models."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

import numpy as np

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Calibration, Floats, Head
from rolecall.registry.scorer.encoder import EMBEDDINGS, WIDTH, Encoder
from rolecall.registry.scorer.features import FEATURES
from rolecall.registry.scorer.knn import Block, Neighbours
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.model import Scorer

KINDS = ("sums", "poems")
MODELS = tuple(f"trained-{number}" for number in range(12))
_INPUTS = len(EMBEDDINGS) * WIDTH + len(FEATURES)


class TinyEncoder:
    """Sees the kind that a prompt begins with, and a little of each prompt by itself."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return (N, 2, 384)."""
        return np.stack([np.repeat(self._vector(text)[None], 2, axis=0) for text in texts])

    def _vector(self, text: str) -> Floats:
        seed = int.from_bytes(sha256(text.encode()).digest()[:4])
        vector = 0.02 * np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
        for place, kind in enumerate(KINDS):
            vector[place] += text.startswith(kind)
        unit: Floats = vector / np.linalg.norm(vector)
        return unit


class TinyPrior:
    """Every stranger is as good as the mean, give or take one."""

    def predict(self, facts: Sequence[ModelFacts]) -> tuple[Any, Any]:
        """Return mean (N, 3) and covariance (N, 3, 3)."""
        covariance = np.diag([0.5, 1.0, 1.0])
        return np.zeros((len(facts), 3)), np.repeat(covariance[None], len(facts), axis=0)

    def basis(self, _facts: ModelFacts) -> str:
        """Return that facts alone speak."""
        return "facts"


class TinyLengths:
    """A hundred tokens from everyone, but for what fits add."""

    def predict(self, *given: Any) -> tuple[Any, Any, Any]:
        """Return visible and hidden tokens, and that the hidden ones are known."""
        facts, offsets = given[-2:]
        visible = [101 * np.exp(offsets.get(one.model, 0.0)) - 1 for one in facts]
        return np.array(visible), np.zeros(len(facts)), np.ones(len(facts), dtype=bool)


def tiny_head(seed: int = 1, *, local_share: float = 0.0) -> Head:
    """Return a head whose two latent numbers weigh the two kinds."""
    dice = np.random.default_rng(seed)
    hidden = np.zeros((_INPUTS, 2), dtype=np.float32)
    hidden[0, 0] = hidden[1, 1] = 1.0
    signal = np.zeros((2, 3), dtype=np.float32)
    signal[0, 0] = signal[1, 1] = 1.0
    strength = np.linspace(-1, 1, len(MODELS))
    taste = 0.8 * dice.standard_normal(len(MODELS))
    scores = dice.integers(0, 251, (2, len(MODELS))).astype(np.uint8)
    places = np.zeros((2, 2), dtype=np.float32)
    places[0, 0] = places[1, 1] = 1.0
    axes = np.zeros((2 * WIDTH, 2), dtype=np.float32)
    axes[0, 0] = axes[1, 1] = axes[WIDTH, 0] = axes[WIDTH + 1, 1] = 0.5**0.5
    return Head(
        version="tiny-1",
        models=MODELS,
        panel=tuple(range(len(MODELS))),
        tasks=("world",),
        calibration=Calibration(
            scale=1.0,
            shift=0.0,
            local_share=local_share,
            local_weight=1.0,
            far=0.1,
            near=0.2,
            spread=0.1,
            far_spread=1.0,
        ),
        prior=cast(MetadataPrior, TinyPrior()),
        neighbours=Neighbours(
            temperature=0.1,
            phrase_mean=np.zeros(WIDTH, dtype=np.float32),
            phrase_scale=np.ones(WIDTH, dtype=np.float32),
            axes=axes,
            places=places,
            blocks=(Block(0, np.arange(len(MODELS)), scores, False),),
            model_count=len(MODELS),
        ),
        input_mean=np.zeros(_INPUTS, dtype=np.float32),
        input_scale=np.ones(_INPUTS, dtype=np.float32),
        hidden_weight=hidden,
        hidden_bias=np.zeros(2, dtype=np.float32),
        signal_weight=signal,
        signal_bias=np.zeros(3, dtype=np.float32),
        task_weight=np.zeros((_INPUTS, 1), dtype=np.float32),
        task_bias=np.zeros(1, dtype=np.float32),
        task_loading=np.zeros((1, 2), dtype=np.float32),
        task_offset=np.zeros(1, dtype=np.float32),
        usual_signals=np.array([[0.5, 0.5, 0.0]], dtype=np.float32),
        latent=np.stack([strength, taste, -taste], axis=1).astype(np.float32),
        latent_covariance=np.diag([0.1, 0.2, 0.2]).astype(np.float32),
        asked=np.full(len(MODELS), 100, dtype=np.float32),
    )


def tiny_scorer(seed: int = 1, *, local_share: float = 0.0) -> Scorer:
    """Return the tiny head with the tiny encoder."""
    head = tiny_head(seed, local_share=local_share)
    return Scorer(head, cast(Encoder, TinyEncoder()), cast(Any, TinyLengths()))
