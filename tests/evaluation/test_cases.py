"""The table of an evaluation, and what is made of answers that nobody asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.evaluation.cases import Cases, additive
from rolecall.registry.evaluation.policies import best_single
from rolecall.registry.scorer.arrays import Table
from tests.evaluation.synthetic import complementary, table

NAN = float("nan")
SCORES = np.array([[1.0, 0.0], [0.5, 1.0]])


def cases(scores: Table = SCORES, costs: Table | None = None) -> Cases:
    return table(("a", "b"), scores, {"ours": np.nan_to_num(scores)}, costs, costs)


def test_costs_are_known_with_what_was_expected_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="expected"):
        table(("a", "b"), SCORES, {"ours": SCORES}, SCORES, None)
    assert not cases().visible_costs.any()


def test_a_model_without_a_score_and_a_table_without_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match="scores"):
        cases(np.array([[1.0, NAN], [0.5, NAN]]))
    with pytest.raises(ValueError, match="each prompt"):
        cases(np.ones((0, 2)))


def holes(scores: Table, asked: NDArray[np.bool_]) -> Table:
    return np.where(asked, scores, NAN)


def test_with_answers_missing_at_random_means_are_those_of_the_whole_table() -> None:
    whole = complementary(0, rows=4000)
    asked = np.random.default_rng(0).random(whole.scores.shape) < 0.5
    part = replace(whole, scores=holes(whole.scores, asked))
    assert part.mean(part.success) == pytest.approx(whole.mean(whole.scores), abs=0.03)
    # A policy that picks the stronger model of each prompt is worth the same too.
    chosen, rows = whole.predicted["ours"].argmax(axis=1), np.arange(4000)
    estimate, truth = part.success[rows, chosen].mean(), whole.scores[rows, chosen].mean()
    assert estimate == pytest.approx(truth, abs=0.03)
    assert truth > whole.mean(whole.scores).max() + 0.15


def test_a_model_asked_only_hard_prompts_is_not_taken_for_a_weak_one() -> None:
    """`strong` is better on every prompt, but was mostly given the hard ones."""
    rng = np.random.default_rng(1)
    hard = rng.random(3000) < 0.5
    truth = np.where(hard[:, None], [0.2, 0.2, 0.4], [0.7, 0.7, 0.9])
    scores = (rng.random(truth.shape) < truth).astype(float)
    asked = np.ones(scores.shape, dtype=bool)
    asked[:, 2] = rng.random(3000) < np.where(hard, 0.9, 0.1)
    seen = holes(scores, asked)
    assert np.nanmean(seen[:, 2]) < np.nanmean(seen[:, 0]) + 0.05
    part = cases3(seen)
    assert best_single(part) == 2
    assert part.mean(part.success)[2] == pytest.approx(0.65, abs=0.05)


def cases3(scores: Table) -> Cases:
    return table(("one", "other", "strong"), scores, {"ours": np.nan_to_num(scores)})


def test_sets_are_completed_each_by_itself() -> None:
    first = np.array([[1.0, 1.0], [1.0, NAN], [1.0, 1.0]])
    both = np.concatenate([first, np.zeros((3, 2))])
    part = replace(cases3(np.column_stack([both, both[:, 0]])), sets=("x",) * 3 + ("y",) * 3)
    assert part.success[1, 1] > 0.7
    assert (part.success[3:] == 0).all()


def test_abilities_are_compared_on_shared_prompts() -> None:
    scores = np.array([[1.0, 0.8, NAN], [0.2, 0.0, NAN], [1.0, NAN, 0.9], [0.2, NAN, 0.1]])
    ability, prompt_effect = additive(np.tile(scores, (5, 1)))
    assert ability[0] > ability[2] > ability[1]
    assert (prompt_effect[0] > prompt_effect[1]).all()
    # A cell's prompt_effect is what the others found.
    assert prompt_effect[0, 0] == pytest.approx((0.8 - ability[1]) / 1.1)
    never, _ = additive(np.array([[1.0, NAN, 0.0]]))
    assert never[1] == pytest.approx(0.5)
