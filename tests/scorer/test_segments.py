"""A table in which no cell is missing."""

from __future__ import annotations

import numpy as np

from rolecall.registry.predictions import Prediction
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.segments import (
    cut,
    judged_models,
    places,
    prediction_tables,
    rows_about,
    rows_of_dataset,
    rows_outside_fold,
    rows_without,
)

NAN = float("nan")


def judged(scores: list[list[float]], costs: list[list[float]] | None = None) -> Judged:
    table = np.array(scores, dtype=np.float32)
    count, models = table.shape
    names = tuple(f"prompt {number}" for number in range(count))
    return Judged(
        ids=names,
        prompts=names,
        datasets=tuple("xy"[number % 2] for number in range(count)),
        tasks=("task",) * count,
        groups=names,
        folds=np.arange(count, dtype=np.int64),
        models=tuple("abc"[:models]),
        scores=table,
        tokens=np.full_like(table, np.nan),
        costs=np.full_like(table, np.nan) if costs is None else np.array(costs, dtype=np.float32),
    )


FIVE = judged([[1, 1, NAN], [0, 1, NAN], [1, NAN, 1], [0, 0, 1], [1, 1, 1]])


def test_a_model_known_on_less_than_four_prompts_in_five_is_no_part_of_the_pool() -> None:
    found = cut(FIVE, None)
    assert found.models == ("a", "b")
    assert found.rows.tolist() == [0, 1, 3, 4]
    assert found.coverage == {"a": 1.0, "b": 0.8, "c": 0.6}


def test_where_costs_count_a_cell_needs_a_price_or_a_cost_of_its_own() -> None:
    own = [[NAN, 1], [NAN, 1], [NAN, NAN], [NAN, 1], [NAN, 1]]
    rows = judged([[1, 1]] * 5, own)
    assert cut(rows, {"a"}).models == ("a", "b")
    assert cut(rows, {"a"}).rows.tolist() == [0, 1, 3, 4]
    assert cut(rows, set()).models == ("b",)


def test_no_rows_make_no_pool() -> None:
    found = cut(FIVE.only([]), None)
    assert (found.models, found.rows.tolist()) == ((), [])


def test_rows_are_found_by_what_they_are_about() -> None:
    assert judged_models(FIVE.only([0, 1])) == ("a", "b")
    assert rows_of_dataset(FIVE, "x").tolist() == [0, 2, 4]
    assert rows_of_dataset(FIVE, "x", fold=2).tolist() == [2]
    assert rows_outside_fold(FIVE, 2).tolist() == [0, 1, 3, 4]
    assert rows_about(FIVE, {"c"}).tolist() == [2, 3, 4]
    assert rows_about(FIVE, {"nobody"}).tolist() == []
    assert rows_without(FIVE, {"prompt 0", "prompt 3"}).tolist() == [1, 2, 4]


def test_places_among_other_rows() -> None:
    assert places(np.array([3, 7]), np.array([1, 3, 5, 7])).tolist() == [1, 3]


def test_predictions_become_tables() -> None:
    row = (Prediction("a", 0.25, 0.1, 10, "latent"), Prediction("b", 0.5, 0.1, 20, "facts"))
    success, tokens = prediction_tables([row, row])
    assert success.tolist() == [[0.25, 0.5], [0.25, 0.5]]
    assert tokens.tolist() == [[10.0, 20.0], [10.0, 20.0]]
