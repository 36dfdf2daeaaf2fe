from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.evaluation.curves import Halves, halves
from tests.evaluation.synthetic import table

# Two prompts a half, three dials; the dials cost 1, 2 and 3 a half.
INSIDE = np.array([[True, True, False, False], [False, False, True, True]])
CHOSEN = np.array([[0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]], dtype=np.int32)
COST = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])


def hand_made(first: list[float], second: list[float], target: float = 2.0) -> Halves:
    success = np.array([first, second])
    return Halves(CHOSEN, INSIDE, success, COST, np.array([target, target]), 4.0)


def test_each_half_is_accounted_at_the_dial_that_the_other_one_chose() -> None:
    # The first half would be content with dial 1, the second needs dial 2.
    held = hand_made([1.0, 2.0, 2.0], [1.0, 1.5, 2.0])
    assert held.dials(1.0) == (2, 1)
    assert held.cost_at_quality(1.0) == ((3.0 + 2.0) / 4, (2.0 + 1.5) / 4)


def test_a_share_is_of_the_best_single_models_success() -> None:
    held = hand_made([1.0, 1.8, 2.0], [1.0, 1.8, 2.0])
    assert held.cost_at_quality(0.9) == (1.0, 0.9)
    assert held.cost_at_quality(0.95) == (1.5, 1.0)


def test_what_no_dial_reaches_costs_nothing_that_can_be_named() -> None:
    held = hand_made([1.0, 1.5, 1.9], [1.0, 1.5, 1.9])
    assert held.cost_at_quality(1.0) is None
    assert held.cost_at_quality(0.95) == (1.5, 0.95)


def test_groups_are_never_split_and_sums_are_over_each_half() -> None:
    scores = np.arange(12.0).reshape(6, 2) / 12
    costs = np.ones((6, 2))
    cases = table(("a", "b"), scores, {"ours": np.ones((6, 2))}, costs, costs)
    cases = replace(cases, weights=np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0]))
    numbers = np.array([0, 1, 0, 2, 1, 3])
    found = halves(cases, np.zeros((1, 6), dtype=np.int32), numbers, seed=1)
    first = found.inside[0]
    assert first[0] == first[2]
    assert first[1] == first[4]
    assert len(set(numbers[first].tolist())) == 2
    assert found.success[:, 0].sum() == pytest.approx(scores[:, 0] @ cases.weights)
    assert found.cost[:, 0].tolist() == [cases.weights[first].sum(), cases.weights[~first].sum()]
    assert found.target[0] == pytest.approx(scores[first, 1] @ cases.weights[first])
    assert found.weight == 7
