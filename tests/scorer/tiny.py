"""A scorer small enough to reckon with: two kinds of prompts, two tastes, a dozen models."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import cast

import numpy as np

from rolecall.registry.scorer.artifact import Calibration, Floats, Head
from rolecall.registry.scorer.encoder import EMBEDDINGS, WIDTH, Encoder
from rolecall.registry.scorer.features import FEATURES
from rolecall.registry.scorer.knn import Neighbours
from rolecall.registry.scorer.length import NO_LENGTHS
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.training.prior import fit_prior
from rolecall.registry.predictions import ModelFacts

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
