from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.flips import Rate, nearest_choices, rates

NORTH = np.array([1, 0], dtype=np.float32)
EAST = np.array([0, 1], dtype=np.float32)


def judged(
    scores: Sequence[Sequence[float]], costs: Sequence[Sequence[float]] | None = None
) -> Judged:
    count = len(scores)
    names = tuple(map(str, range(count)))
    table = np.array(scores, dtype=np.float32)
    return Judged(
        ids=names,
        prompts=names,
        datasets=("set",) * count,
        tasks=("task",) * count,
        groups=names,
        folds=np.zeros(count, dtype=np.int64),
        models=("left", "right")[: table.shape[1]],
        scores=table,
        tokens=np.full_like(table, np.nan),
        costs=np.full_like(table, np.nan) if costs is None else np.array(costs, dtype=np.float32),
    )


def test_a_rate_counts_flips_among_the_kinds_that_applied() -> None:
    first, second, both = rates([[True, None], [False, True], [False, False]], seed=1)
    assert (first.flips, first.cases, first.share) == (1, 3, 1 / 3)
    assert (second.flips, second.cases, second.share) == (1, 2, 1 / 2)
    assert (both.flips, both.cases, both.share) == (2, 5, 2 / 5)


def test_a_kind_that_never_applied_has_no_rate() -> None:
    assert rates([[None, True], [None, False]], seed=1)[0] == Rate(0, 0, None, None, None)


def test_the_interval_is_about_as_wide_as_prompts_make_it() -> None:
    prompts = [[number % 4 == 0] for number in range(400)]
    [one, _] = rates(prompts, seed=1)
    assert one.low is not None
    assert one.high is not None
    error = (0.25 * 0.75 / 400) ** 0.5
    assert one.low == pytest.approx(0.25 - 1.96 * error, abs=0.01)
    assert one.high == pytest.approx(0.25 + 1.96 * error, abs=0.01)


def test_changes_of_one_prompt_count_as_one_piece_of_evidence() -> None:
    together = rates([[number % 4 == 0] * 10 for number in range(40)], seed=1)[-1]
    apart = rates([[number % 4 == 0] for number in range(400)], seed=1)[-1]
    assert together.share == apart.share
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low - 0.05


def test_the_same_seed_draws_the_same_interval() -> None:
    table: list[list[bool | None]] = [[True, False], [False, None], [True, True]]
    assert rates(table, seed=5) == rates(table, seed=5)


def test_the_nearest_prompts_speak_for_the_model_that_did_well_on_them() -> None:
    past = judged([[1, 0]] * 200 + [[0, 1]] * 200)
    vectors = [NORTH] * 200 + [EAST] * 200
    asked = judged([[0.5, 0.5]])
    found = nearest_choices(past, vectors, asked, [(0, NORTH), (0, EAST), (0, NORTH)], 0.05)
    assert found == ["left", "right", "left"]


def test_only_models_judged_on_the_prompt_may_be_chosen() -> None:
    past = judged([[1, 0]] * 100)
    asked = judged([[np.nan, 0.5], [0.5, 0.5]])
    assert nearest_choices(past, [NORTH] * 100, asked, [(0, NORTH), (1, NORTH)], 0.05) == [
        "right",
        "left",
    ]


def test_a_better_model_must_be_worth_its_cost() -> None:
    past = judged([[1, 0.9]] * 100)
    asked = judged([[1, 1]], costs=[[0.02, 0.001]])
    wording = [(0, NORTH)]
    assert nearest_choices(past, [NORTH] * 100, asked, wording, 0.05) == ["right"]
    assert nearest_choices(past, [NORTH] * 100, asked, wording, 5.0) == ["left"]
