"""What models made of the judged prompts most alike: a kernel-weighted mean of their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Arrays, Floats

Bytes = NDArray[np.uint8]
Steps = NDArray[np.int8]

_UNKNOWN = 255
_LEVELS = 250.0
_STEPS = 127.0
_ROWS = 2048  # as many rows of places as fit into a processor's cache


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
    length each, to places (P, A), kept in 127ths; the dot product of two places is about the mean
    of the two cosines. A neighbour at similarity c weighs exp((c − 1) / temperature).
    """

    temperature: float
    phrase_mean: Floats  # (384,)
    phrase_scale: Floats  # (384,)
    axes: Floats  # (768, A)
    places: Steps  # (P, A)
    blocks: tuple[Block, ...]
    model_count: int

    def locate(self, embeddings: Floats) -> Floats:
        """Return where prompts' embeddings (N, 2, 384) lie: places (N, A)."""
        joined: Floats = joint_embedding(embeddings, self.phrase_mean, self.phrase_scale)
        places: Floats = joined @ self.axes
        return places

    def similarity(self, places: Floats) -> Floats:
        """Return how like places (N, A) are to those of the judged prompts, (N, P)."""
        found: Floats = np.empty((len(places), len(self.places)), dtype=np.float32)
        for start in range(0, len(self.places), _ROWS):
            part = self.places[start : start + _ROWS].astype(np.float32)
            found[:, start : start + len(part)] = places @ part.T
        found /= np.float32(_STEPS)
        return found

    def recall(
        self, places: Floats, *, is_agent: bool | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return mean scores (N, M), nan where unknown, their weights (N, M), similarities (N,).

        The similarity is to the nearest prompt. Scores of whole agent runs count only where
        `is_agent` is not false, and alone where it is true.
        """
        similarity = self.similarity(places)
        for block in self.blocks:
            if is_agent is not None and block.is_agent != is_agent:
                similarity[:, block.start : block.start + len(block.scores)] = -1.0
        mean, weight = kernel_mean(similarity, self.blocks, self.temperature, self.model_count)
        return mean, weight, similarity.max(axis=1).astype(np.float64)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """Return the neighbours as plain JSON values, and their arrays by name."""
        about = {
            "temperature": self.temperature,
            "model_count": self.model_count,
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
        arrays = {
            "phrase_mean": self.phrase_mean.astype("<f2"),
            "phrase_scale": self.phrase_scale.astype("<f2"),
            "place_axes": self.axes.astype("<f2"),
            "places": self.places,
            "scores": np.concatenate([block.scores.ravel() for block in self.blocks]),
        }
        return about, arrays

    @classmethod
    def unpack(cls, about: Mapping[str, Any], arrays: Arrays) -> Self:
        """Return what `pack` packed; raises KeyError, TypeError or ValueError."""
        blocks, start = [], 0
        for block in about["blocks"]:
            models = np.array(block["models"], dtype=np.intp)
            end = start + block["rows"] * len(models)
            scores = arrays["scores"][start:end].reshape(-1, len(models))
            blocks.append(Block(block["start"], models, scores, block["is_agent"]))
            start = end
        return cls(
            temperature=float(about["temperature"]),
            phrase_mean=arrays["phrase_mean"].astype(np.float32),
            phrase_scale=arrays["phrase_scale"].astype(np.float32),
            axes=arrays["place_axes"].astype(np.float32),
            places=arrays["places"],
            blocks=tuple(blocks),
            model_count=int(about["model_count"]),
        )


def in_steps(places: Floats) -> Steps:
    """Return places (P, A), of unit length at most, as they are kept."""
    return np.round(places * _STEPS).astype(np.int8)


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
