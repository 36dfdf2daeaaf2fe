from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.scorer.proof.cases import Cases, Table
from rolecall.registry.scorer.proof.pairs import apgr, cpt, strong_share_curve, two_models

# The strong model is right four times, the weak one twice.
SCORES = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
SEES_ALL = np.array([[0.9, 0.91], [0.9, 0.92], [0.1, 0.9], [0.2, 0.9]])
SEES_NOTHING = np.array([[0.5, 0.8]] * 4)


def cases(predicted: Table = SEES_ALL) -> Cases:
    costs = np.array([[0.001, 0.01]] * 4)
    return Cases(("weak", "strong"), tuple("1234"), SCORES, costs, None, {"ours": predicted})


def test_a_perfect_router_sends_what_gains_first() -> None:
    shares, success = strong_share_curve(SCORES, SEES_ALL)
    assert shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert success.tolist() == [0.5, 0.75, 1, 1, 1]


def test_the_figures_of_a_perfect_router_are_exact() -> None:
    line = strong_share_curve(SCORES, SEES_ALL)
    assert apgr(*line) == pytest.approx((0.875 - 0.5) / 0.5)
    assert cpt(*line, 0.5) == pytest.approx(0.25)
    assert cpt(*line, 0.8) == pytest.approx(0.4)


def test_a_router_that_sees_nothing_recovers_half_of_the_gap() -> None:
    line = strong_share_curve(SCORES, SEES_NOTHING)
    assert apgr(*line) == pytest.approx(0.5)
    assert cpt(*line, 0.5) == pytest.approx(0.5)
    assert cpt(*line, 0.8) == pytest.approx(0.8)


def test_a_router_that_is_always_wrong_recovers_less_than_random() -> None:
    line = strong_share_curve(SCORES, SEES_ALL[::-1])
    assert apgr(*line) == pytest.approx(0.25)
    assert cpt(*line, 0.5) == pytest.approx(0.75)


def test_order_within_tied_predictions_does_not_matter() -> None:
    order = [3, 0, 2, 1]
    tied = np.array([[0.5, 0.8], [0.5, 0.6], [0.5, 0.8], [0.5, 0.6]])
    line, other = strong_share_curve(SCORES, tied), strong_share_curve(SCORES[order], tied[order])
    assert line[0].tolist() == other[0].tolist() == [0, 0.5, 1]
    assert line[1].tolist() == other[1].tolist()


def test_the_strong_model_is_the_best_and_the_weak_one_the_cheapest() -> None:
    found = two_models(cases())
    assert found is not None
    assert (found.strong, found.weak) == ("strong", "weak")
    assert found.apgr == {"ours": pytest.approx(0.75)}
    assert found.cpt80 == {"ours": pytest.approx(0.4)}


def test_where_the_best_is_the_cheapest_the_next_cheapest_is_the_weak_one() -> None:
    turned = replace(cases(), costs=np.array([[0.02, 0.01]] * 4))
    found = two_models(turned)
    assert found is not None
    assert (found.strong, found.weak) == ("strong", "weak")


def test_without_costs_the_least_successful_is_the_weak_one() -> None:
    three = Cases(
        ("worst", "strong", "middle"),
        tuple("1234"),
        np.array([[0.0, 1, 1], [0, 1, 1], [0, 1, 0], [1, 1, 0]]),
        None,
        None,
        {"ours": np.full((4, 3), 0.5)},
    )
    found = two_models(three)
    assert found is not None
    assert (found.strong, found.weak) == ("strong", "worst")


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    found = two_models(replace(cases(), scores=np.ones((4, 2))))
    assert found is not None
    assert (found.apgr, found.cpt50, found.cpt80) == ({"ours": None},) * 3


def test_one_model_has_no_other() -> None:
    alone = Cases(("a",), ("1",), np.ones((1, 1)), None, None, {"ours": np.ones((1, 1))})
    assert two_models(alone) is None
