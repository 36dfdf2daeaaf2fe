"""Which prompts a scorer has learned from, as a sorted set of 64-bit hashes in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import numpy as np

from rolecall.registry.scorer.card import PRETRAINED

SEEN_FILE = "seen.bin"
_KEYS = np.dtype("<u8")


def prompt_key(text: str) -> int:
    """Return the first 8 bytes of the SHA-256 of a prompt, blanks around it left out."""
    return int.from_bytes(sha256(text.strip().encode("utf-8", "surrogatepass")).digest()[:8])


def write_seen(folder: Path, keys: Iterable[int]) -> None:
    """Write the keys of the prompts that a scorer learned from into its folder."""
    (folder / SEEN_FILE).write_bytes(np.array(sorted(set(keys)), dtype=_KEYS).tobytes())


def load_seen(folder: Path | None = None) -> frozenset[int]:
    """Return the keys in a scorer's folder, by default the shipped one's; none if it has none."""
    path = (folder or PRETRAINED) / SEEN_FILE
    if not path.is_file():
        return frozenset()
    return frozenset(np.frombuffer(path.read_bytes(), dtype=_KEYS).tolist())
