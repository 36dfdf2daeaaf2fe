"""The encoder's vectors of many prompts, kept between runs."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.encode import WIDTH, Encoder

_log = logging.getLogger(__name__)
_STEP = 1000


def encode_all(encoder: Encoder, prompts: Sequence[str], cache: Path | None) -> NDArray[np.float32]:
    """Return (N, 384), encoding only what the cache file does not hold, and add to it."""
    digests = [hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest() for prompt in prompts]
    known = _load(cache)
    missing = {d: p for d, p in zip(digests, prompts, strict=True) if d not in known}
    names = list(missing)
    for start in range(0, len(names), _STEP):
        part = names[start : start + _STEP]
        known.update(zip(part, encoder.encode([missing[name] for name in part]), strict=True))
        _log.info("encoded %d of %d new prompts", start + len(part), len(names))
    if missing and cache is not None:
        _save(cache, known)
    if not digests:
        return np.empty((0, WIDTH), dtype=np.float32)
    return np.stack([known[digest] for digest in digests])


def _load(cache: Path | None) -> dict[str, NDArray[np.float32]]:
    if cache is None or not cache.is_file():
        return {}
    with np.load(cache) as content:
        return dict(zip(content["digests"].tolist(), content["vectors"], strict=True))


def _save(cache: Path, known: dict[str, NDArray[np.float32]]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, digests=np.array(list(known)), vectors=np.stack(list(known.values())))
