from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.scorer.proof.bootstrap import group_numbers
from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.proof.holding import Halves, halves
from rolecall.registry.scorer.proof.policies import sweep
from rolecall.registry.scorer.proof.proof import Point
from tests.scorer.proof.synthetic import cheap_will_do_on_easy

# Two prompts a half, three dials; the dials cost 1, 2 and 3 a half.
INSIDE = np.array([[True, True, False, False], [False, False, True, True]])
CHOSEN = np.array([[0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]], dtype=np.int32)
COST = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])


def hand_made(first: list[float], second: list[float], target: float = 2.0) -> Halves:
    success = np.array([first, second])
    return Halves(CHOSEN, INSIDE, success, COST, np.array([target, target]))


def test_each_half_is_accounted_at_the_dial_that_the_other_one_chose() -> None:
    # The first half would be content with dial 1, the second needs dial 2.
    held = hand_made([1.0, 2.0, 2.0], [1.0, 1.5, 2.0])
    assert held.dials(1.0) == (2, 1)
    assert held.point(1.0) == Point((3.0 + 2.0) / 4, (2.0 + 1.5) / 4)


def test_luck_on_one_half_shows_as_a_shortfall() -> None:
    held = hand_made([2.0, 2.0, 2.0], [1.0, 1.0, 2.0])
    point = held.point(1.0)
    assert point is not None
    assert point.success == pytest.approx((2.0 + 1.0) / 4)  # chosen for 4/4, reached 3/4


def test_a_share_is_of_the_best_single_models_success() -> None:
    held = hand_made([1.0, 1.8, 2.0], [1.0, 1.8, 2.0])
    assert held.point(0.9) == Point(1.0, 0.9)
    assert held.point(0.95) == Point(1.5, 1.0)


def test_what_no_dial_reaches_costs_nothing_that_can_be_named() -> None:
    held = hand_made([1.0, 1.5, 1.9], [1.0, 1.5, 1.9])
    assert held.point(1.0) is None
    assert held.point(0.95) == Point(1.5, 0.95)


def test_where_one_half_never_reaches_it_its_most_successful_dial_is_taken() -> None:
    held = hand_made([1.0, 1.9, 1.8], [1.0, 1.5, 2.3])
    assert held.dials(1.0) == (2, 1)


def test_the_choices_are_those_of_each_halfs_dial() -> None:
    held = hand_made([1.0, 2.0, 2.0], [1.0, 1.5, 2.0])
    assert held.choices(1.0).tolist() == [1, 1, 0, 1]


def test_groups_are_never_split_and_sums_are_over_each_half() -> None:
    cases = Cases(
        models=("a", "b"),
        groups=("x", "y", "x", "z", "y", "u"),
        scores=np.arange(12.0).reshape(6, 2) / 12,
        costs=np.ones((6, 2)),
        expected_costs=None,
        predicted={"ours": np.ones((6, 2))},
    )
    numbers = group_numbers(cases.groups)
    found = halves(cases, np.zeros((1, 6), dtype=np.int32), numbers, seed=1)
    first = found.inside[0]
    assert first[0] == first[2]
    assert first[1] == first[4]
    assert len({cases.groups[row] for row in np.flatnonzero(first)}) == 2
    assert found.success[:, 0].sum() == pytest.approx(cases.scores[:, 0].sum())
    assert found.cost[:, 0].tolist() == [first.sum(), (~first).sum()]
    assert found.target[0] == pytest.approx(cases.scores[first, 1].sum())


def test_holding_less_never_costs_more() -> None:
    cases = cheap_will_do_on_easy(0, rows=800).by_name()
    chosen = sweep(cases.predicted["ours"], cases.visible_costs)
    found = halves(cases, chosen, group_numbers(cases.groups), seed=7)
    points = [found.point(share) for share in (0.5, 0.7, 0.9, 0.95)]
    costs = [point.cost_usd for point in points if point is not None]
    assert len(costs) == 4
    assert costs == sorted(costs)
