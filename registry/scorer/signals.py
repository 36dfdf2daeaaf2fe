"""A prompt's views and features become the head's signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Floats, Head
from rolecall.registry.scorer.encode import PHRASES, SENTENCE, TUNED, VIEWS, WIDTH

_MOST_DEVIATIONS = 4.0
# Vectors of unit length are read as if each of their numbers strayed by one.
UNIT_SCALE = WIDTH**0.5


class Scales(Protocol):
    """What is usual, and how far prompts stray from it, of the lower view and the features."""

    @property
    def phrase_mean(self) -> Floats:
        """The mean of the lower view (384,)."""
        ...

    @property
    def phrase_scale(self) -> Floats:
        """How far the lower view strays (384,)."""
        ...

    @property
    def feature_mean(self) -> Floats:
        """The mean of the features (F,)."""
        ...

    @property
    def feature_scale(self) -> Floats:
        """How far the features stray (F,)."""
        ...


def read_signals(head: Head, views: Floats, features: Floats) -> Floats:
    """Return the signals (E, N, K) of N prompts' views (N, V, 384) and features (N, F)."""
    inputs = read_inputs(head, views, features)  # (N, D)
    hidden = np.maximum(inputs @ head.hidden_weight + head.hidden_bias, 0)  # (E, N, H)
    learned = hidden @ head.signal_weight + head.signal_bias  # (E, N, L)
    likeness = _softmax(inputs @ head.task_weight + head.task_bias)  # (E, N, T)
    free = head.dim - len(head.tasks)
    parts = [learned[..., :free], likeness, learned[..., free:-1], likeness, learned[..., -1:]]
    return np.concatenate(parts, axis=-1)


def likeness(head: Head, signals: Floats) -> NDArray[np.float64]:
    """Return how like each training task N prompts are, (N, T), from signals (E, N, K)."""
    by_member = signals[..., head.dim - len(head.tasks) : head.dim].astype(np.float64)
    shares: NDArray[np.float64] = np.tensordot(head.weights.astype(np.float64), by_member, axes=1)
    return shares


def read_inputs(scales: Scales, views: Floats, features: Floats) -> Floats:
    """Return what the members read of N prompts (N, D): the views and the features, to scale."""
    parts = (
        views[:, SENTENCE] * np.float32(UNIT_SCALE),
        standardise(views[:, PHRASES], scales.phrase_mean, scales.phrase_scale),
        views[:, TUNED] * np.float32(UNIT_SCALE),
        standardise(features, scales.feature_mean, scales.feature_scale),
    )
    return np.concatenate(parts, axis=1, dtype=np.float32)


def columns(views: Sequence[int], features: int) -> NDArray[np.intp]:
    """Return which columns of `read_inputs` hold these views and all of the features."""
    blocks = [np.arange(view * WIDTH, (view + 1) * WIDTH) for view in views]
    return np.concatenate([*blocks, len(VIEWS) * WIDTH + np.arange(features)])


def standardise(values: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return values as deviations from the training mean, none beyond four."""
    standard: Floats = np.clip((values - mean) / scale, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    return standard


def _softmax(logits: Floats) -> Floats:
    if not logits.shape[-1]:
        return logits
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares
