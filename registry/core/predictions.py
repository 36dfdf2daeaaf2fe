"""The frozen records of the scorer's word on models: what it may know, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

from rolecall.registry.core.effort import Effort, level_of, variant_of

Basis = Literal["latent", "fitted", "scores", "facts"]
KnownFrom = Literal["rows", "scores", "facts"]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the scorer may know of a model; `output_usd_per_mtok` is its usual list price.

    Of a model asked with a `reasoning_effort` (none, low, medium, high), `model` names the
    variant and `base` the model itself. `benchmarks` are the user's own scores of it, 0–1.
    """

    model: str
    parameters_b: float | None = None
    release_date: str | None = None
    output_usd_per_mtok: float | None = None
    reasoning: bool | None = None
    open_weights: bool | None = None
    reasoning_effort: str | None = None
    benchmarks: tuple[tuple[str, float], ...] = ()
    base: str | None = None

    def __hash__(self) -> int:
        """Return the hash of the name alone: pools of a hundred are looked up by their facts."""
        return hash(self.model)

    def with_effort(self, effort: Effort) -> Self:
        """Return the facts of this model asked with an effort; with `none` it does not reason."""
        level = level_of(effort)
        return replace(
            self,
            model=variant_of(self.model, effort),
            base=self.model,
            reasoning=level != "none",
            reasoning_effort=level,
        )


class SuccessParts(NamedTuple):
    """What a predicted success rests on: parts that add up to it.

    `task` is the training task it is most like, with its `task_probability`. The
    model's average on it, what this `prompt` changes, what `local` evidence, how it did on the
    nearest training prompts and on tasks alike, changes then, and what the user's own judged rows
    change (`world`).
    `familiar` is how near the prompt is to anything in the training data: at 0 it counts as the
    average prompt of its task, at 1 as it is.
    """

    task: str
    task_probability: float
    average: float
    prompt: float
    local: float
    world: float = 0.0
    familiar: float = 1.0


class Prediction(NamedTuple):
    """The scorer's word on one model and one prompt.

    `success` is a calibrated probability with standard deviation `success_std`; `output_tokens`
    is the usual (median) length, hidden reasoning included; `basis` is `latent` for a model seen
    in training, `fitted` for one known by judged rows of one's own (`scorer fit`), `scores` for
    one known by public benchmark scores, and `facts` for one known only by its size, date and
    price. `parts` is what the success rests on.
    `hidden_tokens` of the output are hidden reasoning, their number from data where
    `hidden_tokens_known`.
    """

    model: str
    success: float
    success_std: float
    output_tokens: int
    basis: Basis
    parts: SuccessParts | None = None
    hidden_tokens: int = 0
    hidden_tokens_known: bool = False


@dataclass(frozen=True, slots=True)
class KnownScore:
    """A score of a model; `model` is the variant that reached it.

    `source` is null where the shipped table no longer has the score.
    """

    benchmark: str
    score: float
    model: str
    source: str | None
    self_reported: bool | None


@dataclass(frozen=True, slots=True)
class Ability:
    """What is known of a model for one kind of work.

    `success` is what to expect on the average prompt of the kind, give or take `spread`; both are
    null for a kind that no training task has. `basis` is what they rest on: `rows` of the model's
    own (`rows` of this kind), public scores of any kind, or facts alone. `scores` are those of
    this kind.
    """

    kind: str
    success: float | None
    spread: float | None
    basis: KnownFrom
    rows: int
    scores: tuple[KnownScore, ...]
