"""What each policy chooses for each prompt, and what it gets for that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.scorer.arrays import Rows, Table

# Rows are chosen for block by block, so that a block's values stay in the processor's cache.
_BLOCK = 2048
# Values of a correct answer in USD, thirty to a decade, up to where cost is no matter.
DIALS = np.append(np.geomspace(1e-7, 1e3, 301), np.inf)


@dataclass(frozen=True, slots=True)
class Policy:
    """What one policy got: success (N,) and cost in USD (N,), and its share of calls (M,)."""

    name: str
    success: Table
    cost: Table
    shares: Table


def choose(predicted: Table, costs: Table, worth: float) -> Rows:
    """Return for each prompt the model (N,) with the most `worth` · predicted − cost.

    `worth` is the value of a correct answer in USD; at infinity the best predicted is taken. Ties
    go to the cheaper, then to the earlier model.
    """
    chosen = np.empty(len(predicted), dtype=np.intp)
    for start in range(0, len(predicted), _BLOCK):
        rows = slice(start, start + _BLOCK)
        price = costs[rows]
        value = predicted[rows] if np.isinf(worth) else worth * predicted[rows] - price
        tied = value == value.max(axis=1, keepdims=True)
        chosen[rows] = np.where(tied, price, np.inf).argmin(axis=1)
    return chosen


def follow(cases: Cases, name: str, chosen: Rows) -> Policy:
    """Return what a policy that chose these models (N,) gets, by `Cases.success` and cost."""
    rows = np.arange(len(chosen))
    shares = np.bincount(chosen, weights=cases.weights, minlength=len(cases.models))
    return Policy(
        name, cases.success[rows, chosen], cases.paid[rows, chosen], shares / cases.weights.sum()
    )


def policies(cases: Cases, quality_usd: float) -> tuple[Policy, ...]:
    """Return every policy: the single models, cheapest, random, each method, oracle.

    The methods see predicted success and expected costs only, and choose among all models.
    "random" is the expectation over all models, without drawing. "cheapest" is one model for all
    prompts, the one of least mean cost; it is left out where no cost is known. "oracle" sees the
    true costs and scores, and what is expected of a model that was not asked.
    """
    rows, models = cases.scores.shape
    found = [
        follow(cases, f"single:{model}", np.full(rows, column))
        for column, model in enumerate(cases.models)
    ]
    if cases.costs is not None:
        success, cost = cases.mean(cases.success), cases.mean(cases.paid)
        least = min(range(models), key=lambda model: (cost[model], -success[model]))
        found.append(follow(cases, "cheapest", np.full(rows, least)))
    even = np.full(models, 1 / models)
    found.append(Policy("random", cases.success @ even, cases.paid @ even, even))
    for method in cases.methods:
        chosen = choose(cases.predicted[method], cases.visible_costs, quality_usd)
        found.append(follow(cases, method, chosen))
    known = oracle(cases)
    found.append(follow(known, "oracle", choose(known.scores, known.paid, quality_usd)))
    return tuple(found)


def oracle(cases: Cases) -> Cases:
    """Return the cases as an oracle counts them: with what is expected of a model not asked."""
    known = np.isfinite(cases.scores)
    return replace(cases, scores=np.where(known, cases.scores, np.clip(cases.expected, 0, 1)))


def best_single(cases: Cases) -> int:
    """Return the model with the highest mean success; ties go to the cheaper, then by name."""
    success, cost = cases.mean(cases.success), cases.mean(cases.paid)
    return min(range(len(cases.models)), key=lambda model: (-success[model], cost[model]))


def sweep(predicted: Table, costs: Table) -> NDArray[np.int32]:
    """Return the models chosen (D, N) at each of the dials, from always cheapest to best."""
    chosen = np.empty((len(DIALS), len(predicted)), dtype=np.int32)
    for dial, worth in enumerate(DIALS.tolist()):
        chosen[dial] = choose(predicted, costs, worth)
    return chosen
