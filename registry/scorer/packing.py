"""Readings and fits as bytes, so that they need not be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.model import Reading
from rolecall.registry.scorer.onboarding import Fit, Fits
from rolecall.registry.scorer.world import World

_ARRAYS = ("loading", "usual_loading", "features")
_HALVES = ("vector",)
_NUMBERS = (
    "offset",
    "usual_offset",
    "task",
    "likeness",
    "familiar",
    "spread",
    "difficulty",
)


def pack_reading(reading: Reading) -> bytes:
    """Return a reading as bytes, without its text; what no neighbour tells takes no room."""
    known = np.flatnonzero(np.isfinite(reading.local))
    arrays = {name: np.asarray(getattr(reading, name), dtype="<f4") for name in _ARRAYS}
    arrays |= {name: np.asarray(getattr(reading, name), dtype="<f2") for name in _HALVES}
    arrays |= {
        "known": known.astype("<u2"),
        "local": reading.local[known].astype("<f4"),
        "local_share": reading.local_share[known].astype("<f4"),
    }
    numbers = {name: getattr(reading, name) for name in _NUMBERS}
    return _packed({"numbers": numbers, "models": len(reading.local)}, arrays)


def unpack_reading(content: bytes, text: str) -> Reading:
    """Return the reading that `pack_reading` packed; raises KeyError, TypeError or ValueError."""
    about, arrays = _unpacked(content)
    local, share = np.full(about["models"], np.nan), np.zeros(about["models"])
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
    return _packed(about, arrays)


def unpack_fits(content: bytes) -> Fits:
    """Return the fits that `pack_fits` packed; raises KeyError, TypeError or ValueError."""
    about, arrays = _unpacked(content)
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


def _packed(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    shapes = {name: [array.dtype.str, array.shape] for name, array in arrays.items()}
    head = json.dumps({**about, "arrays": shapes}).encode()
    return b"\n".join((head, b"".join(array.tobytes() for array in arrays.values())))


def _unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    head, _, body = content.partition(b"\n")
    about, arrays, start = json.loads(head), {}, 0
    for name, (kind, shape) in about["arrays"].items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(body, kind, count, start).reshape(shape)
        start += arrays[name].nbytes
    return about, arrays
