from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.evaluation.curves import Curve, aiq, hull, reached

HAND_MADE = (np.array([0.3, 0.2, 0.1, 0.4]), np.array([0.9, 0.6, 0.5, 0.8]))


def points(*pairs: tuple[float, float]) -> Curve:
    return np.array([cost for cost, _ in pairs]), np.array([success for _, success in pairs])


def test_the_hull_keeps_what_no_mixture_beats_and_never_falls() -> None:
    costs, successes = hull(HAND_MADE)
    assert costs.tolist() == [0.1, 0.3]
    assert successes.tolist() == [0.5, 0.9]


def test_a_mixture_reaches_what_lies_between_its_points() -> None:
    on = hull(HAND_MADE)
    assert reached(on, 0.2) == pytest.approx(0.7)
    assert (reached(on, 9.0), reached(on, 0.01)) == (0.9, 0.5)


def test_aiq_of_a_hand_made_curve_is_its_area_over_the_largest_cost() -> None:
    found = aiq({"ours": HAND_MADE, "best single": points((0.5, 0.7)), "half": points((0.25, 0.8))})
    # From 0.1 to 0.3 the hull rises from 0.5 to 0.9, then stays flat up to 0.5.
    assert found["ours"] == pytest.approx((0.2 * 0.7 + 0.2 * 0.9) / 0.5)
    assert found["best single"] == 0.0
    assert found["half"] == pytest.approx(0.25 * 0.8 / 0.5)


def test_aiq_where_everything_is_free_is_the_best_success() -> None:
    assert aiq({"ours": points((0.0, 0.4), (0.0, 0.6))}) == {"ours": 0.6}


chances = st.floats(0, 1, width=16)
clouds = st.lists(st.tuples(chances, chances), min_size=1, max_size=12)


@settings(max_examples=60)
@given(clouds)
def test_no_point_lies_above_the_hull(cloud: list[tuple[float, float]]) -> None:
    costs, successes = hull(points(*cloud))
    assert (np.diff(costs) > 0).all()
    assert (np.diff(successes) > 0).all()
    slopes = np.diff(successes) / np.diff(costs)
    assert (np.diff(slopes) < 1e-9).all()
    for cost, success in cloud:
        assert success <= reached((costs, successes), cost) + 1e-9


def test_of_equally_cheap_points_the_best_starts_the_hull() -> None:
    costs, successes = hull(points((0.1, 0.2), (0.1, 0.6), (0.1, 0.4), (0.2, 0.5)))
    assert (costs.tolist(), successes.tolist()) == ([0.1], [0.6])


def test_points_past_a_hull_do_not_stretch_the_costs_compared() -> None:
    assert aiq({"ours": HAND_MADE})["ours"] == pytest.approx(0.2 * 0.7 / 0.3)
