"""The kind of work a prompt asks for, by a linear classifier of its wording, vector and cues."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.task_cues import CUES, task_cues

TASK_FILE = "tasks.bin"
WIDTH = 384
BITS = 15
BUCKETS = 1 << BITS

Buckets = NDArray[np.intp]

# The instruction stands at the beginning or at the end; what is between is mostly pasted.
_EDGE_CHARS = 140
_LONGEST_GRAM = 5
_WORD = re.compile(r"\w+")
_CLAUSE_END = re.compile(r"[:.?!]\s+|[。：？！]|\n")
_MOST_WORDS = 60
_PRIME = np.uint64(1_000_003)
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class TaskGuess:
    """The likeliest kind, its calibrated probability, that of `general`, and the cues seen."""

    kind: str
    confidence: float
    general: float
    cues: tuple[str, ...]


class TaskClassifier:
    """Softmax over (vector, cues, hashed n-grams of both edges) with calibrated probabilities.

    Where no kind reaches `least` probability, a caller does better to say `general`. A kind below
    another (`code.edit`) is returned only where it is itself likelier than not.
    """

    def __init__(
        self, kinds: Sequence[str], dense: Floats, hashed: Floats, *, scale: float, least: float
    ) -> None:
        self.kinds = tuple(kinds)
        self.least = least
        self._dense = dense  # (WIDTH + cues + 1, kinds)
        self._hashed = hashed  # (BUCKETS, kinds)
        self._scale = scale
        parents = [kind.split(".")[0] for kind in kinds]
        self.parents = tuple(dict.fromkeys(parents))
        self._member = np.array([[one == parent for parent in self.parents] for one in parents])

    def probabilities(self, text: str, vector: Floats, cues: Sequence[str]) -> Floats:
        """Return the calibrated probability of each of `kinds`."""
        buckets, weights = hashed_features(text)
        logits = dense_features(vector, cues) @ self._dense
        logits = (logits + weights @ self._hashed[buckets].astype(np.float32)) * self._scale
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum(), dtype=np.float32)

    def classify(self, text: str, vector: Floats, files: Sequence[str] = ()) -> TaskGuess:
        """Return the likeliest kind of one prompt; `files` are names it was read from."""
        cues = task_cues(text, files)
        shares = self.probabilities(text, vector, cues)
        families = shares @ self._member
        best = int(families.argmax())
        kind, confidence = self.parents[best], float(families[best])
        inner = int((shares * self._member[:, best]).argmax())
        if shares[inner] > 0.5:
            kind, confidence = self.kinds[inner], float(shares[inner])
        general = float(families[self.parents.index("general")])
        return TaskGuess(kind, round(confidence, 4), round(general, 4), cues)


def dense_features(vector: Floats, cues: Sequence[str]) -> Floats:
    """Return the sentence vector, each cue as 0 or 1, and a constant."""
    shown = [float(cue in cues) for cue in CUES]
    return np.concatenate([vector, np.array([*shown, 1.0], dtype=np.float32)])


def hashed_features(text: str) -> tuple[Buckets, Floats]:
    """Return the buckets of the n-grams and words at a text's edges, and what each weighs.

    N-grams, words and the words of the first and last clause weigh as much as each other, at
    each edge: so a short instruction does not drown in the text that is pasted beside it.
    """
    opening, closing = _edges(text)
    blocks = [_grams(f" {edge} ") for edge in dict.fromkeys((opening, closing))]
    first, last = _CLAUSE_END.split(opening, maxsplit=1)[0], _CLAUSE_END.split(closing)[-1]
    for mark, edge in dict.fromkeys((("w", opening), ("w", closing), ("c", first), ("c", last))):
        blocks.append(_words(mark, edge))
    weights = [np.full(len(one), max(len(one), 1) ** -0.5, dtype=np.float32) for one in blocks]
    return np.concatenate(blocks), np.concatenate(weights)


def shared_wording(one: str, other: str) -> float:
    """Return which part of the n-grams of two texts' edges both have, 0–1."""
    first, second = set(hashed_features(one)[0].tolist()), set(hashed_features(other)[0].tolist())
    return len(first & second) / max(len(first | second), 1)


def _edges(text: str) -> tuple[str, str]:
    whole = text.strip().lower().encode("utf-8", "replace").decode()
    if len(whole) <= _EDGE_CHARS:
        return whole, whole
    first, last = whole.split("\n", 1)[0], whole.rsplit("\n", 1)[-1]
    return first[:_EDGE_CHARS], last[-_EDGE_CHARS:]


def _grams(text: str) -> Buckets:
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    hashes = codes
    found = []
    for length in range(2, _LONGEST_GRAM + 1):
        hashes = hashes[:-1] * _PRIME + codes[length - 1 :]
        found.append((hashes * _MIX) >> np.uint64(64 - BITS))
    # `np.unique` would do, but for importing masked arrays, which takes longer than all of this.
    return np.array(sorted(set(np.concatenate(found).tolist())), dtype=np.intp)


def _words(mark: str, text: str) -> Buckets:
    """Return the words and pairs of words, and the first and the last two as such."""
    words = _WORD.findall(text)[:_MOST_WORDS]
    found = {f"{mark}{word}" for word in words}
    found |= {f"{mark}{one} {two}" for one, two in pairwise(words)}
    found |= {f"{mark}<{word}" for word in words[:2]} | {f"{mark}>{word}" for word in words[-2:]}
    return np.array([crc32(one.encode()) & (BUCKETS - 1) for one in sorted(found)], dtype=np.intp)


def save_task_classifier(classifier: TaskClassifier, folder: Path) -> None:
    """Write a classifier as one line of JSON and its weights in 16-bit floats."""
    head = {
        "kinds": classifier.kinds,
        "cues": list(CUES),
        "bits": BITS,
        "scale": classifier._scale,
        "least": classifier.least,
    }
    weights = np.concatenate([classifier._dense, classifier._hashed]).astype("<f2")
    (folder / TASK_FILE).write_bytes(json.dumps(head).encode() + b"\n" + weights.tobytes())


def load_task_classifier(folder: Path = PRETRAINED) -> TaskClassifier:
    """Read the classifier of an artifact folder; raises `ScorerUnusable`."""
    path = folder / TASK_FILE
    try:
        line, blob = path.read_bytes().split(b"\n", 1)
        head = json.loads(line)
        weights = np.frombuffer(blob, dtype="<f2").reshape(-1, len(head["kinds"]))
        if head["bits"] != BITS or head["cues"] != list(CUES):
            raise ValueError("other features")
        dense = weights[:-BUCKETS].astype(np.float32)
        if len(dense) != WIDTH + len(CUES) + 1:
            raise ValueError("other features")
        return TaskClassifier(
            head["kinds"], dense, weights[-BUCKETS:], scale=head["scale"], least=head["least"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the task classifier is unreadable: {path}"
        raise ScorerUnusable(message, hint="reinstall rolecall") from error
