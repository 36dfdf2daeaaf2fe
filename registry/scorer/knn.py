"""What models made of the judged prompts most alike: a kernel-weighted mean of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_UNKNOWN = 255
_LEVELS = 250.0
_STEPS = 127.0


@dataclass(frozen=True, slots=True)
class Block:
    """The scores (rows, models) of one data set, 0–250, 255 where a model was not asked.

    `models` are the columns' places among all models; `is_agent` marks labels of whole runs.
    """

    start: int
    models: NDArray[np.intp]
    scores: Bytes
    is_agent: bool

    def tables(self) -> tuple[Floats, Floats]:
        """Return the scores, 0 where unknown, and whether they are known (rows, models)."""
        known = (self.scores != _UNKNOWN).astype(np.float32)
        return self.scores * known / np.float32(_LEVELS), known


@dataclass(frozen=True, slots=True)
class Neighbours:
    """P judged prompts seen along A axes, and their scores by data set.

    `axes` (2·384, A) take the sentence embedding and the standardised phrases embedding, of unit
    length each, to places (P, A); the dot product of two places is about the mean of the two
    cosines. A neighbour at similarity c weighs exp((c − 1) / temperature).
    """

    temperature: float
    phrase_mean: Floats  # (384,)
    phrase_scale: Floats  # (384,)
    axes: Floats  # (768, A)
    places: Floats  # (P, A)
    blocks: tuple[Block, ...]
    model_count: int

    def locate(self, embeddings: Floats) -> Floats:
        """Return where prompts' embeddings (N, 2, 384) lie: places (N, A)."""
        joined: Floats = joint_embedding(embeddings, self.phrase_mean, self.phrase_scale)
        places: Floats = joined @ self.axes
        return places

    def recall(
        self, places: Floats, *, is_agent: bool | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return mean scores (N, M), nan where unknown, their weights (N, M), similarities (N,).

        The similarity is to the nearest prompt. Labels of whole agent runs speak only where
        `is_agent` is not false, and alone where it is true.
        """
        similarity = places @ self.places.T  # (N, P)
        for block in self.blocks:
            if is_agent is not None and block.is_agent != is_agent:
                similarity[:, block.start : block.start + len(block.scores)] = -1.0
        mean, weight = kernel_mean(similarity, self.blocks, self.temperature, self.model_count)
        return mean, weight, similarity.max(axis=1).astype(np.float64)

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Return what describes the packed bytes, and them."""
        halves = (self.phrase_mean, self.phrase_scale, self.axes)
        parts = [array.astype("<f2").tobytes() for array in halves]
        parts.append(np.round(self.places * _STEPS).astype(np.int8).tobytes())
        parts += [block.scores.tobytes() for block in self.blocks]
        about = {
            "temperature": self.temperature,
            "axes": self.axes.shape,
            "places": self.places.shape,
            "models": self.model_count,
            "blocks": [
                {
                    "start": block.start,
                    "models": block.models.tolist(),
                    "rows": len(block.scores),
                    "is_agent": block.is_agent,
                }
                for block in self.blocks
            ],
        }
        return about, b"".join(parts)

    @classmethod
    def unpack(cls, about: dict[str, Any], packed: bytes) -> Self:
        """Return what `pack` packed; raises KeyError, TypeError or ValueError."""
        width, axes = about["axes"]
        half = width // 2
        halves = np.frombuffer(packed, "<f2", 2 * half + width * axes).astype(np.float32)
        start = 2 * (2 * half + width * axes)
        count = about["places"][0]
        steps = np.frombuffer(packed, np.int8, count * axes, start).astype(np.float32)
        start += count * axes
        blocks = []
        for block in about["blocks"]:
            models = np.array(block["models"], dtype=np.intp)
            size = block["rows"] * len(models)
            scores = np.frombuffer(packed, np.uint8, size, start).reshape(-1, len(models))
            blocks.append(Block(block["start"], models, scores, block["is_agent"]))
            start += size
        return cls(
            temperature=float(about["temperature"]),
            phrase_mean=halves[:half],
            phrase_scale=halves[half : 2 * half],
            axes=halves[2 * half :].reshape(width, axes),
            places=(steps / np.float32(_STEPS)).reshape(count, axes),
            blocks=tuple(blocks),
            model_count=int(about["models"]),
        )


def kernel_mean(
    similarity: Floats, blocks: Sequence[Block], temperature: float, model_count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean scores (N, M) by `similarity` (N, P), nan where unknown, and their weights."""
    weights = np.exp((similarity - 1) / np.float32(temperature))
    found = np.zeros((len(similarity), model_count))
    weight = np.zeros((len(similarity), model_count))
    for block in blocks:
        scores, known = block.tables()
        part = weights[:, block.start : block.start + len(scores)]
        weight[:, block.models] += part @ known
        found[:, block.models] += part @ scores
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, found / weight, np.nan), weight


def joint_embedding(embeddings: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return both embeddings (N, 2, 384) as one (N, 768) of unit length, half of it each."""
    phrases = (embeddings[:, 1] - mean) / scale
    phrases /= np.linalg.norm(phrases, axis=1, keepdims=True) + 1e-9
    joined: Floats = np.concatenate([embeddings[:, 0], phrases], axis=1) * np.float32(0.5**0.5)
    return joined


def as_blocks(
    scores: Floats, sets: Sequence[str], agents: frozenset[str]
) -> tuple[NDArray[np.intp], tuple[Block, ...]]:
    """Return the order in which judged prompts (P, M) stand by data set, and their blocks."""
    names = np.array(sets)
    order, blocks, start = [], [], 0
    for name in sorted(set(sets)):
        rows = np.flatnonzero(names == name)
        models = np.flatnonzero(np.isfinite(scores[rows]).any(axis=0))
        part = scores[np.ix_(rows, models)]
        known = np.where(np.isfinite(part), np.round(np.nan_to_num(part) * _LEVELS), _UNKNOWN)
        blocks.append(Block(start, models, known.astype(np.uint8), name in agents))
        order.append(rows)
        start += len(rows)
    return np.concatenate(order), tuple(blocks)
