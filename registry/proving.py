"""Prove the scorer: beside the baselines and single models, on the same judged prompts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rolecall.registry.errors import UsageError
from rolecall.registry.facts import facts_of
from rolecall.registry.layers import DEFAULT_STRATEGY
from rolecall.registry.learning.loading import Known
from rolecall.registry.learning.loading_facts import known_facts
from rolecall.registry.naming import named
from rolecall.registry.proving_cases import Report, cases_of, read_prompts
from rolecall.registry.proving_plan import (
    LearnedBy,
    LeftOut,
    Narrowed,
    Plan,
    Skipped,
    lessons,
    plans,
)
from rolecall.registry.records import Pool, Price, Strategy
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.data import read_judged, spelled_out
from rolecall.registry.scorer.proof.proof import Proof
from rolecall.registry.scorer.proof.prove import prove
from rolecall.registry.scorer.segments import has_costs

# Judged rows hold no times: of a strategy's terms these are what can be counted.
COUNTED = ("success", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be proved, and on what.

    `train` are files that the baselines learn on. `quality_usd` stands in for the strategy's.
    """

    files: tuple[Path, ...]
    train: tuple[Path, ...] = ()
    narrowed: Narrowed = field(default_factory=Narrowed)
    strategy: str | None = None
    quality_usd: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    skip_bad: bool = False
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Segment:
    """The proof on one data set, and what it rests on.

    `models_judged` counts the models with a score there, `learned` the prompts that the
    baselines learned on, and `seen` the cases that the scorer itself may have learned from.
    """

    dataset: str
    prompts: int
    models_judged: int
    learned: int
    seen: int
    left_out: tuple[LeftOut, ...]
    prices: Mapping[str, Mapping[str, Any]]
    proof: Proof

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, the proof's keys among its own."""
        return {
            "dataset": self.dataset,
            "prompts": self.prompts,
            "models_judged": self.models_judged,
            "learned": self.learned,
            "seen": self.seen,
            "left_out": [asdict(one) for one in self.left_out],
            "prices": dict(self.prices),
            **self.proof.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it, a segment for each data set; `bad_lines` spells out what was left out."""

    scorer_version: str
    strategy: str
    quality_usd: float
    learned_by: LearnedBy
    segments: tuple[Segment, ...]
    skipped: tuple[Skipped, ...]
    bad_lines: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "scorer_version": self.scorer_version,
            "strategy": self.strategy,
            "quality_usd": self.quality_usd,
            "counted": list(COUNTED),
            "learned_by": self.learned_by,
            "segments": [segment.to_dict() for segment in self.segments],
            "skipped": [asdict(one) for one in self.skipped],
            "bad_lines": self.bad_lines,
        }


def prove_scorer(known: Known, wanted: Wanted, report: Report) -> Evaluation:
    """Compare the scorer with its baselines on judged prompts; it learns nothing from them.

    `report` is told how many prompts have been read, of how many.
    Raises InvalidDocument for bad rows, UnknownRecord for a strategy, data set or model that is
    not there, NothingToProve, UsageError, ScorerUnusable.
    """
    pool, scorer = known.pool, known.scorer
    strategy, quality_usd = _worth(pool, wanted)
    judged, bad = read_judged(wanted.files, skip_bad=wanted.skip_bad)
    train = None
    if wanted.train:
        train, bad_train = read_judged(wanted.train, skip_bad=wanted.skip_bad)
        bad += bad_train
    learned = lessons(judged, train, wanted.narrowed.fold)
    planned, skipped = plans(judged, learned, wanted.narrowed, wanted.prices, pool)
    readings = read_prompts(scorer, planned, report)
    models = dict.fromkeys(model for plan in planned for model in plan.cases.models)
    facts = known_facts(models, facts_of(pool))
    proofs = [
        prove(cases_of(plan, scorer, facts, readings, wanted.seed), quality_usd, wanted.seed)
        for plan in planned
    ]
    return Evaluation(
        scorer_version=scorer.version,
        strategy=strategy,
        quality_usd=quality_usd,
        learned_by=learned.by,
        segments=tuple(map(_segment, planned, proofs)),
        skipped=skipped,
        bad_lines=spelled_out(bad) if bad else None,
    )


def _worth(pool: Pool, wanted: Wanted) -> tuple[str, float]:
    """Return the strategy's name, and what a right answer is worth in USD."""
    if wanted.strategy is None and all(one.id != DEFAULT_STRATEGY for one in pool.strategies):
        strategy = Strategy(DEFAULT_STRATEGY)
    else:
        strategy = named(pool.strategies, "strategy", wanted.strategy or DEFAULT_STRATEGY)
    quality_usd = strategy.quality_usd if wanted.quality_usd is None else wanted.quality_usd
    if not (math.isfinite(quality_usd) and quality_usd >= 0):
        raise UsageError(f"a right answer cannot be worth {quality_usd:g}", hint="give USD: 0.05")
    return strategy.id, quality_usd


def _segment(plan: Plan, proof: Proof) -> Segment:
    return Segment(
        dataset=plan.dataset,
        prompts=plan.prompts,
        models_judged=plan.models,
        learned=len(plan.learned.prompts),
        seen=_seen(plan),
        left_out=plan.left_out,
        prices={model: _priced(plan, model) for model in plan.cases.models},
        proof=proof,
    )


def _seen(plan: Plan) -> int:
    """Return how many cases stand in folds of a data set that the shipped scorer learned from."""
    told = card()
    if plan.dataset not in {one["set"] for one in told["data"]["sets"]}:
        return 0
    split = told["split"]
    return len(plan.cases.fold(*split["train_folds"], split["tune_fold"]))


def _priced(plan: Plan, model: str) -> dict[str, Any]:
    """Return what a model asks for and who says so; `rows` where each case has its own cost."""
    price = plan.prices[model]
    has_own = has_costs(plan.cases.of([model]))
    if price is None:
        source = "rows" if has_own else None
        return {"input_usd_per_mtok": None, "output_usd_per_mtok": None, "source": source}
    return {
        "input_usd_per_mtok": price.input_usd_per_mtok,
        "output_usd_per_mtok": price.output_usd_per_mtok,
        "source": f"rows, {price.source}" if has_own else price.source,
    }
