from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.proof.prove import prove
from tests.scorer.proof.synthetic import QUALITY_USD, cheap_will_do_on_easy, drawn


def three_methods(rows: int = 400) -> Cases:
    cases = cheap_will_do_on_easy(0, rows)
    said = cases.predicted["ours"]
    blurred = np.clip(said + np.random.default_rng(0).normal(0, 0.2, said.shape), 0, 1)
    means = np.tile(said.mean(axis=0), (rows, 1))
    # A price a call, so that nobody can route by the length of a prompt alone.
    flat = np.tile([0.001, 0.01], (rows, 1))
    cases = replace(cases, costs=flat, expected_costs=flat)
    return replace(cases, predicted={"ours": said, "nearest": blurred, "task means": means})


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return prove(three_methods(), QUALITY_USD, resamples=200).to_dict()


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


def test_the_proof_is_plain_json_without_nan(plain: dict[str, Any]) -> None:
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert all(math.isfinite(number) for number in numbers(plain))


def test_the_proof_has_the_parts_that_others_render(plain: dict[str, Any]) -> None:
    assert list(plain) == [
        "cases",
        "models",
        "quality_usd",
        "best_single",
        "policies",
        "curves",
        "aiq",
        "two_models",
        "cost_to_hold",
        "quality",
        "verdict",
    ]
    assert (plain["cases"], plain["models"]) == (400, ["cheap", "strong"])
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
    ]
    assert list(plain["curves"]) == ["task means", "nearest", "ours", "singles"]
    assert set(plain["aiq"]) == {
        "task means", "nearest", "ours", "best single", "singles hull", "oracle",
    }  # fmt: skip
    assert set(plain["two_models"]) == {"strong", "weak", "apgr", "cpt50", "cpt80"}
    assert set(plain["cost_to_hold"]["ours"]) == {"90", "95", "99", "100"}
    assert set(plain["quality"]["ours"]) == {"auc", "brier", "ece", "by_model"}
    assert set(plain["verdict"]) == {"route", "text", "use", "saving", "points"}


def test_every_policy_adds_up(plain: dict[str, Any]) -> None:
    oracle = policy(plain, "oracle")
    for one in plain["policies"]:
        assert sum(one["shares"].values()) == pytest.approx(1)
        assert one["value_usd"] == pytest.approx(QUALITY_USD * one["success"] - one["cost_usd"])
        assert one["regret_usd"] == pytest.approx(oracle["value_usd"] - one["value_usd"])
        assert one["regret_usd"] >= 0
        assert one["cost_per_success_usd"] == pytest.approx(one["cost_usd"] / one["success"])


def test_gains_are_against_the_best_single_model(plain: dict[str, Any]) -> None:
    best, ours = policy(plain, "single:strong"), policy(plain, "ours")
    nothing = {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert best["success_gain"] == best["saving"] == best["value_gain_usd"] == nothing
    assert ours["success_gain"]["mean"] == pytest.approx(ours["success"] - best["success"])
    assert ours["saving"]["mean"] == pytest.approx(1 - ours["cost_usd"] / best["cost_usd"])
    gain = ours["value_gain_usd"]
    assert gain["mean"] == pytest.approx(ours["value_usd"] - best["value_usd"])
    assert gain["low"] < gain["mean"] < gain["high"]


def test_a_curve_runs_between_the_single_models(plain: dict[str, Any]) -> None:
    assert plain["curves"]["singles"] == [
        {
            "model": model,
            "cost_usd": policy(plain, f"single:{model}")["cost_usd"],
            "success": policy(plain, f"single:{model}")["success"],
        }
        for model in ("cheap", "strong")
    ]
    ours = plain["curves"]["ours"]
    assert 10 < len(ours) <= 60
    assert [point["cost_usd"] for point in ours] == sorted(point["cost_usd"] for point in ours)
    assert ours[0]["cost_usd"] == pytest.approx(policy(plain, "cheapest")["cost_usd"])


def test_a_router_with_signal_has_more_area_than_mixtures_and_less_than_hindsight(
    plain: dict[str, Any],
) -> None:
    area = plain["aiq"]
    assert area["best single"] < area["singles hull"] < area["ours"] < area["oracle"]
    assert area["task means"] == pytest.approx(area["singles hull"])


def test_holding_costs_less_than_the_best_single_model(plain: dict[str, Any]) -> None:
    held = plain["cost_to_hold"]
    assert held["best single"] == pytest.approx(policy(plain, "single:strong")["cost_usd"])
    assert held["ours"]["90"]["cost_usd"] < 0.6 * held["best single"]
    target = 0.9 * policy(plain, "single:strong")["success"]
    assert held["ours"]["90"]["success"] > target - 0.02


def test_the_methods_are_told_apart(plain: dict[str, Any]) -> None:
    quality, pairs = plain["quality"], plain["two_models"]
    assert quality["ours"]["auc"] > quality["nearest"]["auc"] > quality["task means"]["auc"]
    assert quality["task means"]["auc"] == 0.5
    assert quality["ours"]["brier"] < quality["nearest"]["brier"]
    assert pairs["apgr"]["ours"] > pairs["apgr"]["task means"] == pytest.approx(0.5)
    bins = quality["ours"]["by_model"]["cheap"]["reliability"]
    assert len(bins) == 15
    assert sum(one["count"] for one in bins) == 400


def test_without_costs_every_cost_is_null() -> None:
    unknown = replace(three_methods(), costs=None)
    plain = prove(unknown, QUALITY_USD, resamples=50).to_dict()
    assert plain["curves"] is plain["aiq"] is plain["cost_to_hold"] is None
    for one in plain["policies"]:
        assert one["cost_usd"] is one["cost_per_success_usd"] is one["saving"] is None
        assert one["value_usd"] == pytest.approx(QUALITY_USD * one["success"])
    assert plain["two_models"]["weak"] == "cheap"
    assert plain["verdict"]["saving"] is None


def test_free_models_have_no_saving_and_the_rest_holds() -> None:
    cases = three_methods()
    free = replace(cases, costs=np.zeros((400, 2)), expected_costs=np.zeros((400, 2)))
    plain = prove(free, QUALITY_USD, resamples=50).to_dict()
    assert policy(plain, "ours")["saving"] is None
    assert policy(plain, "ours")["cost_usd"] == 0.0
    json.dumps(plain, allow_nan=False)


def test_a_policy_without_any_success_has_no_cost_per_success() -> None:
    failing = drawn(np.random.default_rng(0), np.zeros((40, 2)), [0.001, 0.002])
    plain = prove(failing, QUALITY_USD, resamples=50).to_dict()
    assert policy(plain, "ours")["cost_per_success_usd"] is None
    assert plain["quality"]["ours"]["auc"] is None


def test_the_same_seed_proves_the_same_and_the_models_order_is_nothing() -> None:
    cases = three_methods(120)
    turned = Cases(
        cases.models[::-1],
        cases.groups,
        cases.scores[:, ::-1],
        cases.costs[:, ::-1] if cases.costs is not None else None,
        cases.expected_costs[:, ::-1] if cases.expected_costs is not None else None,
        {name: said[:, ::-1] for name, said in cases.predicted.items()},
    )
    first = prove(cases, QUALITY_USD, resamples=50)
    assert prove(turned, QUALITY_USD, resamples=50).to_dict() == first.to_dict()
    assert prove(cases, QUALITY_USD, seed=8, resamples=50).policies != first.policies


def test_one_prompt_and_one_model_are_enough_for_a_proof() -> None:
    alone = Cases(("a",), ("g",), np.ones((1, 1)), np.ones((1, 1)), None, {"ours": np.ones((1, 1))})
    plain = prove(alone, QUALITY_USD, resamples=20).to_dict()
    assert plain["two_models"] is None
    assert plain["verdict"]["text"] == "only one model: nothing to route"
    json.dumps(plain, allow_nan=False)


def test_without_ours_the_strongest_method_given_is_judged() -> None:
    cases = three_methods()
    plain_means = {"task means": cases.predicted["task means"]}
    assert not prove(replace(cases, predicted=plain_means), QUALITY_USD, resamples=50).verdict.route
    nearest = {**plain_means, "nearest": cases.predicted["ours"]}
    assert prove(replace(cases, predicted=nearest), QUALITY_USD, resamples=50).verdict.route
