"""The prompts suggested are those that tell most of the others."""

from __future__ import annotations

import numpy as np

from rolecall.registry.scorer.active_learning import suggest
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.posterior import (
    Design,
    Gaussian,
    fit_posterior,
    predict_with,
    variances,
)


def pool(rows: int = 200, numbers: int = 5, seed: int = 1) -> Design:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((rows, numbers))
    features[:, -1] = 1.0
    return Design(np.zeros(rows), features)


def prior(numbers: int = 5) -> Gaussian:
    return Gaussian(np.zeros(numbers), np.diag(np.linspace(0.5, 2.0, numbers)))


def variance_left(design: Design, before: Gaussian, rows: list[int]) -> float:
    """Return the mean variance of success once these rows are judged as expected."""
    judged = design.only(np.array(rows))
    after = fit_posterior(judged, predict_with(before, judged), before)
    success = predict_with(before, design)
    return float(np.mean((success * (1 - success)) ** 2 * variances(after, design)))


def test_a_small_pool_is_suggested_whole() -> None:
    assert sorted(suggest(pool(7), prior(), 30)) == list(range(7))
    assert suggest(pool(0), prior(), 3) == []


def test_suggested_rows_leave_less_doubt_than_random_ones() -> None:
    design, before = pool(), prior()
    rng = np.random.default_rng(5)
    for count in (5, 10, 25):
        chosen = variance_left(design, before, suggest(design, before, count))
        random = [
            variance_left(design, before, rng.choice(200, count, replace=False).tolist())
            for _ in range(20)
        ]
        assert chosen < np.mean(random) - np.std(random)


def test_the_updates_by_rank_one_agree_with_fitting_anew() -> None:
    design = pool(60)
    first, second = suggest(design, prior(), 2)
    left = [variance_left(design, prior(), [row]) for row in range(60)]
    assert np.argmin(left) == first
    pairs = [variance_left(design, prior(), [first, row]) for row in range(60) if row != first]
    assert variance_left(design, prior(), [first, second]) == min(pairs)


def test_a_prompt_of_which_there_are_copies_is_not_suggested_twice() -> None:
    few = pool(20)
    features: Table = np.repeat(few.features, 10, axis=0)
    features += 1e-4 * np.random.default_rng(2).standard_normal(features.shape)
    rows = suggest(Design(np.zeros(200), features), prior(), 20)
    assert sorted(row // 10 for row in rows) == list(range(20))


def test_near_doubles_of_what_was_judged_come_last() -> None:
    design = pool(40)
    free = suggest(design, prior(), 10)
    judged = design.only(np.array(free))
    again = suggest(design, prior(), 40, judged)
    assert set(again[:30]).isdisjoint(free)
    assert set(again[30:]) == set(free)
