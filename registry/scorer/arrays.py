"""Array types, and arrays with plain values as bytes: a line of JSON, then the arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Table = NDArray[np.float64]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]  # row numbers


def pack_arrays(about: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return plain values and arrays as bytes."""
    shapes = {name: [array.dtype.str, array.shape] for name, array in arrays.items()}
    head = json.dumps({**about, "arrays": shapes}).encode()
    return b"\n".join((head, b"".join(array.tobytes() for array in arrays.values())))


def unpack_arrays(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return what `pack_arrays` packed; raises KeyError, TypeError or ValueError."""
    end = content.find(b"\n")
    about, arrays, start = json.loads(content[:end]), {}, end + 1
    for name, (kind, shape) in about.pop("arrays").items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(content, kind, count, start).reshape(shape)
        start += arrays[name].nbytes
    return about, arrays
