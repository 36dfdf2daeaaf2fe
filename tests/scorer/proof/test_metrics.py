from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.proof.metrics import (
    auc,
    brier,
    calibration_error,
    known_auc,
    quality,
    reliability,
)


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    success = np.array([True, False, True, False])
    assert auc(success, np.array([0.9, 0.1, 0.8, 0.3])) == 1.0
    assert auc(success, np.array([0.1, 0.9, 0.3, 0.8])) == 0.0
    assert auc(success, np.array([0.9, 0.5, 0.2, 0.3])) == 0.5


def test_tied_predictions_count_half() -> None:
    success = np.array([True, True, False, False])
    assert auc(success, np.full(4, 0.7)) == 0.5
    # Pairs: 0.8 > 0.5, 0.8 > 0.2, 0.5 = 0.5, 0.5 > 0.2.
    assert auc(success, np.array([0.8, 0.5, 0.5, 0.2])) == 3.5 / 4


def test_auc_needs_thirty_cases_and_both_outcomes() -> None:
    predicted = np.linspace(0, 1, 30)
    both = (predicted >= 0.5).astype(float)
    assert known_auc(both, predicted) == 1.0
    assert known_auc(both[1:], predicted[1:]) is None
    assert known_auc(np.ones(30), predicted) is None


def test_half_a_score_is_a_success() -> None:
    predicted = np.linspace(0, 1, 30)
    assert known_auc(np.where(predicted > 0.7, 0.5, 0.49), predicted) == 1.0


def test_brier_is_the_mean_squared_distance() -> None:
    assert brier(np.array([1.0, 0.0]), np.array([0.5, 0.2])) == pytest.approx(0.29 / 2)


def calibrated() -> tuple[np.ndarray, np.ndarray]:
    """Return 15 × 20 cases: k of 20 succeed where k/20 is predicted."""
    predicted = np.repeat(np.arange(1, 16) / 20, 20)
    truth = np.concatenate([np.arange(20) < k for k in range(1, 16)]).astype(float)
    return truth, predicted


def test_calibrated_predictions_have_no_calibration_error() -> None:
    truth, predicted = calibrated()
    assert calibration_error(truth, predicted) == pytest.approx(0, abs=1e-12)
    assert calibration_error(truth, predicted + 0.04) == pytest.approx(0.04)


def test_with_one_case_a_bin_the_error_is_the_mean_distance() -> None:
    predicted = np.arange(15) / 20
    truth = (np.arange(15) % 2).astype(float)
    assert calibration_error(truth, predicted) == pytest.approx(np.abs(truth - predicted).mean())


def test_errors_inside_a_bin_cancel_and_bins_weigh_by_their_cases() -> None:
    # 16 cases: the first bin holds two, a success and a failure at 0.5; the others are right.
    predicted = np.concatenate([[0.5, 0.5], np.ones(14)])
    truth = np.concatenate([[1.0, 0.0], np.ones(14)])
    assert calibration_error(truth, predicted) == 0.0
    assert calibration_error(np.ones(16), predicted) == pytest.approx(0.5 * 2 / 16)


def test_the_reliability_table_has_fifteen_bins_of_equal_mass_in_rising_order() -> None:
    truth, predicted = calibrated()
    order = np.random.default_rng(0).permutation(300)
    bins = reliability(truth[order], predicted[order])
    assert [one.count for one in bins] == [20] * 15
    assert [one.predicted for one in bins] == pytest.approx([k / 20 for k in range(1, 16)])
    assert [one.observed for one in bins] == pytest.approx([k / 20 for k in range(1, 16)])


def test_few_cases_make_fewer_bins_and_none_is_empty() -> None:
    bins = reliability(np.array([1.0, 0.0]), np.array([0.9, 0.1]))
    assert [(one.predicted, one.observed, one.count) for one in bins] == [(0.1, 0, 1), (0.9, 1, 1)]


def test_quality_averages_auc_over_models_that_have_one() -> None:
    predicted = np.tile(np.linspace(0.01, 0.99, 40)[:, None], (1, 3))
    right = (predicted[:, 0] > 0.5).astype(float)
    scores = np.stack([right, 1 - right, np.ones(40)], axis=1)
    cases = Cases(("a", "b", "c"), tuple("x" * 40), scores, None, None, {"ours": predicted})
    found = quality(cases, predicted)
    assert [found.by_model[model].auc for model in "abc"] == [1.0, 0.0, None]
    assert found.auc == 0.5
    assert found.brier == pytest.approx(np.mean([found.by_model[m].brier for m in "abc"]))
    assert found.by_model["a"].ece == pytest.approx(calibration_error(right, predicted[:, 0]))
