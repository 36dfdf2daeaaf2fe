"""The encoder's views of many prompts, kept between runs."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.encode import VIEWS, WIDTH, Encoder

_log = logging.getLogger(__name__)
_STEP = 100
_PROMPTS_BETWEEN_SAVES = 5000

Views = NDArray[np.float16]


def encode_all(
    encoder: Encoder,
    prompts: Sequence[str],
    cache: Path | None,
    report: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Return (N, V, 384), encoding only what the cache file does not hold, and add to it.

    Prompts are told apart by the tokens that the encoder reads of them. `report` is told how many
    of the new prompts are encoded. Ctrl-C loses no more than a step.
    """
    tokens = [encoder.token_ids(prompt) for prompt in prompts]
    digests = [hashlib.sha256(np.array(ids, dtype="<i8").tobytes()).hexdigest() for ids in tokens]
    known = _load(cache)
    missing = {d: ids for d, ids in zip(digests, tokens, strict=True) if d not in known}
    names, done, kept = list(missing), 0, 0
    # The encoder runs outside the interpreter's lock, a prompt at a time on each core.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for start in range(0, len(names), _STEP):
                part = names[start : start + _STEP]
                views = list(pool.map(lambda name: encoder.views_of(missing[name]), part))
                known.update(zip(part, (one.astype(np.float16) for one in views), strict=True))
                done += len(part)
                if report is not None:
                    report(done, len(names))
                if done - kept >= _PROMPTS_BETWEEN_SAVES and cache is not None:
                    _log.info("encoded %d of %d new prompts", done, len(names))
                    _save(cache, known)
                    kept = done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if done > kept and cache is not None:
                _save(cache, known)
    if not digests:
        return np.empty((0, len(VIEWS), WIDTH), dtype=np.float32)
    return np.stack([known[digest] for digest in digests]).astype(np.float32)


def _load(cache: Path | None) -> dict[str, Views]:
    if cache is None or not cache.is_file():
        return {}
    with np.load(cache) as content:
        return dict(zip(content["digests"].tolist(), content["views"], strict=True))


def _save(cache: Path, known: dict[str, Views]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(f".{os.getpid()}.npz")  # two runs may share a cache
    np.savez(fresh, digests=np.array(list(known)), views=np.stack(list(known.values())))
    fresh.replace(cache)
