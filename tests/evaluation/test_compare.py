from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.evaluation.compare import compare
from tests.evaluation.synthetic import QUALITY_USD, cheap_will_do_on_easy, drawn


def three_methods(rows: int = 400) -> Cases:
    cases = cheap_will_do_on_easy(0, rows)
    said = cases.predicted["ours"]
    blurred = np.clip(said + np.random.default_rng(0).normal(0, 0.2, said.shape), 0, 1)
    means = np.tile(said.mean(axis=0), (rows, 1))
    # A price a call, so that nobody can route by the length of a prompt alone.
    flat = np.tile([0.001, 0.01], (rows, 1))
    cases = replace(cases, costs=flat, expected_costs=flat)
    return replace(cases, predicted={"ours": said, "nearest": blurred, "task means": means})


def told(cases: Cases, resamples: int = 50) -> dict[str, Any]:
    found = asdict(compare(cases, QUALITY_USD, resamples=resamples)[0])
    plain: dict[str, Any] = json.loads(json.dumps(found, allow_nan=False))
    return plain


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return told(three_methods(), resamples=200)


def policy(plain: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in plain["policies"] if one["policy"] == name)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, float):
        yield value


def test_the_comparison_is_plain_json_without_nan(plain: dict[str, Any]) -> None:
    assert all(math.isfinite(number) for number in numbers(plain))


def test_the_comparison_has_the_parts_that_others_render(plain: dict[str, Any]) -> None:
    assert list(plain) == [
        "cases",
        "coverage",
        "groups",
        "models",
        "measured",
        "quality_usd",
        "best_single",
        "policies",
        "curves",
        "singles",
        "aiq",
        "cost_at_quality",
        "quality",
        "by_model",
        "verdict",
    ]
    assert (plain["cases"], plain["groups"], plain["coverage"]) == (400, 400, 1.0)
    assert plain["models"] == plain["measured"] == ["cheap", "strong"]
    assert plain["best_single"] == "strong"
    assert [one["policy"] for one in plain["policies"]] == [
        "single:cheap",
        "single:strong",
        "cheapest",
        "random",
        "task means",
        "nearest",
        "ours",
        "oracle",
        "ours, equal success",
    ]
    assert list(plain["curves"]) == ["task means", "nearest", "ours", "mixtures"]
    assert set(plain["aiq"]) == {
        "task means", "nearest", "ours", "best single", "mixtures", "oracle",
    }  # fmt: skip
    assert set(plain["cost_at_quality"]["ours"]) == {"90", "95", "99", "100"}
    assert set(plain["quality"]["ours"]) == {
        "auc", "brier", "ece", "pair_order", "model_rank", "ours_over_usd",
    }  # fmt: skip
    assert set(plain["by_model"]["cheap"]) == {"auc", "brier", "ece", "reliability"}
    assert set(plain["verdict"]) == {
        "route", "text", "model", "rule", "saving", "points", "value_usd",
    }  # fmt: skip


def test_every_policy_adds_up(plain: dict[str, Any]) -> None:
    oracle = policy(plain, "oracle")
    for one in plain["policies"]:
        assert sum(one["shares"].values()) == pytest.approx(1)
        assert one["value_usd"] == pytest.approx(QUALITY_USD * one["success"] - one["cost_usd"])
        assert one["regret_usd"] == pytest.approx(oracle["value_usd"] - one["value_usd"])
        assert one["regret_usd"] >= 0
        assert one["cost_per_success_usd"] == pytest.approx(one["cost_usd"] / one["success"])


def test_gains_are_against_the_verdicts_model(plain: dict[str, Any]) -> None:
    assert plain["verdict"]["model"] == "strong"
    best, ours = policy(plain, "single:strong"), policy(plain, "ours")
    nothing = {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert best["success_gain"] == best["saving"] == best["value_gain_usd"] == nothing
    assert ours["success_gain"]["mean"] == pytest.approx(ours["success"] - best["success"])
    assert ours["saving"]["mean"] == pytest.approx(1 - ours["cost_usd"] / best["cost_usd"])
    gain = ours["value_gain_usd"]
    assert gain["mean"] == pytest.approx(ours["value_usd"] - best["value_usd"])
    assert gain["low"] < gain["mean"] < gain["high"]
    assert best["over_mixtures"] is None
    assert ours["over_mixtures"]["low"] > 0.05


def test_our_choices_are_valued_against_each_other_methods(plain: dict[str, Any]) -> None:
    ours = policy(plain, "ours")["value_usd"]
    for name in ("task means", "nearest"):
        over = plain["quality"][name]["ours_over_usd"]
        assert over["mean"] == pytest.approx(ours - policy(plain, name)["value_usd"])
        assert over["low"] < over["mean"] < over["high"]
    assert plain["quality"]["task means"]["ours_over_usd"]["low"] > 0


def test_a_router_with_signal_has_more_area_than_mixtures_and_less_than_an_oracle(
    plain: dict[str, Any],
) -> None:
    area = plain["aiq"]
    assert area["best single"] < area["mixtures"] < area["ours"] < area["oracle"]
    assert area["task means"] == pytest.approx(area["mixtures"])


def test_the_methods_are_told_apart(plain: dict[str, Any]) -> None:
    quality = plain["quality"]
    ours, nearest, means = (quality[name] for name in ("ours", "nearest", "task means"))
    assert ours["auc"]["mean"] > nearest["auc"]["mean"] > means["auc"]["mean"]
    assert ours["pair_order"]["mean"] > 0.8
    for figure in ("auc", "brier", "ece", "pair_order"):
        assert ours[figure]["low"] < ours[figure]["mean"] < ours[figure]["high"]
    assert quality["task means"]["auc"] == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert quality["ours"]["brier"]["mean"] < quality["nearest"]["brier"]["mean"]
    assert quality["ours"]["model_rank"] is None  # of two models
    bins = plain["by_model"]["cheap"]["reliability"]
    assert len(bins) == 15
    assert sum(one["count"] for one in bins) == 400


def test_predictions_are_measured_on_models_that_nobody_can_choose() -> None:
    cases = three_methods()
    wide = replace(
        cases,
        models=("cheap", "strong", "unpriced"),
        scores=np.column_stack([cases.scores, 1 - cases.scores[:, 0]]),
        costs=None,
        expected_costs=None,
        predicted={"ours": np.column_stack([cases.predicted["ours"], np.zeros(400)])},
    )
    narrow = replace(cases, predicted={"ours": cases.predicted["ours"]})
    found, _ = compare(narrow, QUALITY_USD, everyone=wide, resamples=50)
    assert (found.models, found.measured) == (cases.models, wide.models)
    assert set(found.by_model) == set(wide.models)
    assert found.by_model["unpriced"].auc == 0.5


def test_without_costs_every_cost_is_null() -> None:
    unknown = replace(three_methods(), costs=None, expected_costs=None)
    plain = told(unknown)
    assert plain["curves"] is plain["singles"] is plain["aiq"] is plain["cost_at_quality"] is None
    for one in plain["policies"]:
        assert one["cost_usd"] is one["cost_per_success_usd"] is one["saving"] is None
        assert one["value_usd"] == pytest.approx(QUALITY_USD * one["success"])
    assert plain["verdict"]["saving"] is None


def test_free_models_have_no_saving_and_the_rest_holds() -> None:
    cases = three_methods()
    free = replace(cases, costs=np.zeros((400, 2)), expected_costs=np.zeros((400, 2)))
    plain = told(free)
    assert policy(plain, "ours")["saving"] is None
    assert policy(plain, "ours")["cost_usd"] == 0.0
    json.dumps(plain, allow_nan=False)


def test_a_policy_without_any_success_has_no_cost_per_success() -> None:
    failing = drawn(np.random.default_rng(0), np.zeros((40, 2)), [0.001, 0.002])
    plain = told(failing)
    assert policy(plain, "ours")["cost_per_success_usd"] is None
    assert plain["quality"]["ours"]["auc"] is None


def test_without_ours_the_strongest_method_given_is_judged() -> None:
    cases = three_methods()
    plain_means = {"task means": cases.predicted["task means"]}
    assert not told(replace(cases, predicted=plain_means))["verdict"]["route"]
    nearest = {**plain_means, "nearest": cases.predicted["ours"]}
    assert told(replace(cases, predicted=nearest))["verdict"]["route"]


def test_a_curve_runs_between_the_single_models(plain: dict[str, Any]) -> None:
    assert list(plain["singles"]) == ["cheap", "strong"]
    for model, point in plain["singles"].items():
        single = policy(plain, f"single:{model}")
        assert point["cost_usd"] == pytest.approx(single["cost_usd"])
        assert point["success"] == pytest.approx(single["success"])
    ours = plain["curves"]["ours"]
    assert 3 <= len(ours) <= 60
    assert [point["cost_usd"] for point in ours] == sorted(point["cost_usd"] for point in ours)
    ends = [point["cost_usd"] for point in plain["curves"]["mixtures"]]
    assert ends == pytest.approx([0.001, 0.01])
    assert ours[0]["cost_usd"] == pytest.approx(policy(plain, "cheapest")["cost_usd"])


def test_equal_quality_costs_less_than_the_best_single_model(plain: dict[str, Any]) -> None:
    held = plain["cost_at_quality"]
    assert held["best single"] == pytest.approx(policy(plain, "single:strong")["cost_usd"])
    assert held["ours"]["90"]["cost_usd"] < 0.6 * held["best single"]
    target = 0.9 * policy(plain, "single:strong")["success"]
    assert held["ours"]["90"]["success"] > target - 0.02


def test_the_same_seed_says_the_same() -> None:
    cases = three_methods(120)
    assert told(cases) == told(cases)
    other, _ = compare(cases, QUALITY_USD, seed=8, resamples=50)
    assert json.loads(json.dumps(asdict(other)))["policies"] != told(cases)["policies"]
