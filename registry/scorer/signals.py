"""A prompt's views and features become the head's signals."""

from __future__ import annotations

import numpy as np

from rolecall.registry.scorer.artifact import Floats, Head
from rolecall.registry.scorer.encode import PHRASES

_MOST_DEVIATIONS = 4.0


def read_signals(head: Head, views: Floats, features: Floats) -> Floats:
    """Return the signals (E, N, K) of N prompts' views (N, V, 384) and features (N, F)."""
    shared = common_inputs(head, views, features)  # (N, 384 + F)
    inputs = np.stack([join(views[:, view], shared) for view in head.views])  # (E, N, D)
    hidden = np.maximum(inputs @ head.hidden_weight + head.hidden_bias, 0)  # (E, N, H)
    learned = hidden @ head.signal_weight + head.signal_bias  # (E, N, L)
    likeness = _softmax(inputs @ head.task_weight + head.task_bias)  # (E, N, T)
    free = head.dim - len(head.tasks)
    parts = [learned[..., :free], likeness, learned[..., free:-1], likeness, learned[..., -1:]]
    return np.concatenate(parts, axis=-1)


def common_inputs(head: Head, views: Floats, features: Floats) -> Floats:
    """Return what every member reads beside its own view (N, 384 + F), standardised."""
    phrases = standardise(views[:, PHRASES], head.phrase_mean, head.phrase_scale)
    return np.concatenate(
        [phrases, standardise(features, head.feature_mean, head.feature_scale)], axis=1
    )


def join(view: Floats, shared: Floats) -> Floats:
    """Return a member's input rows (N, D): unit vectors on unit scale, then the shared part."""
    unit = view * np.float32(view.shape[1] ** 0.5)
    return np.concatenate([unit, shared], axis=1, dtype=np.float32)


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
