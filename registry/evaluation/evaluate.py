"""Evaluate the scorer: beside the baselines and single models, on the same judged prompts."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.catalog.lookup import known_facts
from rolecall.registry.core.entities import Price, Registry, Strategy
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.reporting import ReportProgress, Tell
from rolecall.registry.core.suggestions import named
from rolecall.registry.evaluation.compare import METRICS, OURS_OVER, Resampled, compare, quality_of
from rolecall.registry.evaluation.plan import (
    EvalPlan,
    LearnedBy,
    LeftOut,
    Selection,
    Skipped,
    plans,
    training_rows,
)
from rolecall.registry.evaluation.readings import cases_of, read_prompts
from rolecall.registry.evaluation.results import EvalComparison, Quality
from rolecall.registry.learning.fits import CrossFits, cross_fitted
from rolecall.registry.learning.loading import RegistryAndScorer, read_known
from rolecall.registry.policy.layers import DEFAULT_STRATEGY
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.artifact import load_seen
from rolecall.registry.scorer.data import read_judged, spelled_out
from rolecall.registry.scorer.encoder import embeddings_file
from rolecall.registry.storage.connection import Database

# Judged rows hold no times: of a strategy's terms these are what can be counted.
COUNTED = ("success", "cost")


def kept_embeddings(folder: Path) -> Path:
    """Return the file in a folder that holds embeddings by the shipped scorer's encoder."""
    return embeddings_file(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRequest:
    """What is to be evaluated, and on what.

    `train` are files that the baselines learn on. `quality_usd` goes before the strategy's.
    `embeddings` is a file in which those of prompts are kept from one evaluation to the next.
    """

    files: tuple[Path, ...]
    train: tuple[Path, ...] = ()
    selection: Selection = field(default_factory=Selection)
    strategy: str | None = None
    quality_usd: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    skip_bad: bool = False
    seed: int = 7
    embeddings: Path | None = None


@dataclass(frozen=True, slots=True)
class SetEvaluation:
    """The comparison on one data set or mixed workload, and what it rests on.

    `models_judged` counts the models with a score there, `learned` the prompts that the
    baselines learned on, `seen` the prompts that the scorer learned from, which are among the
    cases only if they were asked for. The user's fits learned from `cross_fitted` of the cases,
    which are predicted by fits to other groups. A price is null where nobody knows it. `shares`
    are those of the sets in a mixed workload.
    """

    dataset: str
    prompts: int
    models_judged: int
    learned: int
    seen: int
    cross_fitted: int
    shares: Mapping[str, float] | None
    left_out: tuple[LeftOut, ...]
    prices: Mapping[str, Price | None]
    comparison: EvalComparison


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it, set by set, and over all of them.

    `by_prompts` weighs a set by its prompts and `by_set` all sets alike; both are null with one
    set. `seen_left_out` says what became of prompts that the scorer learned from, and `bad_lines`
    spells out what was left out of the files.
    """

    scorer_version: str
    strategy: str
    quality_usd: float
    learned_by: LearnedBy
    seen_left_out: bool
    sets: tuple[SetEvaluation, ...]
    by_prompts: Mapping[str, Quality] | None
    by_set: Mapping[str, Quality] | None
    skipped: tuple[Skipped, ...]
    bad_lines: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, each comparison's keys among its set's."""
        told = asdict(self)
        told["sets"] = [{**one, **one.pop("comparison")} for one in told["sets"]]
        return {**told, "counted": list(COUNTED)}


def evaluate(db: Database, request: EvalRequest, report: ReportProgress, tell: Tell) -> Evaluation:
    """Compare a registry's scorer with its baselines; see `evaluate_scorer`."""
    known = read_known(db, tell)
    scorers = cross_fitted(db, known.scorer)
    return evaluate_scorer(known, request, report, load_seen(), scorers)


def evaluate_scorer(
    known: RegistryAndScorer,
    request: EvalRequest,
    report: ReportProgress,
    seen: Collection[int] = (),
    scorers: CrossFits | None = None,
) -> Evaluation:
    """Compare the scorer with its baselines on judged prompts; it learns nothing from them.

    `report` is told how many prompts have been read, of how many. Prompts whose keys
    (`prompt_key`) are `seen` are left out unless the selection includes them; what the user's
    fits have seen is predicted by `scorers` that have not. Raises InvalidDocument for bad rows,
    UnknownRecord for a strategy, data set or model that is not there, NothingToEvaluate,
    UsageError, ScorerUnusable.
    """
    registry, scorer, selection = known.registry, known.scorer, request.selection
    strategy, quality_usd = _quality_usd(registry, request)
    judged, bad = read_judged(request.files, skip_bad=request.skip_bad)
    train = None
    if request.train:
        train, bad_train = read_judged(request.train, skip_bad=request.skip_bad)
        bad += bad_train
    learned = training_rows(judged, train, selection.fold)
    planned, skipped = plans(judged, learned, selection, seen, (request.prices, registry))
    scorers = scorers or CrossFits(scorer, (), {})
    readings = read_prompts(scorer, planned, report, request.embeddings)
    models = dict.fromkeys(model for plan in planned for model in plan.cases.models)
    facts = known_facts(models, facts_of(registry))
    compared = []
    for plan in planned:
        cases, everyone = cases_of(plan, scorers, facts, readings, request.seed)
        compared.append(compare(cases, quality_usd, request.seed, everyone=everyone))
    resampled = [one for _, one in compared]
    sizes = [len(plan.cases.prompts) for plan in planned]
    several = len(planned) > 1
    return Evaluation(
        scorer_version=scorer.version,
        strategy=strategy,
        quality_usd=quality_usd,
        learned_by=learned.by,
        seen_left_out=not selection.include_seen,
        sets=tuple(
            _of_plan(plan, one, selection, scorers)
            for plan, (one, _) in zip(planned, compared, strict=True)
        ),
        by_prompts=_means(resampled, sizes) if several else None,
        by_set=_means(resampled, [1] * len(sizes)) if several else None,
        skipped=skipped,
        bad_lines=spelled_out(bad) if bad else None,
    )


def _quality_usd(registry: Registry, request: EvalRequest) -> tuple[str, float]:
    """Return the strategy's name, and the value of a correct answer in USD."""
    if request.strategy is None and all(one.id != DEFAULT_STRATEGY for one in registry.strategies):
        strategy = Strategy(DEFAULT_STRATEGY)
    else:
        strategy = named(registry.strategies, "strategy", request.strategy or DEFAULT_STRATEGY)
    quality_usd = strategy.quality_usd if request.quality_usd is None else request.quality_usd
    if not (math.isfinite(quality_usd) and quality_usd >= 0):
        message = f"the value of a correct answer cannot be {quality_usd:g}"
        raise UsageError(message, hint="give USD: 0.05")
    return strategy.id, quality_usd


def _means(found: Sequence[Resampled], sizes: Sequence[int]) -> dict[str, Quality]:
    """Return the mean over data sets of what each of them could tell, weighed by `sizes`."""
    methods = dict.fromkeys(method for one in found for method in one)
    return {
        method: quality_of(
            {
                metric: mean_over_sets(
                    [one[method][metric] for one in found if method in one], weights
                )
                for metric in (*METRICS, OURS_OVER)
            }
        )
        for method in methods
        if (weights := [size for one, size in zip(found, sizes, strict=True) if method in one])
    }


def mean_over_sets(figures: Sequence[Table], sizes: Sequence[int]) -> Table:
    """Return the mean (1 + R,) of the figures that are known on the prompts as they are."""
    table = np.stack(figures)
    known = np.isfinite(table) & np.isfinite(table[:, :1])
    weights = known * np.array(sizes, dtype=np.float64)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((np.where(known, table, 0.0) * weights).sum(axis=0) / weights.sum(axis=0))


def _of_plan(
    plan: EvalPlan, comparison: EvalComparison, selection: Selection, scorers: CrossFits
) -> SetEvaluation:
    shares = None
    if selection.mixed:
        total = dict.fromkeys(dict.fromkeys(plan.cases.datasets), 0.0)
        for name, weight in zip(plan.cases.datasets, plan.weights.tolist(), strict=True):
            total[name] += weight / len(plan.weights)
        shares = total
    return SetEvaluation(
        dataset=plan.dataset,
        prompts=plan.prompts,
        models_judged=plan.judged,
        learned=len(plan.learned.prompts),
        seen=plan.seen,
        cross_fitted=sum(map(scorers.has_seen, plan.cases.prompts, plan.cases.groups)),
        shares=shares,
        left_out=plan.left_out,
        prices={model: plan.prices[model] for model in plan.pool},
        comparison=comparison,
    )
