"""Which judged prompts, models and prices an evaluation rests on, and what is left out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rolecall.registry.errors import RegistryError, UsageError
from rolecall.registry.naming import unknown
from rolecall.registry.proving_costs import find_prices
from rolecall.registry.records import Pool, Price
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.segments import (
    COVERAGE,
    Cut,
    RowNumbers,
    cut,
    judged_models,
    places,
    rows_about,
    rows_of_dataset,
    rows_outside_fold,
    rows_without,
)

LearnedBy = Literal["other folds", "train files", "cross-fitting"]

_SHARE = f"{100 * COVERAGE:.0f} % of the prompts"
_SELDOM = f"judged on less than {_SHARE}"
_UNPRICED = "no price"


class NothingToProve(RegistryError):
    """Judged rows that leave nothing to choose between."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A judged model that is no part of the pool, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A data set that is not evaluated; the reason is what can be said of it, as a verb."""

    dataset: str
    reason: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the person narrowed the evaluation to."""

    fold: int | None = None
    dataset: str | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One data set's evaluation, before any prompt is read.

    `cases` are the prompts judged for the whole pool, `whole` every row of the data set, and
    `learned` the rows about the pool that the baselines learn on, in which cross-fitted cases
    stand at `places`. `models` counts the judged models, left out or not; a price is null where
    nobody knows it.
    """

    dataset: str
    prompts: int
    models: int
    cases: Judged
    whole: Judged
    learned: Judged
    places: RowNumbers | None
    prices: Mapping[str, Price | None]
    has_costs: bool
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the baselines learn on."""

    rows: Judged
    by: LearnedBy


def lessons(judged: Judged, train: Judged | None, fold: int | None) -> Lessons:
    """Return what the baselines learn on: the rows brought for it, else those of other folds.

    Where there are neither, they learn on the judged rows themselves, cross-fitted. A prompt that
    is among the cases teaches nothing from elsewhere. Raises UsageError where nothing is left.
    """
    if fold is not None and not len(judged.fold(fold)):
        folds = ", ".join(map(str, sorted(set(judged.folds.tolist()))[:16]))
        raise UsageError(f"no row is in fold {fold}", hint=f"there are rows in folds {folds}")
    if train is not None:
        cases = judged if fold is None else judged.only(judged.fold(fold))
        return Lessons(train.only(rows_without(train, cases.prompts)), "train files")
    if fold is None:
        return Lessons(judged, "cross-fitting")
    others = rows_outside_fold(judged, fold)
    if not len(others):
        raise UsageError(
            f"every row is in fold {fold}: the baselines have nothing to learn on",
            hint="bring more rows with --train FILE, or leave out --fold",
        )
    return Lessons(judged.only(others), "other folds")


def plans(
    judged: Judged, learned: Lessons, narrowed: Narrowed, given: Mapping[str, Price], pool: Pool
) -> tuple[tuple[Plan, ...], tuple[Skipped, ...]]:
    """Plan the evaluation of every data set, or say why there is none.

    Raises NothingToProve where no data set is left, UnknownRecord for a data set or model that
    is not among the rows, and UsageError for a pool of one.
    """
    planned: list[Plan] = []
    skipped: list[Skipped] = []
    wanted = tuple(dict.fromkeys(narrowed.models))
    if len(wanted) == 1:
        raise UsageError(f"{wanted[0]} alone: there is nothing to route", hint="name two models")
    named = judged.of(wanted) if wanted else judged
    for dataset in _datasets(judged, narrowed.dataset):
        part = _Part(dataset, named, rows_of_dataset(named, dataset, narrowed.fold))
        found = _planned(part, learned, given, pool)
        if isinstance(found, Plan):
            planned.append(found)
        else:
            skipped.append(found)
    if not planned:
        why = "; ".join(f"{one.dataset} {one.reason}" for one in skipped)
        raise NothingToProve(
            f"{why}: there is nothing to route",
            hint="bring rows that judge two models or more on the same prompts",
        )
    return tuple(planned), tuple(skipped)


def _datasets(judged: Judged, wanted: str | None) -> Sequence[str]:
    names = tuple(dict.fromkeys(judged.datasets))
    if wanted is None:
        return names
    if wanted not in names:
        raise unknown("data set", wanted, names)
    return (wanted,)


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one data set that are evaluated, by their numbers in all."""

    dataset: str
    judged: Judged
    numbers: RowNumbers


def _planned(
    part: _Part, learned: Lessons, given: Mapping[str, Price], pool: Pool
) -> Plan | Skipped:
    rows = part.judged.only(part.numbers)
    judged = judged_models(rows)
    often = cut(rows, None)
    prices = find_prices(often.models, given, pool)
    priced = _priced(rows.of(often.models), prices)
    chosen = priced or often
    about = rows_about(learned.rows, chosen.models)
    reason = _why_not(judged, chosen, about)
    if reason is not None:
        return Skipped(part.dataset, reason)
    known = [model for model in chosen.models if model in learned.rows.models]
    cases = part.numbers[chosen.rows]
    whole = part.judged.only(rows_of_dataset(part.judged, part.dataset))
    return Plan(
        dataset=part.dataset,
        prompts=len(rows.prompts),
        models=len(judged),
        cases=part.judged.only(cases).of(chosen.models),
        whole=whole.of(chosen.models),
        learned=learned.rows.only(about).of(known),
        places=places(cases, about) if learned.by == "cross-fitting" else None,
        prices={model: prices[model] for model in chosen.models},
        has_costs=priced is not None,
        left_out=_left_out(judged, often, chosen),
    )


def _why_not(judged: Sequence[str], chosen: Cut, about: RowNumbers) -> str | None:
    """Return what keeps a data set from being evaluated, or null."""
    if not judged:
        return "has no row in the fold"
    if len(judged) == 1:
        return f"judges one model only ({judged[0]})"
    if len(chosen.models) < 2:
        return f"has fewer than two models that were judged on {_SHARE}"
    if not len(chosen.rows):
        return f"has no prompt that was judged for all of its {len(chosen.models)} models"
    return None if len(about) else "has models of which the baselines can learn nothing"


def _priced(rows: Judged, prices: Mapping[str, Price | None]) -> Cut | None:
    """Return the cut in which every cost is known; null where most models have none."""
    chosen = cut(rows, {model for model, price in prices.items() if price is not None})
    is_enough = 2 * len(chosen.models) >= len(rows.models) and len(chosen.models) >= 2
    return chosen if is_enough else None


def _left_out(judged: Sequence[str], often: Cut, chosen: Cut) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(model, _UNPRICED if model in often.models else _SELDOM)
        for model in judged
        if model not in chosen.models
    )
