"""An encoder that reads each text once, and keeps what it read in a folder if there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.card import MODEL_FILE, PRETRAINED, file_digest
from rolecall.registry.scorer.encoder import EMBEDDINGS, WIDTH, Encoder

_KEY_DIGITS = 16


class KeptEmbeddings(Encoder):
    """An encoder with a memory; `save` writes it to `path`, where the next one finds it."""

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        self.version = encoder.version
        self._encoder, self._path, self._fresh = encoder, path, False
        self._known: dict[str, Floats] = {}
        if path is not None and path.exists():
            with np.load(path) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["embeddings"], strict=True))

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return the embeddings (N, 2, 384) of N texts, read now or before."""
        found = np.empty((len(texts), len(EMBEDDINGS), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_KEY_DIGITS]
            if key not in self._known:
                self._known[key] = self._encoder.encode([text])[0]
                self._fresh = True
            found[row] = self._known[key]
        return found

    def save(self) -> None:
        """Write what is known to the file, if there is one and something is new."""
        if self._path is None or not self._fresh:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new.npz")
        np.savez(
            fresh, keys=np.array(list(self._known)), embeddings=np.stack(list(self._known.values()))
        )
        fresh.replace(self._path)
        self._fresh = False


def embeddings_file(folder: Path, artifact: Path = PRETRAINED) -> Path:
    """Return the file in `folder` that holds embeddings by the encoder of an artifact folder."""
    return folder / f"embeddings-{file_digest(artifact / MODEL_FILE)[:16]}.npz"
