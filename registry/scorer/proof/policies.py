"""What each policy chooses for each prompt, and what it gets for that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.proof.cases import Cases, Table

Choices = NDArray[np.intp]

# Rows are chosen for block by block, so that a block's values stay in the processor's cache.
_BLOCK = 2048
_DIALS = 60
# The outermost half percent of prompts would stretch the dial over decades where nothing happens.
_OUTER = 0.5


@dataclass(frozen=True, slots=True)
class Policy:
    """What one policy got: success (N,) and cost in USD (N,), and its share of calls (M,)."""

    name: str
    success: Table
    cost: Table
    shares: Table


def choose(predicted: Table, costs: Table, worth: float) -> Choices:
    """Return for each prompt the model (N,) with the most `worth` · predicted − cost.

    `worth` is what a right answer is worth in USD; at infinity the best predicted is taken. Ties
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


def follow(cases: Cases, name: str, chosen: Choices) -> Policy:
    """Return what a policy that chose these models (N,) gets, at true scores and costs."""
    rows = np.arange(len(chosen))
    shares = np.bincount(chosen, minlength=len(cases.models)) / len(chosen)
    return Policy(name, cases.scores[rows, chosen], cases.paid[rows, chosen], shares)


def policies(cases: Cases, quality_usd: float) -> tuple[Policy, ...]:
    """Return every policy: the single models, cheapest, random, each method, oracle.

    The methods see predicted success and expected costs only. "random" is the expectation over
    all models, without drawing. "cheapest" is one model for all prompts, the one of least mean
    cost; it is left out where no cost is known. "oracle" sees the true scores and costs.
    """
    rows, models = cases.scores.shape
    found = [
        follow(cases, f"single:{model}", np.full(rows, column))
        for column, model in enumerate(cases.models)
    ]
    if cases.costs is not None:
        found.append(follow(cases, "cheapest", np.full(rows, cheapest(cases))))
    even = np.full(models, 1 / models)
    found.append(Policy("random", cases.scores @ even, cases.paid @ even, even))
    for method in cases.methods:
        chosen = choose(cases.predicted[method], cases.visible_costs, quality_usd)
        found.append(follow(cases, method, chosen))
    found.append(follow(cases, "oracle", choose(cases.scores, cases.paid, quality_usd)))
    return tuple(found)


def best_single(cases: Cases) -> int:
    """Return the model with the highest mean success; ties go to the cheaper, then by name."""
    success, cost = cases.scores.mean(axis=0), cases.paid.mean(axis=0)
    return min(range(len(cases.models)), key=lambda model: (-success[model], cost[model]))


def cheapest(cases: Cases) -> int:
    """Return the model of least mean cost; ties go to the more successful, then by name."""
    success, cost = cases.scores.mean(axis=0), cases.paid.mean(axis=0)
    return min(range(len(cases.models)), key=lambda model: (cost[model], -success[model]))


def dials(predicted: Table, costs: Table) -> Table:
    """Return about 60 worths of a right answer (D,) in USD, rising to infinity.

    They run from where every prompt goes to its cheapest model to where each goes to its best
    predicted one, evenly in the logarithm in between.
    """
    least, most = costs.min(axis=1, keepdims=True), predicted.max(axis=1, keepdims=True)
    at_least = np.where(costs == least, predicted, -np.inf).max(axis=1, keepdims=True)
    at_most = np.where(predicted == most, costs, np.inf).min(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        leaving = np.where(predicted > at_least, (costs - least) / (predicted - at_least), np.inf)
        arriving = np.where(costs < at_most, (at_most - costs) / (most - predicted), 0.0)
    first, last = leaving.min(axis=1), arriving.max(axis=1)
    moved = at_most[:, 0] > least[:, 0]
    if not moved.any():  # the best predicted model is everywhere the cheapest too
        return np.array([np.inf])
    low, high = np.percentile(first[moved], _OUTER), np.percentile(last[moved], 100 - _OUTER)
    between = np.geomspace(low, max(high, low), _DIALS - 2)
    return np.concatenate([[first[moved].min() / 2], between, [np.inf]])


def sweep(predicted: Table, costs: Table) -> NDArray[np.int32]:
    """Return the models chosen (D, N) at each of the `dials`."""
    worths = dials(predicted, costs)
    chosen = np.empty((len(worths), len(predicted)), dtype=np.int32)
    for start in range(0, len(predicted), _BLOCK):
        rows = slice(start, start + _BLOCK)
        said, price = predicted[rows], costs[rows]
        for dial, worth in enumerate(worths.tolist()):
            chosen[dial, rows] = choose(said, price, worth)
    return chosen
