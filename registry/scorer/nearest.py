"""Which of the registry's example utterances a prompt is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.encoder import SENTENCE, WIDTH, Encoder
from rolecall.registry.scorer.task_classifier import shared_wording

# What the nearest, second and third example of a label weigh: one close example says more than
# three vague ones, but not everything.
_WEIGHTS = (0.6, 0.25, 0.15)
# One hundredth of cosine is noise between paraphrases, a tenth is a clear difference.
_TEMPERATURE = 0.05
VECTOR_BYTES = 2 * WIDTH
# Below the first, sentences share no subject; from the second, they ask for the same thing.
_UNRELATED = 0.12
_ALIKE = 0.5


# From here, and where they share this part of their n-grams, two texts ask for the same thing.
_NEAR = 0.8
_SHARED = 0.3


@dataclass(frozen=True, slots=True)
class Nearest:
    """The row of the example that decides, how sure (0–1), and whether the prompt is near it."""

    row: int
    confidence: float
    is_near: bool


def nearest_task(
    text: str,
    vector: NDArray[np.float32],
    examples: Sequence[tuple[str, str]],
    vectors: NDArray[np.float32],
) -> Nearest | None:
    """Compare a prompt with examples `(label, text)` and their rows of `vectors`.

    An example near in meaning and wording decides alone: the vectors of texts in a language that
    the encoder does not know are all alike. Else a label's score is the weighted mean cosine of
    its three nearest examples, and confidence its margin over the other labels, lowered where
    even the nearest example is far. `None` without examples. Ties go to the earlier label.
    """
    if not examples:
        return None
    cosines = vectors @ vector
    top = min(np.flatnonzero(cosines == cosines.max()).tolist(), key=examples.__getitem__)
    if cosines[top] >= _NEAR and shared_wording(text, examples[top][1]) >= _SHARED:
        return Nearest(top, round(float(min(cosines[top], 1.0)), 4), is_near=True)
    order = np.argsort(-cosines, kind="stable")
    by_label: dict[str, list[tuple[float, int]]] = {}
    for cosine, row in zip(cosines[order].tolist(), order.tolist(), strict=True):
        by_label.setdefault(examples[row][0], []).append((cosine, row))
    scores = {}
    for label, found in by_label.items():
        total = sum(_WEIGHTS[: len(found)])
        weighed = zip(_WEIGHTS, found, strict=False)
        scores[label] = sum(weight * cosine for weight, (cosine, _) in weighed) / total
    best = min(scores, key=lambda label: (-scores[label], label))
    share = 1 / sum(exp((score - scores[best]) / _TEMPERATURE) for score in scores.values())
    cosine, row = by_label[best][0]
    closeness = min(max((cosine - _UNRELATED) / (_ALIKE - _UNRELATED), 0.0), 1.0)
    return Nearest(row, round(share * closeness, 4), is_near=False)


def encode_examples(encoder: Encoder, texts: Sequence[str]) -> bytes:
    """Return the vectors of `texts` as one blob of 16-bit floats, to be kept beside them."""
    return encoder.encode(texts)[:, SENTENCE].astype("<f2").tobytes()


def decode_vectors(blob: bytes) -> NDArray[np.float32]:
    """Return the rows (n, 384) of a blob; raises `ScorerUnusable` if it holds no whole rows."""
    if len(blob) % VECTOR_BYTES:
        raise ScorerUnusable("stored example vectors are damaged")
    return np.frombuffer(blob, dtype="<f2").reshape(-1, WIDTH).astype(np.float32)
