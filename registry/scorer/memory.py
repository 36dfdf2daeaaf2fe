"""What models made of the training prompts most like this one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Floats, Head
from rolecall.registry.scorer.encode import PHRASES, SENTENCE
from rolecall.registry.scorer.signals import Scales, standardise

# How much of a likeness is in how two texts are put, beside what they are about.
_OF_PHRASES = 1.5


def recall(head: Head, views: Floats) -> NDArray[np.float64]:
    """Return the logits (N, M) that the memory gives for N prompts' views (N, V, 384).

    The places are weighed by exp(cosine / temperature), a kernel mean over some places instead of
    every training prompt. A model is `nan` where none of the places knows it.
    """
    if not len(head.places):
        return np.full((len(views), len(head.models)), np.nan)
    cosines = along(both_views(head, views), head.axes) @ head.places.T  # (N, P)
    weights = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / head.memory_temperature)
    known = np.isfinite(head.outcomes)  # (P, M)
    total = weights @ known.astype(np.float32)  # (N, M)
    said = weights @ np.where(known, head.outcomes, 0)
    mean: NDArray[np.float64] = np.full(total.shape, np.nan)
    np.divide(said, total, out=mean, where=total > 0)
    return mean


def both_views(scales: Scales, views: Floats) -> Floats:
    """Return the two views of N prompts (N, V, 384) as one vector each (N, 768)."""
    phrases = standardise(views[:, PHRASES], scales.phrase_mean, scales.phrase_scale)
    return np.concatenate([views[:, SENTENCE], _OF_PHRASES * _unit(phrases)], axis=1)


def along(vectors: Floats, axes: Floats) -> Floats:
    """Return unit vectors (N, A): where vectors (N, 768) lie along the axes (768, A)."""
    return _unit(vectors @ axes)


def _unit(vectors: Floats) -> Floats:
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(size, np.float32(1e-6))
    return unit
