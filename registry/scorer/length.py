"""A prompt and any models become expected output tokens: the visible answer, hidden reasoning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.arrays import pack_arrays, unpack_arrays
from rolecall.registry.scorer.asked_length import asked_tokens
from rolecall.registry.scorer.variants import Variant, candidates, reasons, variant

Floats = NDArray[np.float32]
Table = NDArray[np.float64]

LENGTH_FILE = "length.bin"
_SCALE = ".scale"
_MOST_FEATURE = 4.0  # standard deviations; what lies farther is read as if it lay there
_MOST_HIDDEN = {"low": 4_096.0, "medium": 12_288.0}  # the largest budgets of these levels
_MOST_ANY = 32_768.0
# How far each effort lies from medium, in steps of the logarithm of hidden tokens.
# Below the first cosine to the nearest task a prompt is like none, from the second like it.
_UNLIKE, _LIKE = 0.2, 0.5
RANKS = {"minimal": -2.0, "low": -1.0, "high": 1.0, "xhigh": 2.0}
_FAMILY = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class HiddenModel:
    """Hidden reasoning tokens: `base · growth ** difficulty`, in logarithms.

    `variants` and `families` (family and effort, as `gpt high`) have their bases from data;
    null for a variant that was seen and hides nothing. Any other has that of its effort:
    `medium`, and `step` for each rank above or below.
    """

    variants: Mapping[str, float | None]
    families: Mapping[str, float]
    medium: float
    step: float
    growth: float

    def base(self, one: ModelFacts, names: Sequence[str]) -> tuple[float, bool]:
        """Return a model's base, `-inf` where it hides nothing, and whether it rests on data."""
        own = _own_variant(one, names)
        if not own.effort and not _reasons(own):
            if one.reasoning_effort == "none" or one.reasoning is False:
                return -inf, True
            if one.reasoning is None:  # nothing says that it reasons
                return -inf, False
        same = (name for name in names if _variant(name).effort == own.effort)
        found = next((name for name in same if name in self.variants), None)
        if found is not None:
            of_variant = self.variants[found]
            return -inf if of_variant is None else of_variant, True
        if own.effort and (key := family_key(own)) in self.families:
            return self.families[key], True
        return self._of_effort(one.reasoning_effort or own.effort), False

    def _of_effort(self, effort: str) -> float:
        return self.medium + self.step * RANKS.get(effort, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class LengthModel:
    """Expected tokens of M models: what the prompt asks for, then its kind, then the model.

    The logarithm of visible tokens is linear in vector and features, plus the mean of each of T
    tasks by how like the prompt is to it, plus the model's own offset and its offset on tasks.
    Of a prompt unlike all tasks it is `usual`, what longer sets take.
    """

    models: tuple[str, ...]
    feature_mean: Floats  # (F,)
    feature_scale: Floats  # (F,)
    weight: Floats  # (384 + F,)
    intercept: float
    usual: float
    lowest: float
    highest: float
    centroids: Floats  # (T, 384), unit
    sharpness: float
    task_offset: Floats  # (T,)
    model_offset: Floats  # (M,)
    model_task: Floats  # (M, T)
    families: Mapping[str, float]
    hidden: HiddenModel

    def predict(
        self,
        vector: Floats,
        features: Floats,
        text: str,
        difficulty: float,
        facts: Sequence[ModelFacts],
        offsets: Mapping[str, float] | None = None,
    ) -> tuple[Table, Table, NDArray[np.bool_]]:
        """Return visible and hidden tokens (N,) of the models, and which hidden ones are known.

        `offsets`, in logarithms, are by how much models were found to answer longer than this.
        """
        pool = _pool(self, tuple(facts))
        shared, likeness = self._shared(vector, features)
        trained = self.model_offset + self.model_task @ likeness  # (M,)
        longer = np.array([(offsets or {}).get(one.model, 0.0) for one in facts])
        lengths = shared + np.where(pool.rows >= 0, trained[pool.rows], pool.offset) + longer
        asked = asked_tokens(text)
        if asked is not None:
            lengths = np.array([asked.blend(each) for each in lengths])
        visible = np.clip(np.expm1(lengths), 1.0, _MOST_ANY)
        hidden = np.minimum(np.exp(pool.hidden + self.hidden.growth * difficulty), pool.most)
        return visible, hidden * np.exp(longer), pool.is_known

    def _shared(self, vector: Floats, features: Floats) -> tuple[float, Floats]:
        """Return the prompt's part and its likeness (T,) to each task."""
        seen = (features - self.feature_mean) / self.feature_scale
        inputs = np.concatenate([vector, np.clip(seen, -_MOST_FEATURE, _MOST_FEATURE)])
        likeness = likeness_to(self.centroids, vector[None], self.sharpness)[0]
        length = float(inputs @ self.weight + self.intercept + likeness @ self.task_offset)
        nearest = float((self.centroids @ vector).max())
        near = min(max((nearest - _UNLIKE) / (_LIKE - _UNLIKE), 0.0), 1.0)
        length = near * length + (1 - near) * self.usual
        return min(max(length, self.lowest), self.highest), likeness

    def save(self, folder: Path) -> None:
        """Write the model into `folder`, as one file; a matrix takes a byte per number."""
        about: dict[str, Any] = {}
        arrays: dict[str, NDArray[Any]] = {}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not isinstance(value, np.ndarray):
                about[name] = asdict(value) if isinstance(value, HiddenModel) else value
            elif value.ndim == 1:
                arrays[name] = value.astype("<f4")
            else:
                scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-9) / 127
                arrays[name] = np.round(value / scale).astype("i1")
                arrays[f"{name}{_SCALE}"] = scale.astype("<f4")
        (folder / LENGTH_FILE).write_bytes(pack_arrays(about, arrays))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the model of a folder; raises `ScorerUnusable`."""
        try:
            about, arrays = unpack_arrays((folder / LENGTH_FILE).read_bytes())
            models, hidden = tuple(about.pop("models")), HiddenModel(**about.pop("hidden"))
            read: dict[str, Any] = {
                name: value.astype(np.float32) * arrays.get(f"{name}{_SCALE}", np.float32(1))
                for name, value in arrays.items()
                if not name.endswith(_SCALE)
            }
            return cls(models=models, hidden=hidden, **about, **read)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the scorer at {folder} has no readable {LENGTH_FILE}"
            raise ScorerUnusable(message, hint="reinstall rolecall") from error


def likeness_to(centroids: Floats, vectors: Floats, sharpness: float) -> Floats:
    """Return how like vectors (N, 384) are to each task, (N, T), summing to 1."""
    logits = sharpness * (vectors @ centroids.T)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


@lru_cache(maxsize=8192)
def family_key(one: Variant) -> str:
    """Return a variant's family and effort, as `gpt high`; effort `reasons` where unnamed."""
    family = _FAMILY.match(one.base)
    effort = one.effort or ("reasons" if reasons(one) else "plain")
    return f"{family.group() if family else ''} {effort}"


def _own_variant(one: ModelFacts, names: Sequence[str]) -> Variant:
    """Return the variant that is asked; what surely reasons does so even where told not to."""
    own = _variant(names[0])
    if one.reasoning_effort == "none" and _reasons(Variant(own.base, "none")):
        return Variant(own.base, "minimal")
    return own


_variant = lru_cache(maxsize=8192)(variant)
_reasons = lru_cache(maxsize=8192)(reasons)


@dataclass(frozen=True, slots=True)
class _Pool:
    """What N models' tokens rest on, whatever the prompt.

    `rows` are their places among the trained models; one without a place, -1, has an `offset`
    instead. `hidden` are the bases of their hidden tokens, `most` the largest numbers of those.
    """

    rows: NDArray[np.intp]
    offset: Table
    hidden: Table
    most: Table
    is_known: NDArray[np.bool_]


# The same pool is asked about prompt after prompt.
@lru_cache(maxsize=8)
def _pool(model: LengthModel, facts: tuple[ModelFacts, ...]) -> _Pool:
    place_of = {name: place for place, name in enumerate(model.models)}
    rows, offset, hidden = [], [], []
    for one in facts:
        names = candidates(one.base or one.model, one.reasoning_effort)
        rows.append(next((place_of[name] for name in names if name in place_of), -1))
        offset.append(model.families.get(family_key(_variant(names[0])), 0.0))
        hidden.append(model.hidden.base(one, names))
    return _Pool(
        rows=np.array(rows, dtype=np.intp),
        offset=np.array(offset),
        hidden=np.array([base for base, _ in hidden]),
        most=np.array([_MOST_HIDDEN.get(one.reasoning_effort or "", _MOST_ANY) for one in facts]),
        is_known=np.array([is_known for _, is_known in hidden], dtype=bool),
    )
