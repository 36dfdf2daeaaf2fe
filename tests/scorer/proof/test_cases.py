from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.scorer.proof.cases import Cases, Table

SCORES = np.array([[1.0, 0.0], [0.5, 1.0]])


def cases(
    scores: Table = SCORES, costs: Table | None = None, expected: Table | None = None
) -> Cases:
    return Cases(("b", "a"), ("g", "h"), scores, costs, expected, {"ours": scores})


def test_a_cell_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="scores"):
        cases(np.array([[1.0, np.nan], [0.5, 1.0]]))


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="costs"):
        cases(costs=np.ones((2, 3)))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="task means"):
        Cases(("a",), ("g",), np.ones((1, 1)), None, None, {"theirs": np.ones((1, 1))})


def test_a_proof_without_prompts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Cases(("a",), (), np.ones((0, 1)), None, None, {"ours": np.ones((0, 1))})


def test_models_are_put_in_the_order_of_their_names_with_all_their_columns() -> None:
    costs = np.array([[1.0, 2.0], [3.0, 4.0]])
    ordered = cases(costs=costs, expected=costs * 10).by_name()
    assert ordered.models == ("a", "b")
    assert ordered.scores.tolist() == [[0.0, 1.0], [1.0, 0.5]]
    assert ordered.costs is not None
    assert ordered.costs.tolist() == [[2.0, 1.0], [4.0, 3.0]]
    assert ordered.visible_costs.tolist() == [[20.0, 10.0], [40.0, 30.0]]
    assert ordered.predicted["ours"].tolist() == ordered.scores.tolist()


def test_where_no_cost_is_expected_a_policy_knows_each_models_mean() -> None:
    known = cases(costs=np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert known.visible_costs.tolist() == [[2.0, 3.0], [2.0, 3.0]]


def test_expected_costs_count_for_nothing_where_nobody_knows_what_was_paid() -> None:
    assert not cases(expected=np.ones((2, 2))).visible_costs.any()
