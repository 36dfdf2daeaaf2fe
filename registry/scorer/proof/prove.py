"""The proof: every policy on the same cases, the curves, the calibration and a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rolecall.registry.scorer.proof.bootstrap import (
    Resampled,
    group_numbers,
    interval,
    known_interval,
    resample,
)
from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.proof.curves import Curve, aiq, curve
from rolecall.registry.scorer.proof.holding import SHARES, Halves, halves
from rolecall.registry.scorer.proof.metrics import quality
from rolecall.registry.scorer.proof.pairs import two_models
from rolecall.registry.scorer.proof.policies import (
    Choices,
    Policy,
    best_single,
    follow,
    policies,
    sweep,
)
from rolecall.registry.scorer.proof.proof import Point, PolicyFigures, Proof
from rolecall.registry.scorer.proof.verdict import EQUAL_SUCCESS, Trial, judge


def prove(cases: Cases, quality_usd: float, seed: int = 7, resamples: int = 2000) -> Proof:
    """Compare all policies on the same cases; a right answer is worth `quality_usd`.

    Models come out in the order of their names, policies as in `policies`. The verdict is about
    "ours", else about the strongest method given. Same cases, same seed, same proof.
    """
    cases = cases.by_name()
    best = best_single(cases)
    numbers = group_numbers(cases.groups)
    split = _split(cases, numbers, seed)
    taken = policies(cases, quality_usd)
    judged = cases.methods[-1]
    extra = [follow(cases, EQUAL_SUCCESS, split[judged].choices(1.0))] if split else []
    resampled = resample([*taken, *extra], numbers, resamples, seed)
    groups = int(numbers.max()) + 1
    known = cases.costs is not None
    trial = Trial(cases.models, best, judged, quality_usd, groups, known, resampled)
    curves = {method: curve(cases, half.chosen) for method, half in split.items()}
    return Proof(
        cases=len(cases.groups),
        models=cases.models,
        quality_usd=quality_usd,
        best_single=cases.models[best],
        policies=_figures(cases, taken, quality_usd, resampled),
        curves={name: _points(found) for name, found in curves.items()} if known else None,
        singles=_singles(cases) if known else None,
        aiq=aiq({**curves, **_bounds(cases, best)}) if known else None,
        two_models=two_models(cases),
        cost_to_hold=_cost_to_hold(cases, best, split) if known else None,
        quality={name: quality(cases, cases.predicted[name]) for name in cases.methods},
        verdict=judge(trial),
    )


def _split(cases: Cases, numbers: Choices, seed: int) -> dict[str, Halves]:
    """Return each method's sweep over the dial, split in halves; nothing without costs."""
    if cases.costs is None:
        return {}
    return {
        method: halves(cases, sweep(cases.predicted[method], cases.visible_costs), numbers, seed)
        for method in cases.methods
    }


def _figures(
    cases: Cases, taken: Sequence[Policy], quality_usd: float, resampled: Resampled
) -> tuple[PolicyFigures, ...]:
    best_success, best_cost = resampled.of(f"single:{cases.models[best_single(cases)]}")
    oracle_success, oracle_cost = resampled.of("oracle")
    most = quality_usd * oracle_success[0] - oracle_cost[0]
    known = cases.costs is not None
    figures = []
    for policy in taken:
        success, cost = resampled.of(policy.name)
        mean, paid = float(success[0]), float(cost[0])
        value = quality_usd * mean - paid
        gain = success - best_success
        with np.errstate(divide="ignore", invalid="ignore"):
            saving = known_interval(1 - cost / best_cost) if known else None
        figures.append(
            PolicyFigures(
                policy=policy.name,
                success=mean,
                cost_usd=paid if known else None,
                cost_per_success_usd=paid / mean if known and mean > 0 else None,
                value_usd=value,
                regret_usd=float(most - value),
                shares=dict(zip(cases.models, policy.shares.tolist(), strict=True)),
                success_gain=interval(gain),
                saving=saving,
                value_gain_usd=interval(quality_usd * gain - (cost - best_cost)),
            )
        )
    return tuple(figures)


def _singles(cases: Cases) -> dict[str, Point]:
    success, cost = cases.scores.mean(axis=0).tolist(), cases.paid.mean(axis=0).tolist()
    return {
        model: Point(cost[column], success[column]) for column, model in enumerate(cases.models)
    }


def _points(found: Curve) -> tuple[Point, ...]:
    return tuple(Point(float(cost), float(success)) for cost, success in zip(*found, strict=True))


def _bounds(cases: Cases, best: int) -> dict[str, Curve]:
    """Return what the curves lie between: one model, mixtures of all models, and hindsight."""
    success, cost = cases.scores.mean(axis=0), cases.paid.mean(axis=0)
    return {
        "best single": (cost[[best]], success[[best]]),
        "singles hull": (cost, success),
        "oracle": curve(cases, sweep(cases.scores, cases.paid)),
    }


def _cost_to_hold(
    cases: Cases, best: int, split: dict[str, Halves]
) -> dict[str, dict[str, Point | None] | float]:
    held: dict[str, dict[str, Point | None] | float] = {
        method: {name: half.point(share) for name, share in SHARES.items()}
        for method, half in split.items()
    }
    return {**held, "best single": float(cases.paid[:, best].mean())}
