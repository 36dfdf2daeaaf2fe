"""RouteLLM's figures for a strong and a weak model: what each share of strong calls buys."""

from __future__ import annotations

import numpy as np

from rolecall.registry.scorer.proof.cases import Cases, Table
from rolecall.registry.scorer.proof.policies import best_single
from rolecall.registry.scorer.proof.proof import TwoModels


def two_models(cases: Cases) -> TwoModels | None:
    """Compare the methods on the best single model and the cheapest other one.

    Without costs the least successful model is the weak one. `None` with a single model. The
    figures are null where the weak model is no worse: there is no gap to recover.
    """
    strong = best_single(cases)
    success, cost = cases.scores.mean(axis=0), cases.paid.mean(axis=0)
    others = [model for model in range(len(cases.models)) if model != strong]
    if not others:
        return None
    weak = min(others, key=lambda model: (cost[model], success[model]))
    gap = success[weak] < success[strong]
    lines = {
        method: strong_share_curve(cases.scores[:, [weak, strong]], said[:, [weak, strong]])
        for method, said in ((name, cases.predicted[name]) for name in cases.methods)
    }
    return TwoModels(
        strong=cases.models[strong],
        weak=cases.models[weak],
        apgr={name: apgr(*line) if gap else None for name, line in lines.items()},
        cpt50={name: cpt(*line, 0.5) if gap else None for name, line in lines.items()},
        cpt80={name: cpt(*line, 0.8) if gap else None for name, line in lines.items()},
    )


def strong_share_curve(scores: Table, predicted: Table) -> tuple[Table, Table]:
    """Return shares of strong calls, 0 to 1, and the mean success at each.

    Columns are weak and strong (N, 2). The strong model takes the prompts where it is predicted
    to gain most; prompts of equal predicted gain change over together.
    """
    gain = predicted[:, 1] - predicted[:, 0]
    order = np.argsort(-gain, kind="stable")
    steps = (scores[:, 1] - scores[:, 0])[order]
    ends = np.append(np.flatnonzero(np.diff(gain[order])) + 1, len(order))
    success = scores[:, 0].mean() + np.append(0.0, np.cumsum(steps)[ends - 1]) / len(order)
    return np.append(0.0, ends / len(order)), success


def apgr(shares: Table, success: Table) -> float:
    """Return the average share of the performance gap recovered over all shares of strong calls.

    (area − weak's area) / (strong's area − weak's area) (RouteLLM, arXiv 2406.18665); random
    calls give 0.5. The ends of the curve are the weak and the strong model; they must differ.
    """
    weak, strong = success[0], success[-1]
    return float((np.trapezoid(success, shares) - weak) / (strong - weak))


def cpt(shares: Table, success: Table, recovered: float) -> float:
    """Return the least share of strong calls that recovers this part of the performance gap.

    RouteLLM's call-performance threshold, read off the curve with straight lines between points.
    """
    target = success[0] + recovered * (success[-1] - success[0])
    above = int(np.argmax(success >= target))
    if above == 0:
        return 0.0
    rise = success[above] - success[above - 1]
    part = (target - success[above - 1]) / rise
    return float(shares[above - 1] + part * (shares[above] - shares[above - 1]))
