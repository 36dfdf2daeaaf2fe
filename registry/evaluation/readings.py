"""The prompts of planned evaluations, read once, and the tables that comparisons are made on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rolecall.registry.core.entities import Price
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.core.reporting import ReportProgress
from rolecall.registry.core.requests import Message, Request
from rolecall.registry.evaluation.cases import Cases, additive
from rolecall.registry.evaluation.costs import Spending
from rolecall.registry.evaluation.plan import EvalPlan
from rolecall.registry.learning.fits import CrossFits
from rolecall.registry.routing.rules.token_estimate import estimate_tokens
from rolecall.registry.scorer import baselines
from rolecall.registry.scorer.arrays import Floats, Table
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encoder import KeptEmbeddings
from rolecall.registry.scorer.model import Reading, Scorer

# An evaluation that is broken off loses the embeddings of so many prompts at most.
_SAVED_EVERY = 2000
# Success rises with list price at least so much per power of ten, or it would be no price order.
_LEAST_RISE = 0.001
_LEAST_USD = 0.001


@dataclass(frozen=True, slots=True)
class Readings:
    """What the scorer read of the cases, and the place (A,) of each prompt among the judged."""

    cases: dict[str, Reading] = field(default_factory=dict)
    places: dict[str, Floats] = field(default_factory=dict)

    def table(self, prompts: Sequence[str]) -> Floats:
        """Return the prompts' places (N, A)."""
        return np.stack([self.places[prompt] for prompt in prompts])


def read_prompts(
    scorer: Scorer, planned: Sequence[EvalPlan], report: ReportProgress, kept: Path | None = None
) -> Readings:
    """Read every prompt that a plan needs, each once; `report` is told how many, of how many.

    Those are the cases, and what the baselines learn from. Embeddings in the file `kept` are
    taken from there, and new ones are added to it.
    """
    cases = {prompt for plan in planned for prompt in plan.cases.prompts}
    prompts = list(dict.fromkeys(prompt for plan in planned for prompt in plan.learned.prompts))
    prompts = [*sorted(cases), *(prompt for prompt in prompts if prompt not in cases)]
    encoder = KeptEmbeddings(scorer.encoder, kept)
    reader = scorer.with_encoder(encoder)
    readings = Readings()
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the encoder lets other threads run
        read = threads.map(lambda prompt: encoder.encode([prompt]), prompts)
        for number, (prompt, embeddings) in enumerate(zip(prompts, read, strict=True), start=1):
            readings.places[prompt] = scorer.head.neighbours.locate(embeddings)[0]
            if prompt in cases:
                readings.cases[prompt] = reader.read(prompt)
            report(number, len(prompts))
            if number % _SAVED_EVERY == 0:
                encoder.save()
    encoder.save()
    return readings


def cases_of(
    plan: EvalPlan,
    scorers: CrossFits,
    facts: Mapping[str, ModelFacts],
    readings: Readings,
    seed: int,
) -> tuple[Cases, Cases]:
    """Return a plan's cases, with what each method predicts: of the pool, and of all models.

    A prompt that the user's fits have seen is predicted by fits to other groups.
    """
    models, cases = plan.cases.models, plan.cases
    known = [facts[model] for model in models]
    predictions = [
        scorers.without(prompt, group).predict(readings.cases[prompt], known)
        for prompt, group in zip(cases.prompts, cases.groups, strict=True)
    ]
    ours = np.array([[one.success for one in row] for row in predictions], dtype=np.float64)
    tokens = np.array([[one.output_tokens for one in row] for row in predictions], dtype=np.float64)
    everyone = Cases(
        models=models,
        sets=cases.datasets,
        groups=cases.groups,
        weights=plan.weights,
        scores=cases.scores.astype(np.float64),
        costs=None,
        expected_costs=None,
        predicted={"ours": ours, **_baselines(plan, readings, seed)},
    )
    if not plan.has_costs:
        return everyone, everyone
    paid, expected = _costs(plan, tokens)
    columns = [models.index(model) for model in plan.pool]
    pool = replace(
        everyone,
        models=plan.pool,
        scores=everyone.scores[:, columns],
        costs=paid[:, columns],
        expected_costs=expected[:, columns],
        predicted={name: table[:, columns] for name, table in everyone.predicted.items()},
    )
    return pool, everyone


def _baselines(plan: EvalPlan, readings: Readings, seed: int) -> dict[str, Table]:
    models, cases, learned = plan.cases.models, plan.cases, plan.learned
    ability, level = _ability(learned, models, cases.datasets)
    found = {"one ability": np.clip(level + ability, 0.01, 0.99)}
    prices = [plan.prices[model] or Price() for model in models]
    usd = np.array([price.output_usd_per_mtok for price in prices], dtype=np.float64)
    if 2 * np.isfinite(usd).sum() >= len(usd):
        found["price order"] = np.clip(level + _by_price(ability, usd), 0.01, 0.99)
    if plan.places is not None:
        fitted = baselines.cross_fitted(learned, readings.table(learned.prompts), seed)
        return found | {method: table[plan.places] for method, table in fitted.items()}
    places, asked = readings.table(learned.prompts), readings.table(cases.prompts)
    detected = baselines.detected_tasks(learned.tasks, places, asked)
    return found | {
        "task means": baselines.task_means(learned, cases.tasks, models, seed),
        "detected tasks": baselines.task_means(learned, detected, models, seed),
        "nearest": baselines.nearest(learned, places, asked, models, seed),
    }


def _ability(
    learned: Judged, models: Sequence[str], datasets: Sequence[str]
) -> tuple[Table, Table]:
    """Return one ability for each model (M,), and how much easier each prompt's set is (N, 1).

    Models are compared on the prompts that they share; one never judged is as good as the mean.
    Cross-fitted cases are among the rows: figures so few learn next to nothing from one of them.
    """
    ability, prompt_effect = additive(learned.scores.astype(np.float64))
    names = np.array(learned.datasets, dtype=object)
    level = {name: prompt_effect[names == name].mean() for name in set(learned.datasets)}
    known = dict(zip(learned.models, ability.tolist(), strict=True))
    mean = float(np.mean(ability))
    return (
        np.array([known.get(model, mean) for model in models]),
        np.array([[level.get(name, 0.0)] for name in datasets]),
    )


def _by_price(ability: Table, usd: Table) -> Table:
    """Return a success for each model (M,) that rises with its list price and with nothing else.

    The line through the models' abilities over the logarithm of price, by least squares; a model
    without a price is as good as the mean.
    """
    level = np.log10(np.maximum(usd, _LEAST_USD))
    level = np.nan_to_num(level - np.nanmean(level))
    rise = max(float((level * ability).sum() / max((level**2).sum(), 1.0)), _LEAST_RISE)
    return np.asarray(ability.mean() + rise * level)


def _costs(plan: EvalPlan, predicted_tokens: Table) -> tuple[Table, Table]:
    """Return the cost paid (N, M), and the cost expected before the call, set by set."""
    models, cases = plan.cases.models, plan.cases
    datasets, whole = (
        np.array(cases.datasets, dtype=object),
        np.array(plan.whole.datasets, dtype=object),
    )
    paid, expected = np.empty_like(predicted_tokens), np.empty_like(predicted_tokens)
    for name in dict.fromkeys(cases.datasets):
        rows = np.flatnonzero(datasets == name)
        part = cases.only(rows)
        spending = Spending(
            cases=part,
            whole=plan.whole.only(whole == name),
            prices=[plan.prices[model] for model in models],
            input_tokens=[_input_tokens(prompt) for prompt in part.prompts],
            predicted_tokens=predicted_tokens[rows],
        )
        paid[rows], expected[rows] = spending.paid(), spending.expected()
    return paid, expected


def _input_tokens(prompt: str) -> int:
    return estimate_tokens(Request((Message("user", prompt),)))
