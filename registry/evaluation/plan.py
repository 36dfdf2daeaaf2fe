"""Which judged prompts, models and prices an evaluation rests on, and what is left out of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.entities import Price, Registry
from rolecall.registry.core.errors import RegistryError, UsageError
from rolecall.registry.core.suggestions import unknown
from rolecall.registry.evaluation.prices import find_prices
from rolecall.registry.scorer.arrays import Rows, Table
from rolecall.registry.scorer.artifact import prompt_key
from rolecall.registry.scorer.data import Judged

LearnedBy = Literal["other folds", "train files", "cross-fitting"]

# A model that was asked less often in a data set says too little there.
LEAST_COVERAGE = 0.2
LEAST_SCORES = 10

_SELDOM = f"asked on less than {LEAST_COVERAGE:.0%} of the prompts of a set, or on less than 10"
_UNPRICED = "no price"


class NothingToEvaluate(RegistryError):
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
class Selection:
    """What the person narrowed the evaluation to, and whether the sets are one workload.

    `shares` are the weights of data sets in a mixed workload, 1 where none is given.
    """

    fold: int | None = None
    dataset: str | None = None
    models: tuple[str, ...] = ()
    mixed: bool = False
    shares: Mapping[str, float] = field(default_factory=dict)
    include_seen: bool = False


def read_shares(text: str | None, *, mixed: bool) -> dict[str, float]:
    """Return the shares in a text such as `chat=3,code=1`; raises UsageError."""
    if text is not None and not mixed:
        raise UsageError("--share says nothing without --mixed", hint="add --mixed")
    shares: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, _, number = part.strip().rpartition("=")
        try:
            shares[name] = float(number)
        except ValueError:
            shares[name] = math.nan
        if not name or not 0 < shares[name] < math.inf:
            raise UsageError(
                f'cannot read the share "{part.strip()}"', hint="--share chat=3,code=1"
            )
    return shares


@dataclass(frozen=True, slots=True)
class EvalPlan:
    """One evaluation, of a data set or a mixed workload, before any prompt is read.

    `cases` are the prompts on which a model of the `pool` was judged, with every model asked often
    enough, each prompt counting by `weights` (N,). The pool is what policies choose among, with
    costs if it `has_costs`. `whole` is every row of the data sets, and `learned` the rows that
    the baselines learn on, in which cross-fitted cases stand at `places`. `judged` counts the
    judged models, left out or not, and `seen` the prompts that the scorer learned from, which are
    left out unless they were asked for; a price is null where nobody knows it.
    """

    dataset: str
    prompts: int
    judged: int
    seen: int
    cases: Judged
    pool: tuple[str, ...]
    weights: Table
    whole: Judged
    learned: Judged
    places: Rows | None
    prices: Mapping[str, Price | None]
    has_costs: bool
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What the baselines learn on."""

    rows: Judged
    by: LearnedBy


def training_rows(judged: Judged, train: Judged | None, fold: int | None) -> TrainingRows:
    """Return what the baselines learn on: the rows brought for it, else those of other folds.

    Where there are neither, they learn on the judged rows themselves, cross-fitted. A prompt that
    is among the cases teaches nothing from elsewhere. Raises UsageError where nothing is left.
    """
    if fold is not None and not len(judged.fold(fold)):
        folds = ", ".join(map(str, sorted(set(judged.folds.tolist()))[:16]))
        raise UsageError(f"no row is in fold {fold}", hint=f"there are rows in folds {folds}")
    if train is not None:
        cases = set((judged if fold is None else judged.only(judged.fold(fold))).prompts)
        is_other = np.array([prompt not in cases for prompt in train.prompts], dtype=bool)
        return TrainingRows(train.only(is_other), "train files")
    if fold is None:
        return TrainingRows(judged, "cross-fitting")
    if (judged.folds == fold).all():
        raise UsageError(
            f"every row is in fold {fold}: the baselines have nothing to learn on",
            hint="bring more rows with --train FILE, or leave out --fold",
        )
    return TrainingRows(judged.only(judged.folds != fold), "other folds")


def plans(
    judged: Judged,
    learned: TrainingRows,
    selection: Selection,
    seen: Collection[int],
    prices: tuple[Mapping[str, Price], Registry],
) -> tuple[tuple[EvalPlan, ...], tuple[Skipped, ...]]:
    """Plan the evaluation of every data set, or of all as one, or say why there is none.

    `seen` are the keys of the prompts that the scorer learned from, `prices` those given, and the
    registry to look others up in. Raises NothingToEvaluate where no data set is left,
    UnknownRecord for a data set or model that is not among the rows, and UsageError for a pool of
    one.
    """
    wanted = tuple(sorted(set(selection.models)))
    if len(wanted) == 1:
        raise UsageError(f"{wanted[0]} alone: there is nothing to route", hint="name two models")
    named = judged.of(wanted) if wanted else judged
    planner = _Planner(named, learned, selection, seen, prices)
    planned: list[EvalPlan] = []
    skipped: list[Skipped] = []
    for sets in _workloads(judged, selection):
        found = planner.plan(sets)
        if isinstance(found, EvalPlan):
            planned.append(found)
        else:
            skipped.append(found)
    if not planned:
        why = "; ".join(f"{one.dataset} {one.reason}" for one in skipped)
        hint = "bring rows that judge two models or more on the same prompts"
        if selection.mixed:
            hint = _shared_hint(planner.rows(tuple(dict.fromkeys(judged.datasets)))[0]) or hint
        raise NothingToEvaluate(f"{why}: there is nothing to route", hint=hint)
    return tuple(planned), tuple(skipped)


def _workloads(judged: Judged, selection: Selection) -> list[tuple[str, ...]]:
    """Return the data sets of each evaluation."""
    names = tuple(dict.fromkeys(judged.datasets))
    for name in (*selection.shares, *filter(None, [selection.dataset])):
        if name not in names:
            raise unknown("data set", name, names)
    if selection.dataset is not None:
        return [(selection.dataset,)]
    return [names] if selection.mixed else [(name,) for name in names]


@dataclass(frozen=True, slots=True)
class _Planner:
    judged: Judged
    learned: TrainingRows
    selection: Selection
    seen: Collection[int]
    prices: tuple[Mapping[str, Price], Registry]

    def rows(self, sets: tuple[str, ...]) -> tuple[Judged, Rows, NDArray[np.bool_]]:
        """Return the rows to evaluate on, their numbers, and which rows are of these sets."""
        fold = self.selection.fold
        of_sets = np.isin(np.array(self.judged.datasets, dtype=object), sets)
        numbers = np.flatnonzero(of_sets if fold is None else of_sets & (self.judged.folds == fold))
        return self.judged.only(numbers), numbers, of_sets

    def plan(self, sets: tuple[str, ...]) -> EvalPlan | Skipped:
        """Plan one evaluation; it names what is left out."""
        name = " + ".join(sets)
        rows, numbers, of_sets = self.rows(sets)
        judged = _judged_models(rows)
        often = _often_asked(rows, sets)
        prices = find_prices(often, *self.prices)
        pool = _priced(rows.of(often), prices)
        has_costs = 2 * len(pool) >= len(often) and len(pool) >= 2
        pool = pool if has_costs else often
        seen = np.array([prompt_key(prompt) in self.seen for prompt in rows.prompts], dtype=bool)
        known = np.isfinite(rows.of(pool).scores).sum(axis=1)
        is_case = (known > 0) & (self.selection.include_seen | ~seen)
        about = _rows_about(self.learned.rows, often)
        reason = _why_not(judged, pool, known[is_case], len(about))
        cases = rows.only(is_case).of(often)
        if reason is None and len(set(cases.datasets)) < len(sets):
            reason = "has a set without a prompt to evaluate on"
        if reason is not None:
            return Skipped(name, reason)
        return EvalPlan(
            dataset=name,
            prompts=len(rows.prompts),
            judged=len(judged),
            seen=int(seen.sum()),
            cases=cases,
            pool=tuple(pool),
            weights=_weights(cases.datasets, self.selection.shares),
            whole=self.judged.only(of_sets).of(often),
            learned=self.learned.rows.only(about).of(
                [model for model in often if model in self.learned.rows.models]
            ),
            places=(
                np.searchsorted(about, numbers[is_case])
                if self.learned.by == "cross-fitting"
                else None
            ),
            prices=prices,
            has_costs=has_costs,
            left_out=tuple(
                LeftOut(model, _UNPRICED if model in often else _SELDOM)
                for model in judged
                if model not in pool
            ),
        )


def _shared_hint(rows: Judged) -> str | None:
    """Return which data sets judge the most models together, of as many sets as share any two."""
    sets = tuple(dict.fromkeys(rows.datasets))
    asked = np.zeros((len(sets), len(rows.models)), dtype=np.intp)
    for number, name in enumerate(sets):
        often = set(_often_asked(rows, [name]))
        asked[number] = [model in often for model in rows.models]
    together = asked.T @ asked  # (M, M), how many sets judge both
    np.fill_diagonal(together, 0)
    most = int(together.max(initial=0))
    if most < 2:
        return None
    first, second = np.argwhere(together == most)[0]
    shared = [name for name, row in zip(sets, asked, strict=True) if row[first] and row[second]]
    return f"take sets that judge the same models, as {', '.join(shared)} do"


def _judged_models(rows: Judged) -> list[str]:
    columns = np.flatnonzero(np.isfinite(rows.scores).any(axis=0))
    return [rows.models[column] for column in columns]


def _often_asked(rows: Judged, sets: Sequence[str]) -> list[str]:
    """Return the models that were asked often enough in each of the data sets."""
    names, known = np.array(rows.datasets, dtype=object), np.isfinite(rows.scores)
    enough = np.ones(len(rows.models), dtype=bool)
    for name in sets:
        asked = known[names == name]
        least = max(LEAST_COVERAGE * len(asked), min(LEAST_SCORES, len(asked)), 1)
        enough &= asked.sum(axis=0) >= least
    return [rows.models[column] for column in np.flatnonzero(enough)]


def _priced(rows: Judged, prices: Mapping[str, Price | None]) -> list[str]:
    """Return the models of which every cost is known: by price, or by the rows' own."""
    without = np.isfinite(rows.scores) & ~np.isfinite(rows.costs)
    return [
        model
        for column, model in enumerate(rows.models)
        if prices[model] is not None or not without[:, column].any()
    ]


def _rows_about(rows: Judged, models: Collection[str]) -> Rows:
    """Return the numbers of the rows that any of these models was judged on."""
    columns = [column for column, model in enumerate(rows.models) if model in models]
    return np.flatnonzero(np.isfinite(rows.scores[:, columns]).any(axis=1))


def _weights(datasets: Sequence[str], shares: Mapping[str, float]) -> Table:
    """Return how much each prompt counts (N,): equally in a data set, and each set by its share."""
    names, places, counts = np.unique(
        np.array(datasets, dtype=object), return_inverse=True, return_counts=True
    )
    if len(names) == 1:
        return np.ones(len(datasets))
    each = np.array([shares.get(name, 1.0) for name in names]) / counts
    weights = each[places]
    return np.asarray(weights / weights.mean())


def _why_not(judged: Sequence[str], pool: Sequence[str], answers: Rows, learned: int) -> str | None:
    """Return what keeps rows from being evaluated, or null; `answers` counts them by case."""
    if not judged:
        return "has no row in the fold"
    if len(judged) == 1:
        return f"judges one model only ({judged[0]})"
    if len(pool) < 2:
        return f"has fewer than two models that were asked on {LEAST_COVERAGE:.0%} of each set"
    if not len(answers):
        return "has no prompt that this scorer has not learned from (--include-seen)"
    if answers.max() < 2:
        return "has no prompt on which two of its models were asked"
    return None if learned else "has models of which the baselines can learn nothing"
