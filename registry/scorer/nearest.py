"""The nearest example utterances tell what kind of task a prompt is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.encoder import SENTENCE, WIDTH, Encoder

# What the nearest, second and third example of a label weigh: one close example says more than
# three vague ones, but not everything.
_WEIGHTS = (0.6, 0.25, 0.15)
# One hundredth of cosine is noise between paraphrases, a tenth is a clear difference.
_TEMPERATURE = 0.05
VECTOR_BYTES = 2 * WIDTH
# Below the first, sentences share no subject; from the second, they ask for the same thing.
_UNRELATED = 0.12
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best label, how sure (0–1), and the example that weighed most."""

    label: str
    confidence: float
    example: str
    similarity: float


def nearest_task(
    vector: NDArray[np.float32],
    examples: Sequence[tuple[str, str]],
    vectors: NDArray[np.float32],
) -> Nearest | None:
    """Compare a prompt's vector with examples `(label, text)` and their rows of `vectors`.

    A label's score is the weighted mean cosine of its three nearest examples. Confidence is its
    margin over the other labels, lowered where even the nearest example is far. `None` without
    examples. Ties go to the earlier label in the alphabet.
    """
    if not examples:
        return None
    similarity = (vectors @ vector).tolist()
    by_label: dict[str, list[tuple[float, str]]] = {}
    for (label, text), cosine in zip(examples, similarity, strict=True):
        by_label.setdefault(label, []).append((cosine, text))
    scores = {}
    for label, pairs in by_label.items():
        pairs.sort(key=lambda pair: (-pair[0], pair[1]))
        top = list(zip(_WEIGHTS, pairs, strict=False))
        total = sum(weight for weight, _ in top)
        scores[label] = sum(weight * cosine for weight, (cosine, _) in top) / total
    best = min(scores, key=lambda label: (-scores[label], label))
    share = 1 / sum(exp((score - scores[best]) / _TEMPERATURE) for score in scores.values())
    cosine, text = by_label[best][0]
    closeness = min(max((cosine - _UNRELATED) / (_ALIKE - _UNRELATED), 0.0), 1.0)
    return Nearest(best, round(share * closeness, 4), text, round(cosine, 4))


def encode_examples(encoder: Encoder, texts: Sequence[str]) -> bytes:
    """Return the vectors of `texts` as one blob of 16-bit floats, to be kept beside them."""
    return encoder.encode(texts)[:, SENTENCE].astype("<f2").tobytes()


def decode_vectors(blob: bytes) -> NDArray[np.float32]:
    """Return the rows (n, 384) of a blob; raises `ScorerUnusable` if it holds no whole rows."""
    if len(blob) % VECTOR_BYTES:
        raise ScorerUnusable("stored example vectors are damaged")
    return np.frombuffer(blob, dtype="<f2").reshape(-1, WIDTH).astype(np.float32)
