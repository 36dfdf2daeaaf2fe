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


def belief(numbers: int = 5) -> Gaussian:
    return Gaussian(np.zeros(numbers), np.diag(np.linspace(0.5, 2.0, numbers)))


def doubt_left(design: Design, before: Gaussian, rows: list[int]) -> float:
    """Return the mean variance of success once these rows are judged as expected."""
    judged = design.only(np.array(rows))
    after = fit_posterior(judged, predict_with(before, judged), before)
    success = predict_with(before, design)
    return float(np.mean((success * (1 - success)) ** 2 * variances(after, design)))


def test_a_small_pool_is_suggested_whole() -> None:
    assert sorted(suggest(pool(7), belief(), 30)) == list(range(7))
    assert suggest(pool(0), belief(), 3) == []


def test_suggested_rows_leave_less_doubt_than_random_ones() -> None:
    design, before = pool(), belief()
    rng = np.random.default_rng(5)
    for count in (5, 10, 25):
        chosen = doubt_left(design, before, suggest(design, before, count))
        random = [
            doubt_left(design, before, rng.choice(200, count, replace=False).tolist())
            for _ in range(20)
        ]
        assert chosen < np.mean(random) - np.std(random)


def test_the_updates_by_rank_one_agree_with_fitting_anew() -> None:
    design = pool(60)
    first, second = suggest(design, belief(), 2)
    left = [doubt_left(design, belief(), [row]) for row in range(60)]
    assert np.argmin(left) == first
    pairs = [doubt_left(design, belief(), [first, row]) for row in range(60) if row != first]
    assert doubt_left(design, belief(), [first, second]) == min(pairs)


def test_a_prompt_of_which_there_are_copies_is_not_suggested_twice() -> None:
    few = pool(20)
    features: Table = np.repeat(few.features, 10, axis=0)
    features += 1e-4 * np.random.default_rng(2).standard_normal(features.shape)
    rows = suggest(Design(np.zeros(200), features), belief(), 20)
    assert sorted(row // 10 for row in rows) == list(range(20))


def test_near_doubles_of_what_was_judged_come_last() -> None:
    design = pool(40)
    free = suggest(design, belief(), 10)
    judged = design.only(np.array(free))
    again = suggest(design, belief(), 40, judged)
    assert set(again[:30]).isdisjoint(free)
    assert set(again[30:]) == set(free)
