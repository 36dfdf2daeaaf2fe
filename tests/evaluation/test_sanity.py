"""What must hold of routing by the evidence of judged rows: that it is no constant's to pass."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from rolecall.registry.evaluation.sanity import (
    Evidence,
    ExpectationGroup,
    check_sanity,
    constant_passes,
    output_prices,
    read_expectations,
)
from rolecall.registry.opening import open_registry
from rolecall.registry.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.storage.pool import read_pool

GROUPS = read_expectations()
MOST_FOR_A_CONSTANT = 0.6
GROUP = ExpectationGroup(
    name="rare",
    kind="facts",
    must="strong",
    evidence=Evidence("set", ("task",), 10, {"a": 0.2, "b": 0.8}, {"c-thinking": 0.9, "d": 0.5}),
    prompts=("one?", "two?"),
    role=None,
    also=frozenset(),
    order=(),
    cheap_usd_per_mtok=6,
    margin=0.15,
)
PRICES = {"a": 0.0, "b": 1.0, "c": 10.0, "d": 20.0, "unjudged": 7.0, "unjudged-cheap": 2.0}


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    with open_registry(tmp_path_factory.mktemp("pool") / "starter.db") as db:
        return output_prices(read_pool(db))


def test_no_constant_choice_nor_fixed_order_by_price_passes_most(prices: dict[str, float]) -> None:
    passes = constant_passes(GROUPS, prices)
    assert set(passes) == set(prices)
    assert max(passes.values()) <= MOST_FOR_A_CONSTANT * sum(len(one.prompts) for one in GROUPS)


def test_no_one_order_of_models_agrees_with_more_than_half_of_the_orders() -> None:
    orders = [one for one in GROUPS if one.must == "order"]
    granted = set(constant_passes(orders, dict.fromkeys(("any", "other"), 1.0)).values())
    assert granted == {sum(len(one.prompts) for one in orders) // 2}


def test_the_list_is_long_and_of_many_kinds_and_languages() -> None:
    prompts = [prompt for one in GROUPS for prompt in one.prompts]
    assert len(prompts) == len(set(prompts)) >= 120
    assert len({one.kind for one in GROUPS}) >= 10
    for word in ("What", "Welche", "Combien", "Con los", "In che anno", "教えて", "请"):
        assert any(word in prompt for prompt in prompts), word


def test_every_group_may_be_passed_and_may_be_failed(prices: dict[str, float]) -> None:
    for one in GROUPS:
        if one.must == "order":
            assert set(one.order) <= set(prices)
        else:
            assert one.allowed(prices), one.name
            assert one.allowed(prices) < set(prices), one.name


def test_the_evidence_shows_a_gap_where_a_strong_model_is_needed_and_none_elsewhere() -> None:
    for one in GROUPS:
        cheap, strong = one.evidence.cheap, one.evidence.strong
        if one.must == "cheap":
            assert max(cheap.values()) >= max(strong.values()) - 0.05, one.name
        elif one.must == "strong":
            assert max(strong.values()) - fmean(cheap.values()) >= 0.15, one.name
            assert fmean(strong.values()) > fmean(cheap.values()) + 0.15, one.name
        else:
            first, second = (_mean(one.evidence, model) for model in one.order)
            assert first >= second + 0.15, one.name


def _mean(evidence: Evidence, model: str) -> float:
    return evidence.strong.get(model) or evidence.cheap[model]


def test_the_evidence_is_what_the_judged_rows_say(judged_folder: Path) -> None:
    rows: dict[str, list[dict[str, object]]] = {}
    for one in GROUPS:
        name = one.evidence.data
        if name not in rows:
            text = gzip.decompress((judged_folder / f"{name}.jsonl.gz").read_bytes()).decode()
            rows[name] = [row for row in map(json.loads, text.splitlines()) if row["fold"] <= 5]
        judged = [row for row in rows[name] if row["task"] in one.evidence.tasks]
        assert len(judged) == one.evidence.prompts, one.name
        for model, mean in {**one.evidence.cheap, **one.evidence.strong}.items():
            assert _scores(judged, model) == pytest.approx(mean, abs=0.0051), (one.name, model)


def _scores(rows: Sequence[Mapping[str, object]], model: str) -> float:
    tables = [row["scores"] for row in rows]
    return fmean(table[model] for table in tables if isinstance(table, dict) and model in table)


def test_a_strong_model_is_one_that_did_well_or_an_unjudged_dear_one() -> None:
    assert GROUP.allowed(PRICES) == {"b", "c", "unjudged"}
    assert replace(GROUP, also=frozenset({"a"})).allowed(PRICES) == {"a", "b", "c", "unjudged"}


def test_a_cheap_model_is_one_of_low_price_that_did_not_do_badly() -> None:
    assert replace(GROUP, must="cheap").allowed(PRICES) == {"b", "unjudged-cheap"}


def test_a_constant_is_granted_one_order_of_the_models() -> None:
    first = replace(GROUP, must="order", order=("b", "c"))
    other = replace(first, order=("c", "b"), prompts=("three?",))
    assert constant_passes([GROUP, first, other], PRICES) == {
        model: 2 + 2 * (model in ("b", "c", "unjudged")) for model in PRICES
    }


class Told(Scorer):
    """The shipped scorer's readings and lengths, with the success that it is told."""

    def __init__(self, scorer: Scorer, success: Callable[[str, str], float]) -> None:
        self.__dict__.update(vars(scorer))
        self._inner, self._told = scorer, success
        self._texts: list[tuple[Reading, str]] = []

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:  # noqa: ARG002
        self._texts.append((self._inner.read(text), text))
        return self._texts[-1][0]

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        [text] = [text for one, text in self._texts if one is reading]
        return tuple(
            replace(one, success=self._told(text, one.model))
            for one in self._inner.predict(reading, facts)
        )


def told_the_evidence(prices: Mapping[str, float]) -> Callable[[str, str], float]:
    groups = {prompt.strip(): one for one in GROUPS for prompt in one.prompts}

    def success(text: str, model: str) -> float:
        group = groups[text.strip()]
        cheap, strong = group.evidence.cheap, group.evidence.strong
        judged = {**cheap, **strong}
        if group.must == "cheap":  # what is within reach of the cheap ones is no difference
            return fmean(cheap.values())
        listed = prices[model if model in prices else model.rpartition("-")[0]]  # of a variant
        is_strong = model in group.also or listed > group.cheap_usd_per_mtok
        usual = fmean((strong if is_strong else cheap).values())
        return judged.get(model, judged.get(f"{model}-thinking", usual))

    return success


def test_routing_that_is_told_the_evidence_passes_more_than_any_constant(
    tmp_path: Path, prices: dict[str, float]
) -> None:
    report = check_sanity(tmp_path / "none.db", Told(Scorer.load(), told_the_evidence(prices)))
    # Not all: where hidden reasoning costs more than a right answer is worth, the cheap one wins.
    assert report.passed >= report.best_constant_passed + 10, report.failures


def test_a_scorer_that_has_one_favourite_passes_as_often_as_that_constant(tmp_path: Path) -> None:
    def favourite(text: str, model: str) -> float:  # noqa: ARG001
        return 0.99 if model == "deepseek-v4-flash" else 0.5

    report = check_sanity(tmp_path / "none.db", Told(Scorer.load(), favourite))
    assert not (tmp_path / "none.db").exists()
    assert report.best_constant == "deepseek-v4-flash"
    # Of two models that are not its favourite neither is put first.
    granted = sum(len(one.prompts) for one in GROUPS if one.must == "order") // 2
    assert report.passed == report.best_constant_passed - granted
    assert sum(count for _, count in report.by_group.values()) == report.prompts
    assert sum(passed for passed, _ in report.by_group.values()) == report.passed
    assert len(report.failures) == report.prompts - report.passed
    assert report.by_group["well-known facts"][0] == report.by_group["well-known facts"][1]
    assert report.by_group["founding years of museums"][0] == 0
