"""Every policy on the same prompts, the curves, the quality of predictions, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.evaluation.curves import SHARES, Curve, Halves, aiq, curve, halves, hull
from rolecall.registry.evaluation.metrics import (
    auc_per_model,
    brier,
    ece,
    mean_auc,
    model_rank,
    pair_order,
    reliability,
)
from rolecall.registry.evaluation.policies import (
    Policy,
    best_single,
    follow,
    oracle,
    policies,
    sweep,
)
from rolecall.registry.evaluation.results import (
    EvalComparison,
    ModelQuality,
    Point,
    PolicyFigures,
    Quality,
)
from rolecall.registry.evaluation.verdict import EQUAL_SUCCESS, PolicyMeans, judge
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.bootstrap import Draws, centred, draw, interval, known_interval

METRICS = {
    "auc": mean_auc,
    "brier": brier,
    "ece": lambda *tables: centred(ece(*tables)),
    "pair_order": pair_order,
    "model_rank": model_rank,
}
OURS_OVER = "ours_over_usd"
RESAMPLES = 1000
# An AUC is counted anew for every resample and model: fewer will do.
METRIC_RESAMPLES = 400


# By method and metric, a figure on the prompts as they are and on resampled ones (1 + R,).
Resampled = Mapping[str, Mapping[str, Table]]


def compare(
    cases: Cases,
    quality_usd: float,
    seed: int = 7,
    *,
    everyone: Cases | None = None,
    resamples: int = RESAMPLES,
) -> tuple[EvalComparison, Resampled]:
    """Compare all policies on the same cases; `quality_usd` is the value of a correct answer.

    `everyone` is the same prompts with every model that predictions are measured on, by default
    those to choose among. The verdict is about "ours", else about the strongest method given.
    Same cases, same seed, same comparison.
    """
    draws = draw(cases.groups, resamples, seed, cases.sets)
    split = _split(cases, draws, seed)
    method = cases.methods[-1]
    taken = list(policies(cases, quality_usd))
    if split:
        taken.append(follow(cases, EQUAL_SUCCESS, split[method].choices(1.0)))
    means = _policy_means(cases, draws, quality_usd, taken)
    verdict = judge(means)
    everyone = everyone or cases
    resampled = _resampled(everyone, draws, means)
    known = cases.costs is not None
    curves = {name: curve(cases, half.chosen) for name, half in split.items()}
    bounds = _bounds(cases, means.best) if known else {}
    comparison = EvalComparison(
        cases=len(cases.groups),
        coverage=float(np.isfinite(cases.scores).mean()),
        groups=draws.groups,
        models=cases.models,
        measured=everyone.models,
        quality_usd=quality_usd,
        best_single=cases.models[means.best],
        policies=tuple(_figures(policy, cases, means, verdict.model) for policy in taken),
        curves=_hulls({**curves, "mixtures": bounds["mixtures"]}) if known else None,
        singles=_singles(cases) if known else None,
        aiq=aiq({**curves, **bounds}) if known else None,
        cost_at_quality=_cost_at_quality(cases, means.best, split) if known else None,
        quality={name: quality_of(found) for name, found in resampled.items()},
        by_model=_by_model(everyone, method),
        verdict=verdict,
    )
    return comparison, resampled


def quality_of(found: Mapping[str, Table]) -> Quality:
    """Return a method's metrics (1 + R,) with their intervals."""
    return Quality(**{name: known_interval(statistic) for name, statistic in found.items()})


def _split(cases: Cases, draws: Draws, seed: int) -> dict[str, Halves]:
    """Return each method's sweep over the dial, split in halves; nothing without costs."""
    if cases.costs is None:
        return {}
    return {
        method: halves(
            cases, sweep(cases.predicted[method], cases.visible_costs), draws.numbers, seed
        )
        for method in cases.methods
    }


def _policy_means(
    cases: Cases, draws: Draws, quality_usd: float, taken: list[Policy]
) -> PolicyMeans:
    columns = [policy.success for policy in taken] + [policy.cost for policy in taken]
    means = draws.means(np.stack(columns, axis=1), cases.weights)
    return PolicyMeans(
        models=cases.models,
        best=best_single(cases),
        method=cases.methods[-1],
        quality_usd=quality_usd,
        groups=draws.groups,
        costs_known=cases.costs is not None,
        names=tuple(policy.name for policy in taken),
        success=means[:, : len(taken)],
        cost=means[:, len(taken) :],
    )


def _resampled(cases: Cases, draws: Draws, means: PolicyMeans) -> Resampled:
    weights = draws.by_prompt(METRIC_RESAMPLES) * cases.weights
    ours = means.value(means.method)
    return {
        name: {
            **{
                metric: measure(cases.predicted[name], cases.scores, weights)
                for metric, measure in METRICS.items()
            },
            OURS_OVER: ours - means.value(name),
        }
        for name in cases.methods
    }


def _figures(policy: Policy, cases: Cases, means: PolicyMeans, against: str) -> PolicyFigures:
    success, cost = means.of(policy.name)
    base_success, base_cost = means.of(f"single:{against}")
    mean, paid = float(success[0]), float(cost[0])
    value, known = means.value(policy.name), means.costs_known
    with np.errstate(divide="ignore", invalid="ignore"):
        saving = known_interval(1 - cost / base_cost) if known else None
    is_method = policy.name in (*cases.methods, EQUAL_SUCCESS)
    return PolicyFigures(
        policy=policy.name,
        success=mean,
        cost_usd=paid if known else None,
        cost_per_success_usd=paid / mean if known and mean > 0 else None,
        value_usd=float(value[0]),
        regret_usd=float(means.value("oracle")[0] - value[0]),
        shares=dict(zip(cases.models, policy.shares.tolist(), strict=True)),
        success_gain=interval(success - base_success),
        saving=saving,
        value_gain_usd=interval(value - means.value(f"single:{against}")),
        over_mixtures=interval(means.over_mixtures(policy.name)) if is_method else None,
    )


def _singles(cases: Cases) -> dict[str, Point]:
    success, cost = cases.mean(cases.success).tolist(), cases.mean(cases.paid).tolist()
    return {
        model: Point(cost[column], success[column]) for column, model in enumerate(cases.models)
    }


def _hulls(curves: Mapping[str, Curve]) -> dict[str, tuple[Point, ...]]:
    return {
        name: tuple(Point(cost, success) for cost, success in np.column_stack(hull(found)).tolist())
        for name, found in curves.items()
    }


def _bounds(cases: Cases, best: int) -> dict[str, Curve]:
    """Return what the curves lie between: one model, mixtures of all models, and the oracle."""
    success, cost = cases.mean(cases.success), cases.mean(cases.paid)
    known = oracle(cases)
    return {
        "best single": (cost[[best]], success[[best]]),
        "mixtures": (cost, success),
        "oracle": curve(known, sweep(known.scores, known.paid)),
    }


def _cost_at_quality(
    cases: Cases, best: int, split: Mapping[str, Halves]
) -> dict[str, dict[str, Point | None] | float]:
    found: dict[str, dict[str, Point | None] | float] = {}
    for method, half in split.items():
        pairs = {name: half.cost_at_quality(share) for name, share in SHARES.items()}
        found[method] = {
            name: None if pair is None else Point(*pair) for name, pair in pairs.items()
        }
    return {**found, "best single": float(cases.mean(cases.paid)[best])}


def _by_model(cases: Cases, method: str) -> dict[str, ModelQuality]:
    said, aucs = cases.predicted[method], auc_per_model(cases.predicted[method], cases.scores)

    def quality(column: int) -> ModelQuality:
        pair: tuple[Any, Any] = said[:, [column]], cases.scores[:, [column]]
        auc = float(aucs[column])
        return ModelQuality(
            auc=None if np.isnan(auc) else auc,
            brier=float(brier(*pair)),
            ece=float(ece(*pair)),
            reliability=reliability(*pair),
        )

    return {model: quality(column) for column, model in enumerate(cases.models)}
