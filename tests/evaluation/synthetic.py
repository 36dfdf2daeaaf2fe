"""Judged sets whose truth is known: with and without anything for a router to find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.scorer.arrays import Table

QUALITY_USD = 0.05


def no_signal(seed: int, rows: int = 300, models: int = 5) -> Cases:
    """Models that differ in mean and price and in nothing else; predictions are overfitted."""
    random = np.random.default_rng([1, seed])
    means = random.uniform(0.4, 0.8, models)
    prices = 10 ** random.uniform(-4, -2, models)
    return drawn(random, np.tile(means, (rows, 1)), prices, wrong_by=0.08)


def two_equal_models(seed: int, rows: int = 600) -> Cases:
    """`dear` and `cheap` succeed equally often, at a tenth of the price."""
    random = np.random.default_rng([2, seed])
    return drawn(random, np.full((rows, 2), 0.7), [0.001, 0.01], names=("cheap", "dear"))


def complementary(seed: int, rows: int = 600) -> Cases:
    """Two models of one price, each strong on one half of the prompts and weak on the other."""
    random = np.random.default_rng([3, seed])
    kind = random.random(rows) < 0.5
    truth = np.where(kind[:, None], [0.85, 0.45], [0.4, 0.85])
    return drawn(random, truth, [0.002, 0.002], names=("letters", "numbers"))


def cheap_will_do_on_easy(seed: int, rows: int = 1500) -> Cases:
    """`cheap` is as good as `strong` on the easy half, useless on the other, and a tenth."""
    random = np.random.default_rng([4, seed])
    easy = random.random(rows) < 0.5
    truth = np.where(easy[:, None], [0.92, 0.92], [0.15, 0.85])
    return drawn(random, truth, [0.001, 0.01], names=("cheap", "strong"))


def predicted_at_random(cases: Cases, seed: int) -> Cases:
    """The same truth with predictions that were dealt out to the wrong prompts."""
    order = np.random.default_rng([5, seed]).permutation(len(cases.groups))
    shuffled = {name: said[order] for name, said in cases.predicted.items()}
    return replace(cases, predicted=shuffled)


def one_dominates(seed: int, rows: int = 600) -> Cases:
    """`small` is both the best model and the cheapest."""
    random = np.random.default_rng([6, seed])
    truth = np.tile([0.62, 0.7, 0.86], (rows, 1))
    return drawn(random, truth, [0.004, 0.02, 0.001], names=("large", "larger", "small"))


def drawn(
    random: np.random.Generator,
    truth: Table,
    prices: Sequence[float] | Table,
    names: tuple[str, ...] = (),
    wrong_by: float = 0.03,
) -> Cases:
    """Draw outcomes of the true chances; "ours" knows these up to a deviation of `wrong_by`.

    Costs differ by prompt as lengths do, and a little from what was expected.
    """
    rows, models = truth.shape
    length = np.exp(random.normal(0, 0.4, (rows, 1)))
    expected = length * np.asarray(prices)
    said = np.clip(truth + random.normal(0, wrong_by, truth.shape), 0.01, 0.99)
    return table(
        names or tuple(f"model-{column}" for column in range(models)),
        (random.random(truth.shape) < truth).astype(np.float64),
        {"ours": said},
        expected * np.exp(random.normal(0, 0.1, truth.shape)),
        expected,
    )


def table(
    models: tuple[str, ...],
    scores: Table,
    predicted: Mapping[str, Table],
    costs: Table | None = None,
    expected_costs: Table | None = None,
) -> Cases:
    """Return cases of one data set, each of a group of its own."""
    rows = len(scores)
    names = tuple(map(str, range(rows)))
    return Cases(
        models, ("set",) * rows, names, np.ones(rows), scores, costs, expected_costs, predicted
    )
