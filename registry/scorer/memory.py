"""What models made of the training prompts most like this one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Floats, Head


def recall(head: Head, tuned: Floats) -> NDArray[np.float64]:
    """Return the logits (N, M) that the memory gives for N tuned vectors (N, 384).

    The places are weighed by exp(cosine / temperature), a kernel mean over a few hundred places
    instead of every training prompt. A model is `nan` where none of the places knows it.
    """
    if not len(head.places):
        return np.full((len(tuned), len(head.models)), np.nan)
    cosines = tuned @ head.places.T  # (N, P)
    weights = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / head.memory_temperature)
    known = np.isfinite(head.outcomes)  # (P, M)
    total = weights @ known.astype(np.float32)  # (N, M)
    said = weights @ np.where(known, head.outcomes, 0)
    mean: NDArray[np.float64] = np.full(total.shape, np.nan)
    np.divide(said, total, out=mean, where=total > 0)
    return mean
