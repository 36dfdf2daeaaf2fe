from __future__ import annotations

from dataclasses import replace

import numpy as np

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.evaluation.policies import (
    DIALS,
    Policy,
    best_single,
    choose,
    policies,
    sweep,
)
from tests.evaluation.synthetic import table

CASES = table(
    models=("cheap", "dear"),
    scores=np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]),
    costs=np.array([[0.01, 0.04]] * 4),
    expected_costs=np.array([[0.01, 0.03]] * 4),
    predicted={"ours": np.array([[0.9, 0.9], [0.2, 0.9], [0.7, 0.8], [0.5, 0.4]])},
)


def by_name(cases: Cases, quality_usd: float) -> dict[str, Policy]:
    return {policy.name: policy for policy in policies(cases, quality_usd)}


def test_the_choice_weighs_predicted_success_against_expected_cost() -> None:
    predicted, costs = np.array([[0.5, 0.9], [0.8, 0.9]]), np.array([[0.01, 0.03]] * 2)
    assert choose(predicted, costs, 0.1).tolist() == [1, 0]
    assert choose(predicted, costs, 0.01).tolist() == [0, 0]
    assert choose(predicted, costs, np.inf).tolist() == [1, 1]


def test_ties_go_to_the_cheaper_and_then_to_the_earlier_model() -> None:
    even = np.array([[0.5, 0.5, 0.5]])
    assert choose(even, np.array([[0.03, 0.01, 0.02]]), np.inf).tolist() == [1]
    assert choose(even, np.array([[0.02, 0.01, 0.01]]), 1.0).tolist() == [1]
    # 1 · 0.5 − 0.25 = 1 · 0.75 − 0.5: equal values, the cheaper wins.
    assert choose(np.array([[0.75, 0.5]]), np.array([[0.5, 0.25]]), 1.0).tolist() == [1]


def test_a_policy_is_charged_what_was_paid_not_what_was_expected() -> None:
    ours = by_name(CASES, 0.05)["ours"]  # chooses cheap, dear, cheap, cheap
    assert ours.success.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert ours.cost.tolist() == [0.01, 0.04, 0.01, 0.01]
    assert ours.shares.tolist() == [0.75, 0.25]


def test_the_oracle_takes_the_best_true_value() -> None:
    oracle = by_name(CASES, 0.05)["oracle"]
    assert oracle.success.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert oracle.cost.tolist() == [0.01, 0.04, 0.04, 0.01]
    # At 2 cents the dear answer is not worth 4: the oracle takes the wrong cheap one.
    assert by_name(CASES, 0.02)["oracle"].success.tolist() == [1.0, 0.0, 0.0, 1.0]


def test_random_is_the_mean_over_the_models() -> None:
    random = by_name(CASES, 0.05)["random"]
    assert random.success.tolist() == [1.0, 0.5, 0.5, 0.5]
    assert random.cost.tolist() == [0.025] * 4
    assert random.shares.tolist() == [0.5, 0.5]


def test_best_and_cheapest_break_ties_by_each_other() -> None:
    even = replace(CASES, scores=np.ones((4, 2)))
    assert best_single(CASES) == 1
    assert by_name(CASES, 0.05)["cheapest"].shares.tolist() == [1, 0]
    assert best_single(even) == 0
    free = by_name(replace(CASES, costs=np.zeros((4, 2))), 0.05)["cheapest"]
    assert free.shares.tolist() == [0, 1]


def test_the_dial_runs_from_always_cheapest_to_always_best_predicted() -> None:
    random = np.random.default_rng(0)
    predicted, costs = random.random((400, 4)), random.random((400, 4)) * 0.01
    chosen = sweep(predicted, costs)
    assert np.array_equal(chosen[0], costs.argmin(axis=1))
    assert np.array_equal(chosen[-1], predicted.argmax(axis=1))
    assert len(chosen) == len(DIALS)
    assert (np.diff(DIALS) > 0).all()


def test_prompts_count_by_their_weight() -> None:
    weighed = replace(CASES, weights=np.array([1.0, 0.0, 0.0, 3.0]))
    assert best_single(weighed) == 0
    assert by_name(weighed, 0.05)["ours"].shares.tolist() == [1, 0]


def test_an_oracle_takes_a_model_that_was_not_asked_for_what_is_expected_of_it() -> None:
    scores = np.array([[1.0, 1.0], [0.0, np.nan], [0.0, 1.0], [np.nan, 1.0]])
    oracle = by_name(replace(CASES, scores=scores), 1.0)["oracle"]
    assert oracle.success[[0, 2, 3]].tolist() == [1, 1, 1]
    assert 0.3 < oracle.success[1] < 1


def test_rows_beyond_one_block_are_chosen_for_alike() -> None:
    random = np.random.default_rng(0)
    predicted, costs = random.random((5000, 3)), random.random((5000, 3))
    assert np.array_equal(choose(predicted, costs, 0.7), (0.7 * predicted - costs).argmax(axis=1))


def test_without_costs_nothing_is_cheapest_and_success_alone_decides() -> None:
    found = by_name(replace(CASES, costs=None, expected_costs=None), 0.05)
    assert "cheapest" not in found
    assert found["ours"].shares.tolist() == [0.5, 0.5]  # the tied first prompt goes by name
    assert not found["ours"].cost.any()


def test_expected_cost_never_falls_as_the_dial_rises() -> None:
    random = np.random.default_rng(1)
    predicted, costs = random.random((300, 5)), random.random((300, 5)) * 0.01
    paid = costs[np.arange(300), sweep(predicted, costs)].mean(axis=1)
    assert (np.diff(paid) >= -1e-15).all()
