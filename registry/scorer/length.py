"""A prompt and any models become expected output tokens: the visible answer, hidden reasoning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
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

    def tokens(
        self, one: ModelFacts, names: Sequence[str], difficulty: float
    ) -> tuple[float, bool]:
        """Return a model's hidden tokens and whether their number rests on data."""
        own = _own_variant(one, names)
        if not own.effort and not _reasons(own):
            if one.reasoning_effort == "none" or one.reasoning is False:
                return 0.0, True
            if one.reasoning is None:  # nothing says that it reasons
                return 0.0, False
        same = [name for name in names if _variant(name).effort == own.effort]
        found = [name for name in same if name in self.variants]
        base, known = self._of_effort(one.reasoning_effort or own.effort), False
        if found:
            of_variant = self.variants[found[0]]
            if of_variant is None:
                return 0.0, True
            base, known = of_variant, True
        elif own.effort and (key := family_key(own)) in self.families:
            base, known = self.families[key], True
        most = _MOST_HIDDEN.get(one.reasoning_effort or "", _MOST_ANY)
        return float(min(np.exp(base + self.growth * difficulty), most)), known

    def _of_effort(self, effort: str) -> float:
        return self.medium + self.step * RANKS.get(effort, 0.0)


@dataclass(frozen=True, slots=True)
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
        shared, likeness = self._shared(vector, features)
        asked = asked_tokens(text)
        fitted = offsets or {}
        own = self.model_offset + self.model_task @ likeness  # (M,)
        places = _places(self.models)
        logs, hidden, known = [], [], []
        for one in facts:
            names = _names_of(one.base or one.model, one.reasoning_effort)
            longer = fitted.get(one.model, 0.0)
            logs.append(shared + self._offset(names, places, own) + longer)
            tokens, is_known = self.hidden.tokens(one, names, difficulty)
            hidden.append(tokens * np.exp(longer))
            known.append(is_known)
        lengths = np.array(logs, dtype=np.float64)
        if asked is not None:
            lengths = np.array([asked.blend(each) for each in lengths])
        visible = np.clip(np.expm1(lengths), 1.0, _MOST_ANY)
        return visible, np.array(hidden), np.array(known, dtype=bool)

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

    def _offset(self, names: Sequence[str], places: Mapping[str, int], own: Floats) -> float:
        found = next((places[name] for name in names if name in places), None)
        if found is not None:
            return float(own[found])
        return self.families.get(family_key(_variant(names[0])), 0.0)

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


@lru_cache(maxsize=4096)
def _names_of(model: str, effort: str | None) -> tuple[str, ...]:
    return candidates(model, effort)


@lru_cache(maxsize=8)
def _places(models: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(models)}
