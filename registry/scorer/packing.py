"""Readings and fits as bytes, so that they need not be made again."""

from __future__ import annotations

import numpy as np

from rolecall.registry.scorer.arrays import pack_arrays, unpack_arrays
from rolecall.registry.scorer.model import Reading
from rolecall.registry.scorer.onboarding import Fit, Fits, World

_ARRAYS = ("loading", "usual_loading", "features")
_HALVES = ("vector",)
_NUMBERS = (
    "offset",
    "usual_offset",
    "task",
    "task_probability",
    "familiar",
    "spread",
    "difficulty",
)


def pack_reading(reading: Reading) -> bytes:
    """Return a reading as bytes, without its text; models without neighbours take no room."""
    known = np.flatnonzero(reading.local_share)
    arrays = {name: np.asarray(getattr(reading, name), dtype="<f4") for name in _ARRAYS}
    arrays |= {name: np.asarray(getattr(reading, name), dtype="<f2") for name in _HALVES}
    arrays |= {
        "known": known.astype("<u2"),
        "local": reading.local[known].astype("<f4"),
        "local_share": reading.local_share[known].astype("<f4"),
        "asked": reading.asked.astype("<f2"),
    }
    numbers = {name: getattr(reading, name) for name in _NUMBERS}
    return pack_arrays({"numbers": numbers, "models": len(reading.local)}, arrays)


def unpack_reading(content: bytes, text: str) -> Reading:
    """Return the reading that `pack_reading` packed; raises KeyError, TypeError or ValueError."""
    about, arrays = unpack_arrays(content)
    local, share = np.zeros(about["models"]), np.zeros(about["models"])
    local[arrays["known"]] = arrays["local"]
    share[arrays["known"]] = arrays["local_share"]
    return Reading(
        text=text,
        vector=arrays["vector"].astype(np.float32),
        loading=arrays["loading"].astype(np.float64),
        usual_loading=arrays["usual_loading"].astype(np.float64),
        features=arrays["features"].astype(np.float32),
        local=local,
        local_share=share,
        asked=arrays["asked"].astype(np.float64),
        **about["numbers"],
    )


def pack_fits(fits: Fits) -> bytes:
    """Return fits as bytes."""
    models = list(fits.by_model.values())
    about = {"models": [[one.model, one.log_tokens, one.rows] for one in models]}
    arrays = {}
    if fits.world is not None:
        arrays["world"] = fits.world.weights.astype("<f4")
        arrays["vectors"] = fits.world.vectors.astype("<f2")
    if models:
        arrays["mean"] = np.stack([one.mean for one in models]).astype("<f4")
        arrays["covariance"] = np.stack([one.covariance for one in models]).astype("<f4")
    return pack_arrays(about, arrays)


def unpack_fits(content: bytes) -> Fits:
    """Return the fits that `pack_fits` packed; raises KeyError, TypeError or ValueError."""
    about, arrays = unpack_arrays(content)
    world = None
    if "world" in arrays:
        world = World(arrays["vectors"].astype(np.float64), arrays["world"].astype(np.float64))
    fits = [
        Fit(
            model,
            arrays["mean"][row].astype(np.float64),
            arrays["covariance"][row].astype(np.float64),
            log_tokens,
            rows,
        )
        for row, (model, log_tokens, rows) in enumerate(about["models"])
    ]
    return Fits({one.model: one for one in fits}, world)
