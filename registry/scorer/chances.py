"""A success whose logit is known up to a variance."""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

# The least deviation of a success: of a model with scores of its own, and by facts alone.
LATENT_FLOOR = 0.02
FACTS_FLOOR = 0.04


def expected(logits: Table, variance: Table | float) -> Table:
    """Return the mean success where a logit is normal with this variance.

    It is nearly the logistic of `logit / √(1 + π·variance/8)` (MacKay, "The evidence framework
    applied to classification networks", 1992).
    """
    return logistic(logits / np.sqrt(1 + pi / 8 * variance))


def logistic(logits: Table) -> Table:
    """Return the probabilities that these logits are."""
    success: Table = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return success
