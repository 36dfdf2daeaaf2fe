"""What judged answers cost, and what could be known of that before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.core.entities import Price, PriceTier
from rolecall.registry.evaluation.costs import Spending
from rolecall.registry.scorer.data import Judged
from tests.scorer.judged_files import judged_table

NAN = float("nan")
Rows = list[list[float]]


def judged(*, tokens: Rows, costs: Rows | None = None, groups: tuple[str, ...] = ()) -> Judged:
    """Return rows of models a, b, …, of which only tokens, costs and groups matter."""
    models = "abc"[: len(tokens[0])]
    return judged_table(
        np.ones_like(tokens), groups=groups, models=models, tokens=tokens, costs=costs
    )


def spending(rows: Judged, prices: list[Price | None], predicted: float = 1000) -> Spending:
    return Spending(
        cases=rows,
        whole=rows,
        prices=prices,
        input_tokens=[100] * len(rows.groups),
        predicted_tokens=np.full(rows.scores.shape, predicted),
    )


def usd(*amounts: float) -> NDArray[np.float64]:
    return np.array([list(amounts)])


def test_what_a_row_says_it_cost_wins_over_price_times_tokens() -> None:
    rows = judged(tokens=[[200, 200]], costs=[[0.5, NAN]])
    paid = spending(rows, [Price(1, 10), Price(1, 10)]).paid()
    assert paid == pytest.approx(usd(0.5, (100 * 1 + 200 * 10) / 1e6))


def test_tokens_are_the_rows_own_else_the_models_median_else_predicted() -> None:
    rows = judged(tokens=[[10, NAN], [30, NAN], [50, NAN], [NAN, NAN]])
    paid = spending(rows, [Price(0, 1), Price(0, 1)]).paid() * 1e6
    assert paid[:, 0] == pytest.approx([10, 30, 50, 30])
    assert paid[:, 1] == pytest.approx([1000] * 4)


def test_what_is_expected_knows_nothing_of_the_answer() -> None:
    rows = judged(tokens=[[10, 20]], costs=[[5, NAN]])
    found = spending(rows, [Price(1, 10), Price(1, 10)]).expected()
    assert found == pytest.approx(usd(*[(100 + 1000 * 10) / 1e6] * 2))


def test_without_a_price_the_mean_of_other_groups_is_expected_and_never_ones_own() -> None:
    rows = judged(tokens=[[1]] * 4, costs=[[100], [100], [1], [3]], groups=("x", "x", "y", "z"))
    found = spending(rows, [None]).expected()[:, 0]
    assert found == pytest.approx([2, 2, 203 / 3, 67])


def test_a_cost_that_nobody_knows_is_never_nothing() -> None:
    rows = judged(tokens=[[5, 5]])
    paid = spending(rows, [None, Price(0, 0)]).paid()
    assert np.isnan(paid[0, 0])
    assert paid[0, 1] == 0


def test_an_answer_nobody_asked_for_costs_the_models_mean() -> None:
    rows = judged(tokens=[[1], [1], [1]], costs=[[1], [3], [NAN]])
    assert spending(rows, [None]).paid()[:, 0].tolist() == [1, 3, 2]


def test_each_prompt_pays_the_tier_that_its_own_input_reaches() -> None:
    rows = judged(tokens=[[10, 10], [10, 10]])
    tiered = Price(1, 10, tiers=(PriceTier(150, 2.0, 20.0),))
    found = replace(spending(rows, [tiered, Price(1, 10)]), input_tokens=[100, 200]).paid() * 1e6
    assert found[:, 0] == pytest.approx([100 * 1 + 10 * 10, 200 * 2 + 10 * 20])
    assert found[:, 1] == pytest.approx([100 * 1 + 10 * 10, 200 * 1 + 10 * 10])
