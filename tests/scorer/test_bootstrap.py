"""The paired bootstrap by group."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.bootstrap import draw, interval, known_interval


def coin(rows: int) -> Table:
    return (np.random.default_rng(0).random(rows) < 0.3).astype(float)


def means(values: Table, numbers: NDArray[np.int_], resamples: int = 50, seed: int = 1) -> Table:
    """Return the mean of values (N,) on the cases and on resampled ones (1 + R,)."""
    drawn = draw(list(map(str, numbers.tolist())), resamples, seed)
    return drawn.means(values[:, None], np.ones(len(values)))[:, 0]


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    success = coin(2000)
    found = interval(means(success, np.arange(2000), 2000))
    error = success.std() / 2000**0.5
    assert found.low == pytest.approx(success.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(success.mean() + 1.96 * error, abs=0.1 * error)


def test_saying_every_case_ten_times_makes_no_figure_surer() -> None:
    success = coin(50)
    often = means(np.repeat(success, 10), np.repeat(np.arange(50), 10), 200)
    assert often == pytest.approx(means(success, np.arange(50), 200))


def test_groups_are_drawn_within_their_stratum() -> None:
    strata = ["x"] * 30 + ["y"] * 10
    drawn = draw(list(map(str, range(30))) + list(map(str, range(10))), 20, 1, strata)
    assert drawn.groups == 40
    sizes = drawn.totals(np.stack([np.array(strata) == "x", np.array(strata) == "y"], axis=1))
    assert (sizes == [30, 10]).all()
    assert len(np.unique(drawn.by_prompt(20), axis=0)) > 10


def test_many_groups_are_drawn_in_bags_without_narrowing_the_interval() -> None:
    success = coin(30_000)
    found = interval(means(success, np.arange(30_000), 1000))
    error = success.std() / 30_000**0.5
    assert found.mean == pytest.approx(success.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_a_statistic_that_is_seldom_a_number_has_no_interval() -> None:
    assert known_interval(np.array([0.5, np.nan, 0.4])) is None
    assert known_interval(np.array([np.nan, *[0.5] * 99])) is None
    found = known_interval(np.array([0.5, np.nan, *[0.4] * 98]))
    assert found is not None
    assert (found.mean, found.low, found.high) == (0.5, 0.4, 0.4)
