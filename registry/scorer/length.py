"""A prompt and any models become expected output tokens: the visible answer, hidden reasoning."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.asked_length import asked_tokens
from rolecall.registry.scorer.variants import Variant, candidates, reasons, variant

Floats = NDArray[np.float32]
Table = NDArray[np.float64]

LENGTH_FILE = "length.json"
_MOST_FEATURE = 4.0  # standard deviations; what lies farther is read as if it lay there
_MOST_HIDDEN = {"low": 4_096.0, "medium": 12_288.0}  # the largest budgets of these levels
_MOST_ANY = 32_768.0
# Below the first cosine to the nearest task a prompt is like none, from the second like it.
_UNLIKE, _LIKE = 0.2, 0.45
# How far each effort lies from medium, in steps of the logarithm of hidden tokens.
RANKS = {"minimal": -2.0, "low": -1.0, "high": 1.0, "xhigh": 2.0}
_FAMILY = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class HiddenModel:
    """How many more hidden reasoning tokens than medium effort a model has, in logarithms.

    `variants` have a row of `LengthModel.hidden_task`; null for one that was seen and hides
    nothing. The same model at another effort is `step` for each rank apart. `families` (family
    and effort, as `gpt high`) have the mean of theirs, any other `step` for each rank from medium.
    """

    variants: Mapping[str, int | None]
    families: Mapping[str, float]
    step: float

    def offset(
        self, one: ModelFacts, names: Sequence[str], own_rows: Floats
    ) -> tuple[float | None, bool]:
        """Return a model's offset, null where it hides nothing, and whether it rests on data.

        `own_rows` are the offsets of variants that were seen, on this prompt.
        """
        own = _own_variant(one, names)
        hides = bool(own.effort) or _reasons(own)
        if not hides and (one.reasoning_effort == "none" or one.reasoning is False):
            return None, True
        same = [name for name in names if _variant(name).effort == own.effort]
        found = [name for name in same if name in self.variants]
        if found:
            row = self.variants[found[0]]
            return (None if row is None else float(own_rows[row])), True
        if not hides and one.reasoning is None:  # nothing says that it reasons
            return None, False
        rank = RANKS.get(one.reasoning_effort or own.effort, 0.0)
        for name in names:
            if (other := self.variants.get(name)) is not None:
                apart = rank - RANKS.get(_variant(name).effort, 0.0)
                return float(own_rows[other]) + self.step * apart, False
        if own.effort and (key := family_key(own)) in self.families:
            return self.families[key], True
        return self.step * rank, False


@dataclass(frozen=True, slots=True)
class LengthModel:
    """Expected tokens of M models: what the prompt asks for, then its kind, then the model.

    The logarithms of visible tokens and of hidden ones (the first and the second number of each
    pair) are linear in vector, features, how like the prompt is to each of T tasks, and its
    difficulty; of a prompt unlike all tasks they are `usual`. A model adds its own offset and its
    offset on tasks. Which part of a task's prompts was `told` a length themselves is in it already.
    """

    models: tuple[str, ...]
    feature_mean: Floats  # (F,)
    feature_scale: Floats  # (F,)
    centroids: Floats  # (T, 384), unit
    sharpness: float
    told: Floats  # (T,)
    weight: Floats  # (2, 384 + F + T + 1)
    intercept: Floats  # (2,)
    usual: Floats  # (2,)
    lowest: Floats  # (2,)
    highest: Floats  # (2,)
    model_task: Floats  # (M, 1 + T)
    families: Mapping[str, float]
    hidden_task: Floats  # (H, 1 + T)
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
        (shown, thought), places = self._shared(vector, features, difficulty)
        asked = asked_tokens(text)
        fitted = offsets or {}
        own, own_hidden = self.model_task @ places, self.hidden_task @ places
        rows = _rows_of(self.models)
        logs, hidden, known = [], [], []
        for one in facts:
            names = _names_of(one.base or one.model, one.reasoning_effort)
            longer = fitted.get(one.model, 0.0)
            logs.append(shown + self._offset(names, rows, own) + longer)
            more, is_known = self.hidden.offset(one, names, own_hidden)
            most = _MOST_HIDDEN.get(one.reasoning_effort or "", _MOST_ANY)
            tokens = 0.0 if more is None else max(float(np.expm1(thought + more)), 0.0)
            hidden.append(min(tokens, most) * np.exp(longer))
            known.append(is_known)
        lengths = np.array(logs, dtype=np.float64)
        if asked is not None:
            blended = np.array([asked.blend(each) for each in lengths])
            told = float(self.told @ places[1:])
            lengths = told * lengths + (1 - told) * blended
        visible = np.clip(np.expm1(lengths), 1.0, _MOST_ANY)
        return visible, np.array(hidden), np.array(known, dtype=bool)

    def _shared(self, vector: Floats, features: Floats, difficulty: float) -> tuple[Table, Floats]:
        """Return the prompt's parts (2,), and what models' offsets are linear in (1 + T,)."""
        likeness = likeness_to(self.centroids, vector[None], self.sharpness)
        seen = (features - self.feature_mean) / self.feature_scale
        inputs = joined(vector[None], seen[None], likeness, np.array([difficulty]))[0]
        length = np.clip(self.weight @ inputs + self.intercept, self.lowest, self.highest)
        nearest = float((self.centroids @ vector).max())
        near = min(max((nearest - _UNLIKE) / (_LIKE - _UNLIKE), 0.0), 1.0)
        parts = near * length + (1 - near) * self.usual
        return parts.astype(np.float64), np.concatenate([np.ones(1), likeness[0]])

    def _offset(self, names: Sequence[str], rows: Mapping[str, int], own: Floats) -> float:
        found = next((rows[name] for name in names if name in rows), None)
        if found is not None:
            return float(own[found])
        return self.families.get(family_key(_variant(names[0])), 0.0)

    def save(self, folder: Path) -> None:
        """Write the model into `folder`, as one file."""
        content = {field.name: _packed(getattr(self, field.name)) for field in fields(self)}
        (folder / LENGTH_FILE).write_text(json.dumps(content, separators=(",", ":")), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the model of a folder; raises `ScorerUnusable`."""
        try:
            content = json.loads((folder / LENGTH_FILE).read_text("utf-8"))
            read = {name: _unpacked(value) for name, value in content.items()}
            hidden = HiddenModel(**read.pop("hidden"))
            return cls(**(read | {"models": tuple(read["models"]), "hidden": hidden}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the scorer at {folder} has no readable {LENGTH_FILE}"
            raise ScorerUnusable(message, hint="reinstall rolecall") from error


def joined(vectors: Floats, seen: Floats, likeness: Floats, difficulty: Floats) -> Floats:
    """Return what the prompts' parts are linear in; `seen` are the features, standardised."""
    clipped = np.clip(seen, -_MOST_FEATURE, _MOST_FEATURE)
    inputs: Floats = np.hstack([vectors, clipped, likeness, difficulty[:, None]])
    return inputs


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
def _rows_of(models: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(models)}


def _packed(value: Any) -> Any:
    """Return what JSON can hold: arrays as bytes, one per number, scaled by row."""
    if isinstance(value, HiddenModel):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim == 1:
        stored = value.astype("<f4")
        return {"shape": value.shape, "f4": base64.b64encode(stored.tobytes()).decode("ascii")}
    scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-9) / 127
    levels = np.round(value / scale).astype("i1")
    return {
        "shape": value.shape,
        "i1": base64.b64encode(levels.tobytes()).decode("ascii"),
        "scale": base64.b64encode(scale.astype("<f4").tobytes()).decode("ascii"),
    }


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict) or "shape" not in value:
        return value
    shape = tuple(value["shape"])
    if "f4" in value:
        return np.frombuffer(base64.b64decode(value["f4"]), "<f4").reshape(shape)
    levels = np.frombuffer(base64.b64decode(value["i1"]), "i1").reshape(shape)
    scale = np.frombuffer(base64.b64decode(value["scale"]), "<f4").reshape(-1, 1)
    return levels.astype(np.float32) * scale
