"""The metrics of predictions, against what can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.evaluation.metrics import (
    auc_per_model,
    brier,
    ece,
    mean_auc,
    model_rank,
    pair_order,
    reliability,
)
from rolecall.registry.scorer.arrays import Table

NAN = float("nan")
Metric = Callable[..., Table]
METRICS = (mean_auc, brier, ece, pair_order, model_rank)


def column(*values: float) -> Table:
    return np.array(values, dtype=np.float64)[:, None]


def spread(values: NDArray[np.float64], times: int = 10) -> Table:
    """Return values repeated, so that there are enough prompts for an AUC."""
    return np.tile(values, times)[:, None]


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = spread(np.array([1.0, 0.0, 1.0, 0.0]))
    for predicted, share in [((0.9, 0.1, 0.8, 0.3), 1), ((0.1, 0.9, 0.3, 0.8), 0)]:
        assert auc_per_model(spread(np.array(predicted)), scores).tolist() == [share]
    # Pairs: 0.8 > 0.5, 0.8 > 0.2, 0.5 = 0.5, 0.5 > 0.2.
    ones_first = spread(np.array([1.0, 1.0, 0.0, 0.0]))
    assert auc_per_model(spread(np.array([0.8, 0.5, 0.5, 0.2])), ones_first)[0] == 3.5 / 4


def test_half_a_score_is_a_success_and_what_was_not_asked_counts_for_nothing() -> None:
    predicted = np.linspace(0, 1, 40)[:, None]
    scores = np.where(predicted > 0.7, 0.5, 0.49)
    assert auc_per_model(predicted, scores)[0] == 1
    predicted[:5], scores[:5] = 0.99, NAN
    assert auc_per_model(predicted, scores)[0] == 1


def test_auc_needs_thirty_scores_and_both_outcomes() -> None:
    predicted = np.tile(np.linspace(0, 1, 31)[:, None], (1, 3))
    right = (predicted[:, 0] > 0.5).astype(float)
    few = np.where(np.arange(31) < 29, right, NAN)
    scores = np.stack([right, few, np.ones(31)], axis=1)
    assert np.isnan(auc_per_model(predicted, scores)).tolist() == [False, True, True]
    assert mean_auc(predicted, scores) == 1
    assert np.isnan(mean_auc(predicted[:9], scores[:9]))


def test_brier_is_the_mean_squared_distance_over_what_is_known() -> None:
    assert brier(column(0.5, 0.2, 0.9), column(1, 0, NAN)) == pytest.approx(0.29 / 2)


def calibrated() -> tuple[Table, Table]:
    """Return 15 × 20 cells: k of 20 succeed where k/20 is predicted."""
    scores = np.concatenate([np.arange(20) < k for k in range(1, 16)]).astype(float)
    return np.repeat(np.arange(1, 16) / 20, 20)[:, None], scores[:, None]


def test_calibrated_predictions_have_no_calibration_error() -> None:
    predicted, scores = calibrated()
    assert ece(predicted, scores) == pytest.approx(0, abs=1e-12)
    assert ece(predicted + 0.04, scores) == pytest.approx(0.04)


def test_the_better_of_two_models_is_to_be_predicted_higher() -> None:
    scores = np.array([[1.0, 0.0, 0.9], [0.0, 1.0, NAN]])
    # Prompt one: models 1 and 3 did alike; both are set against model 2. Prompt two: one pair.
    assert pair_order(np.array([[0.9, 0.1, 0.8], [0.1, 0.9, 0.0]]), scores) == 1
    assert pair_order(np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]]), scores) == pytest.approx(1 / 3)
    assert pair_order(np.full((2, 3), 0.4), scores) == 0.5


def test_a_difference_of_a_quarter_makes_no_pair() -> None:
    assert np.isnan(pair_order(np.array([[0.9, 0.1]]), np.array([[0.75, 0.5]])))
    assert pair_order(np.array([[0.9, 0.1]]), np.array([[0.8, 0.5]])) == 1


def test_the_rank_of_models_is_that_of_their_means() -> None:
    scores = np.array([[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    rising = np.tile([0.1, 0.2, 0.3, 0.4], (3, 1))
    assert model_rank(rising, scores) == pytest.approx(1)
    assert model_rank(1 - rising, scores) == pytest.approx(-1)
    assert model_rank(np.tile([0.2, 0.1, 0.3, 0.4], (3, 1)), scores) == pytest.approx(0.8)
    assert np.isnan(model_rank(np.full((3, 4), 0.5), scores))


def test_the_reliability_table_has_fifteen_bins_of_equal_mass_in_rising_order() -> None:
    predicted, scores = calibrated()
    order = np.random.default_rng(0).permutation(300)
    bins = reliability(predicted[order], scores[order])
    assert [one.count for one in bins] == [20] * 15
    assert [one.predicted for one in bins] == pytest.approx([k / 20 for k in range(1, 16)])
    assert [one.observed for one in bins] == pytest.approx([k / 20 for k in range(1, 16)])
    few = reliability(column(0.9, 0.1, 0.4), column(1, 0, NAN))
    assert [(one.predicted, one.observed, one.count) for one in few] == [(0.1, 0, 1), (0.9, 1, 1)]


@pytest.mark.parametrize("metric", METRICS)
def test_weights_count_a_prompt_as_often_as_rows_of_it_would(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    scores = (rng.random((80, 5)) < 0.5).astype(float)
    scores[rng.random((80, 5)) < 0.2] = NAN
    predicted = rng.random((80, 5)).round(2)
    weights = rng.integers(0, 3, (2, 80)).astype(float)
    found = metric(predicted, scores, weights)
    assert found.shape == (2,)
    assert metric(predicted, scores) != found[0]
    for row, counts in enumerate(weights.astype(int)):
        repeated = np.repeat(predicted, counts, axis=0), np.repeat(scores, counts, axis=0)
        # The bins of the calibration error stay those of the prompts as they are.
        near = 0.05 if metric is ece else 1e-9
        assert metric(*repeated) == pytest.approx(found[row], abs=near)


def test_errors_inside_a_bin_cancel_and_bins_weigh_by_their_cells() -> None:
    # 16 cells: the first bin holds two, a success and a failure at 0.5; the others are right.
    predicted = column(0.5, 0.5, *[1] * 14)
    assert ece(predicted, column(1, 0, *[1] * 14)) == 0
    assert ece(predicted, np.ones((16, 1))) == pytest.approx(0.5 * 2 / 16)


def test_tables_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        brier(np.ones((3, 2)), np.ones((3, 3)))
