"""A prompt becomes vectors: tokenizer and quantized encoder, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures
from tokenizers import Tokenizer

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.artifact import MODEL_FILE, TOKENIZER_FILE
from rolecall.registry.scorer.canonical import canonical
from rolecall.registry.scorer.features import clip
from rolecall.registry.scorer.typos import mended

WIDTH = 384
# What the graph says of one text, in this order: `sentence`, of unit length, tells what the text is
# about; `phrases`, the mean of a lower layer, tells more of how it is put; `tuned`, of unit length,
# is what the encoder learnt of how models fare.
VIEWS = ("sentence", "phrases", "tuned")
SENTENCE, PHRASES, TUNED = range(3)
HEAD_TOKENS = 160
TAIL_TOKENS = 96

# A token seldom spans more than 20 characters, so that these hold the tokens kept on each side
# while a prompt of megabytes costs no more than a page.
_HEAD_CHARS = 4000
_TAIL_CHARS = 2400

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
    """The encoder of an artifact folder, whose files `load_head` has checked."""

    def __init__(self, folder: Path, version: str) -> None:
        self.version = version
        text = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
        self._tokenizer = Tokenizer.from_str(text)
        self._session = _load_session(folder / MODEL_FILE)

    def encode(self, texts: Sequence[str], *, as_typed: bool = False) -> NDArray[np.float32]:
        """Return the views (N, 3, 384) of N texts, in the order of `VIEWS`.

        A text of more than 256 tokens is read by its beginning and its end. Texts run one at a
        time: dynamic quantization scales by the whole input, so that in a batch a neighbour
        would change a prompt's vector.
        """
        views = np.empty((len(texts), len(VIEWS), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            views[row] = self.views_of(self.token_ids(text, as_typed=as_typed))
        return views

    def views_of(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the views (3, 384) of one text's token ids."""
        tokens = np.array([ids], dtype=np.int64)  # (1, tokens)
        views: NDArray[np.float32] = self._session.run(None, {"input_ids": tokens})[0]
        return views

    def token_ids(self, text: str, *, as_typed: bool = False) -> list[int]:
        """Return the ids that the encoder reads, special tokens included.

        They are of the text's canonical form with slips of the keyboard mended, or of the text
        just `as_typed`.
        """
        clipped = clip(text, _HEAD_CHARS, _TAIL_CHARS)
        seen = clipped if as_typed else canonical(clipped)
        # Half a character pair, as a broken shell argument may hold, is no text to a tokenizer.
        whole = seen.encode("utf-8", "replace").decode("utf-8")
        found = self._tokenizer.encode(whole)
        if not as_typed:
            meant = mended(whole, found.tokens, found.offsets, self._tokenizer.token_to_id)
            if meant != whole:
                found = self._tokenizer.encode(meant)
        ids: list[int] = found.ids
        if len(ids) <= HEAD_TOKENS + TAIL_TOKENS:
            return ids
        return ids[:HEAD_TOKENS] + ids[-TAIL_TOKENS:]


def _load_session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # The stored graph is optimized already; doing it again is most of a cold start.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Packing the weights pays only after some twenty prompts; one command reads one.
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _LOAD_FAILURES as error:
        raise ScorerUnusable(f"the scorer's encoder is unreadable: {path}") from error
