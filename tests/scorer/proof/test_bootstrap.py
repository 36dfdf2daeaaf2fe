from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.scorer.proof.bootstrap import (
    group_numbers,
    interval,
    known_interval,
    resample,
)
from rolecall.registry.scorer.proof.cases import Table
from rolecall.registry.scorer.proof.policies import Policy


def policy(name: str, success: Table, cost: float = 0.001) -> Policy:
    return Policy(name, success, np.full(len(success), cost), np.ones(1))


def coin(rows: int) -> Table:
    return (np.random.default_rng(0).random(rows) < 0.3).astype(float)


def test_the_first_row_is_the_estimate_on_the_cases_as_they_are() -> None:
    success = coin(200)
    found = resample([policy("a", success, 0.25)], np.arange(200), 50, seed=1)
    assert found.success.shape == (51, 1)
    assert found.of("a")[0][0] == pytest.approx(success.mean())
    assert found.of("a")[1].tolist() == pytest.approx([0.25] * 51)


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    success = coin(2000)
    found = interval(resample([policy("a", success)], np.arange(2000), 2000, 1).of("a")[0])
    error = success.std() / 2000**0.5
    assert found.low == pytest.approx(success.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(success.mean() + 1.96 * error, abs=0.1 * error)


def test_saying_every_case_ten_times_makes_no_figure_surer() -> None:
    success = coin(50)
    once = resample([policy("a", success)], np.arange(50), 200, 1)
    often = resample([policy("a", np.repeat(success, 10))], np.repeat(np.arange(50), 10), 200, 1)
    assert often.success == pytest.approx(once.success)


def test_large_groups_weigh_by_their_cases() -> None:
    numbers = np.array([0, 0, 0, 1])
    found = resample([policy("a", np.array([1.0, 1.0, 1.0, 0.0]))], numbers, 500, 1)
    # Two draws of two groups: only the large one, both, or only the small one.
    assert set(np.round(found.success[1:, 0], 6).tolist()) == {1.0, 0.75, 0.0}


def test_differences_are_paired() -> None:
    success = coin(100)
    found = resample(
        [policy("a", success), policy("b", success * 0.5 + 0.5)], np.arange(100), 50, 1
    )
    shifted = found.of("b")[0] - 0.5 * found.of("a")[0]
    assert shifted == pytest.approx(np.full(51, 0.5))


def test_the_same_seed_draws_the_same() -> None:
    def draw(seed: int) -> Table:
        return resample([policy("a", coin(100))], np.arange(100), 20, seed).success

    assert np.array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


def test_draws_are_the_same_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resample([policy("a", coin(100))], np.arange(100), 20, 1).success
    monkeypatch.setattr("rolecall.registry.scorer.proof.bootstrap._BLOCK", 300)
    assert resample([policy("a", coin(100))], np.arange(100), 20, 1).success == pytest.approx(whole)


def test_many_groups_are_drawn_in_bags_without_narrowing_the_interval() -> None:
    success = coin(30_000)
    found = interval(resample([policy("a", success)], np.arange(30_000), 1000, 1).of("a")[0])
    error = success.std() / 30_000**0.5
    assert found.mean == pytest.approx(success.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_groups_are_numbered_from_nought() -> None:
    assert group_numbers(["b", "a", "b"]).tolist() == [1, 0, 1]


def test_a_statistic_that_is_not_always_a_number_has_no_interval() -> None:
    assert known_interval(np.array([0.5, np.nan, 0.4])) is None
    assert known_interval(np.array([0.5, 0.4, 0.6])) is not None
