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

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Floats, Table, pack_arrays, unpack_arrays
from rolecall.registry.scorer.asked_length import asked_tokens
from rolecall.registry.scorer.variants import Variant, candidates, reasons, variant

LENGTH_FILE = "length.bin"
_SCALE = ".scale"
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

    def offset(self, one: ModelFacts, names: Sequence[str]) -> tuple[int, float, bool]:
        """Return what a model's offset is made of, and whether it rests on data.

        That is the row of a variant that was seen, -1 for none, and what is added to the offset
        of that row: `-inf` where the model hides nothing.
        """
        own = _own_variant(one, names)
        hides = bool(own.effort) or _reasons(own)
        if not hides and (one.reasoning_effort == "none" or one.reasoning is False):
            return -1, -inf, True
        same = (name for name in names if _variant(name).effort == own.effort)
        found = next((name for name in same if name in self.variants), None)
        if found is not None:
            row = self.variants[found]
            return (-1, -inf, True) if row is None else (row, 0.0, True)
        if not hides and one.reasoning is None:  # nothing says that it reasons
            return -1, -inf, False
        rank = RANKS.get(one.reasoning_effort or own.effort, 0.0)
        for name in names:
            if (other := self.variants.get(name)) is not None:
                return other, self.step * (rank - RANKS.get(_variant(name).effort, 0.0)), False
        if own.effort and (key := family_key(own)) in self.families:
            return -1, self.families[key], True
        return -1, self.step * rank, False


@dataclass(frozen=True, slots=True, eq=False)
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
        pool = _pool(self, tuple(facts))
        # Places of -1 find the 0 at the end.
        own, own_hidden = (
            np.append(of @ places, 0.0) for of in (self.model_task, self.hidden_task)
        )
        longer = np.array([offsets.get(one.model, 0.0) for one in facts] if offsets else 0.0)
        lengths = shown + own[pool.rows] + pool.offset + longer
        more = own_hidden[pool.hidden_rows] + pool.hidden
        asked = asked_tokens(text)
        if asked is not None:
            blended = np.array([asked.blend(each) for each in lengths])
            told = float(self.told @ places[1:])
            lengths = told * lengths + (1 - told) * blended
        visible = np.clip(np.expm1(lengths), 1.0, _MOST_ANY)
        hidden = np.minimum(np.maximum(np.expm1(thought + more), 0.0), pool.most)
        return visible, hidden * np.exp(longer), pool.is_known

    def _shared(self, vector: Floats, features: Floats, difficulty: float) -> tuple[Table, Floats]:
        """Return the prompt's parts (2,), and what models' offsets are linear in (1 + T,)."""
        similarity = similarity_to(self.centroids, vector[None], self.sharpness)
        seen = (features - self.feature_mean) / self.feature_scale
        inputs = joined(vector[None], seen[None], similarity, np.array([difficulty]))[0]
        length = np.clip(self.weight @ inputs + self.intercept, self.lowest, self.highest)
        nearest = float((self.centroids @ vector).max())
        near = min(max((nearest - _UNLIKE) / (_LIKE - _UNLIKE), 0.0), 1.0)
        parts = near * length + (1 - near) * self.usual
        return parts.astype(np.float64), np.concatenate([np.ones(1), similarity[0]])

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


def joined(vectors: Floats, seen: Floats, similarity: Floats, difficulty: Floats) -> Floats:
    """Return what the prompts' parts are linear in; `seen` are the features, standardised."""
    clipped = np.clip(seen, -_MOST_FEATURE, _MOST_FEATURE)
    inputs: Floats = np.hstack([vectors, clipped, similarity, difficulty[:, None]])
    return inputs


def similarity_to(centroids: Floats, vectors: Floats, sharpness: float) -> Floats:
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
    """Return the variant that is asked; a model that always reasons does so at effort none too."""
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
    instead. `hidden_rows` are the places of what they hide, -1 for none, `hidden` is added to it,
    and `most` are the largest numbers of hidden tokens.
    """

    rows: NDArray[np.intp]
    offset: Table
    hidden_rows: NDArray[np.intp]
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
        usual = model.families.get(family_key(_variant(names[0])), 0.0)
        offset.append(usual if rows[-1] < 0 else 0.0)
        hidden.append(model.hidden.offset(one, names))
    return _Pool(
        rows=np.array(rows, dtype=np.intp),
        offset=np.array(offset),
        hidden_rows=np.array([row for row, _, _ in hidden], dtype=np.intp),
        hidden=np.array([more for _, more, _ in hidden]),
        most=np.array([_MOST_HIDDEN.get(one.reasoning_effort or "", _MOST_ANY) for one in facts]),
        is_known=np.array([is_known for _, _, is_known in hidden], dtype=bool),
    )
