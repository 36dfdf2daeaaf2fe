"""What a trial of robustness found, counted by policy and by kind of change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rolecall.registry.scorer.flips import Rate, rates
from rolecall.registry.scorer.perturb import KINDS

if TYPE_CHECKING:
    from rolecall.registry.scorer.flips import Vectors

# Beside the strategies: the highest value without the near-tie rule (as the default strategy
# values), the likeliest to be right whatever it costs; of the models judged on the prompt, the one
# that the scorer and the one that the nearest judged prompts speak for; and who never changes.
ARGMAX, LIKELIEST, OURS, NEAREST, CONSTANT = "argmax", "likeliest", "ours", "nearest", "constant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tried: so many prompts, every strategy of the registry unless some are named.

    Prompts come from one `fold` and one `dataset` if they are given. `most_past` is how many
    judged prompts the nearest are looked for among.
    """

    prompts: int = 300
    fold: int | None = None
    dataset: str | None = None
    strategies: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    seed: int = 7
    most_past: int = 2000


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of change did: each policy's flips, and how far it moved what is predicted.

    `success_moved` is the mean absolute change of predicted success over the pool,
    `task_changed` the share of texts taken for another kind of task.
    """

    kind: str
    flips: Mapping[str, Rate]
    success_moved: float | None
    task_changed: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """A strategy's mean value in USD as it chose, and as the highest value would have chosen.

    `lost` is the share given up for steadiness; null where even the highest costs more than it
    is worth.
    """

    chosen_usd: float
    highest_usd: float
    lost: float | None


@dataclass(frozen=True, slots=True)
class Robustness:
    """How often each policy chose otherwise for prompts that mean the same.

    `without_band` are the strategies' flips had the highest value won without the near-tie rule;
    `left_out` spells out the lines of the files that were no judged rows.
    """

    scorer_version: str
    seed: int
    prompts: int
    texts: int
    endpoints: int
    strategies: tuple[str, ...]
    kinds: tuple[Kind, ...]
    flips: Mapping[str, Rate]
    without_band: Mapping[str, Rate]
    worth: Mapping[str, Worth]
    left_out: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt as it is (`kind` null) or with one kind of change; `row` is the prompt's number."""

    row: int
    kind: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each policy chose for a text, and what was known when it did.

    `highest` is what the strategies would have chosen by value alone; `values` pairs, for each of
    them, the USD of its choice and the highest. `success` is by endpoint, `judged` that of each
    judged model.
    """

    chosen: dict[str, str | None]
    highest: dict[str, str | None]
    values: dict[str, tuple[float, float]]
    success: dict[str, float]
    judged: tuple[float, ...]
    task: str
    vector: Vectors


_Choices = Callable[[Outcome], Mapping[str, str | None]]


class Summary:
    """The outcomes of one trial, counted by policy and kind."""

    def __init__(
        self,
        trial: Trial,
        names: Sequence[str],
        texts: Sequence[Text],
        outcomes: Sequence[Outcome],
    ) -> None:
        self._trial = trial
        self._names = names
        self._original: list[Outcome] = []
        self._changed: list[dict[str, Outcome]] = []
        for text, outcome in zip(texts, outcomes, strict=True):
            if text.kind is None:
                self._original.append(outcome)
                self._changed.append({})
            else:
                self._changed[-1][text.kind] = outcome
        policies = [*names, ARGMAX, LIKELIEST, OURS, NEAREST, CONSTANT]
        self._rates = {
            policy: self._counted(policy, _by_rank)
            for policy in policies
            if policy in self._original[0].chosen
        }

    def robustness(self, scorer_version: str, endpoints: int) -> Robustness:
        """Return all of it; `endpoints` is the size of the pool."""
        return Robustness(
            scorer_version=scorer_version,
            seed=self._trial.seed,
            prompts=len(self._original),
            texts=sum(map(len, self._changed)),
            endpoints=endpoints,
            strategies=tuple(self._names),
            kinds=tuple(map(self._kind, self._trial.kinds)),
            flips={policy: found[-1] for policy, found in self._rates.items()},
            without_band={name: self._counted(name, _by_value)[-1] for name in self._names},
            worth=dict(self._worth()),
        )

    def _kind(self, kind: str) -> Kind:
        column = self._trial.kinds.index(kind)
        flips = {policy: found[column] for policy, found in self._rates.items()}
        return Kind(kind, flips, *self._moved(kind))

    def _worth(self) -> Iterator[tuple[str, Worth]]:
        for name in self._names:
            values = [one.values[name] for one in self._original if name in one.values]
            if values:
                chosen = fmean(value for value, _ in values)
                highest = fmean(value for _, value in values)
                lost = (highest - chosen) / highest if highest > 0 else None
                yield name, Worth(chosen, highest, lost)

    def _moved(self, kind: str) -> tuple[float | None, float | None]:
        pairs = [
            (original, changed[kind])
            for original, changed in zip(self._original, self._changed, strict=True)
            if kind in changed
        ]
        if not pairs:
            return None, None
        moved = [
            abs(one.success[endpoint] - other.success[endpoint])
            for one, other in pairs
            for endpoint in one.success.keys() & other.success.keys()
        ]
        tasks = fmean(one.task != other.task for one, other in pairs)
        return (fmean(moved) if moved else None), tasks

    def _counted(self, policy: str, choices: _Choices) -> tuple[Rate, ...]:
        flipped: list[list[bool | None]] = []
        for original, changed in zip(self._original, self._changed, strict=True):
            before = choices(original)[policy]
            flipped.append(
                [
                    choices(changed[kind])[policy] != before
                    if before is not None and kind in changed
                    else None
                    for kind in self._trial.kinds
                ]
            )
        return rates(flipped, seed=self._trial.seed)


def _by_rank(outcome: Outcome) -> Mapping[str, str | None]:
    return outcome.chosen


def _by_value(outcome: Outcome) -> Mapping[str, str | None]:
    return outcome.highest
