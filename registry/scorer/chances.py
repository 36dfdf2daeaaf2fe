"""A success whose logit is known up to a spread."""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

# The least deviation of a success: of a model with scores of its own, and by facts alone.
LATENT_FLOOR = 0.02
FACTS_FLOOR = 0.04


def expected(logits: Table, spread: Table, floor: float) -> tuple[Table, Table]:
    """Return mean and deviation of a success whose logit is normal with the given spread.

    The mean of a logistic of a normal is nearly the logistic of `logit / √(1 + π·spread²/8)`
    (MacKay, "The evidence framework applied to classification networks", 1992).
    """
    shrunk = logits / np.sqrt(1 + pi / 8 * spread**2)
    success = 1 / (1 + np.exp(-np.clip(shrunk, -30, 30)))
    return success, np.maximum(success * (1 - success) * spread, floor)
