"""A prompt becomes vectors: tokenizer and quantized encoder, run by onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures
from tokenizers import Tokenizer

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.card import MODEL_FILE, PRETRAINED, TOKENIZER_FILE, file_digest
from rolecall.registry.scorer.text import clip, instruction_within

WIDTH = 384
# The graph's outputs for one text, in this order: `sentence`, of unit length, represents what the
# text is about; `phrases`, the mean of a lower layer, more of its wording.
EMBEDDINGS = ("sentence", "phrases")
SENTENCE, PHRASES = range(2)
Session: TypeAlias = ort.InferenceSession
MOST_TOKENS = 256
_HEAD_TOKENS, _INSTRUCTION_TOKENS = 160, 48
_KEY_DIGITS = 16

_LOAD_FAILURES = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)


class Encoder:
    """The encoder of an artifact folder, whose files `load_head` has checked.

    `session` is that folder's where it was loaded before.
    """

    def __init__(self, folder: Path, version: str, session: Session | None = None) -> None:
        self.version = version
        text = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
        self._tokenizer = Tokenizer.from_str(text)
        self._session = session or load_session(folder)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings (N, 2, 384) of N texts, in the order of `EMBEDDINGS`.

        A text of more than 256 tokens is read by its beginning, its end, and the last line between
        them that asks for something. Texts run one at a time: dynamic quantization scales by the
        whole input, so that in a batch a neighbour would change a prompt's vector.
        """
        found = np.empty((len(texts), len(EMBEDDINGS), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            tokens = np.array([self.token_ids(text)], dtype=np.int64)  # (1, tokens)
            found[row] = self._session.run(None, {"input_ids": tokens})[0]
        return found

    def token_ids(self, text: str) -> list[int]:
        """Return the ids that the encoder reads, special tokens included."""
        ids = self._ids(clip(text))
        if len(ids) <= MOST_TOKENS:
            return ids
        asked = instruction_within(text, _HEAD_TOKENS, len(text) - MOST_TOKENS)
        middle = self._ids(asked)[1:-1][:_INSTRUCTION_TOKENS] if asked else []
        return ids[:_HEAD_TOKENS] + middle + ids[_HEAD_TOKENS + len(middle) - MOST_TOKENS :]

    def _ids(self, text: str) -> list[int]:
        # Half a character pair, as a broken shell argument may hold, is no text to a tokenizer.
        ids: list[int] = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8")).ids
        return ids


def load_session(folder: Path) -> Session:
    """Return the encoder's graph in an artifact folder, ready to run; raises `ScorerUnusable`."""
    path = folder / MODEL_FILE
    options = ort.SessionOptions()
    # The stored graph is optimized already; doing it again is most of a cold start.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Packing the weights pays only after some twenty prompts; one command reads one.
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return Session(str(path), options, providers=["CPUExecutionProvider"])
    except _LOAD_FAILURES as error:
        message = f"the scorer's encoder is unreadable: {path}"
        raise ScorerUnusable(message, hint="reinstall rolecall") from error


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
