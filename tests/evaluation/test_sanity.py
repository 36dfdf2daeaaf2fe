"""What must hold of routing by the evidence of judged rows: that it is no constant's to pass."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.editing.open import open_registry, open_starter
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.evaluation import sanity
from rolecall.registry.evaluation.dry_router import dry_router
from rolecall.registry.evaluation.sanity import (
    Evidence,
    ExpectationGroup,
    Expected,
    best_fixed_order,
    check_sanity,
    expect,
    granted_orders,
    read_expectations,
)
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.variants import canonical
from rolecall.registry.storage.connection import Database

GROUPS = read_expectations()
COUNT = sum(len(one.prompts) for one in GROUPS)
MOST_FOR_A_CONSTANT = 0.6
MOST_FOR_A_RULE = 0.7  # one that is fitted to the expectations themselves
LEAST_WHEN_TOLD = 0.95
ABILITIES = np.linspace(0.0, 1.0, 41)
GROUP = ExpectationGroup(
    name="rare",
    kind="facts",
    evidence=Evidence("set", ("task",), 10, {"gemma-3-4b": 0.2, "gpt-5.5": 0.9}, {"gpt-5.5": 100}),
    prompts=("When was it founded?",),
    task="general",
    role=None,
    worth=None,
    order=(),
)


@dataclass(frozen=True)
class Case:
    """A prompt, its group and what the evidence says of it."""

    group: ExpectationGroup
    prompt: str
    expected: Expected


@contextmanager
def served_alike() -> Iterator[Database]:
    """Open a starter registry whose local endpoints answer as soon as a provider's.

    What is held here is which model a prompt deserves, not on whose machine it runs.
    """
    with open_starter() as db:
        db.run("UPDATE endpoints SET profile_ttft_s = 3.0 WHERE locality = 'local'")
        yield db


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


@pytest.fixture(scope="module")
def router(scorer: Scorer) -> Iterator[Router]:
    with served_alike() as db:
        yield dry_router(db, scorer)


@pytest.fixture(scope="module")
def cases(router: Router) -> list[Case]:
    return [
        Case(group, prompt, _expected(router, group, prompt))
        for group in GROUPS
        if not group.order
        for prompt in group.prompts
    ]


def test_the_list_is_long_and_of_many_kinds_and_languages() -> None:
    prompts = [prompt for one in GROUPS for prompt in one.prompts]
    assert len(prompts) == len(set(prompts)) >= 120
    assert len({one.kind for one in GROUPS}) >= 10
    for word in ("What", "Welche", "Quelle", "Cuál", "In che anno", "教えて", "请"):
        assert any(word in prompt for prompt in prompts), word


def test_every_group_tells_of_models_of_the_starter_pool_of_which_some_fail(
    cases: Sequence[Case],
) -> None:
    pool = seed_registry()
    variants = {one.variant for one in pool.endpoints}
    for group in GROUPS:
        assert set(group.evidence.success) <= variants, group.name
        assert set(group.order) <= set(group.evidence.success), group.name
    for case in cases:
        assert set(case.expected.success) == set(case.group.evidence.success), case.prompt
        assert case.expected.accepted, case.prompt
        assert case.expected.accepted < set(case.expected.success), case.prompt


def test_the_evidence_shows_a_gap_where_one_model_must_be_put_before_another() -> None:
    for group in GROUPS:
        if group.order:
            first, second = (group.evidence.success[model] for model in group.order)
            assert first >= second + 0.15, group.name


def test_no_fixed_order_of_models_passes_most(cases: Sequence[Case]) -> None:
    # A constant choice is one, with whatever else for prompts on which its model was not judged.
    expected = [case.expected for case in cases]
    most = _passes_of_best_order(expected)
    order, passed = best_fixed_order(expected)
    assert passed == _passes(order, expected) <= most
    assert most + granted_orders(GROUPS) <= MOST_FOR_A_CONSTANT * COUNT


def test_no_rule_by_stake_and_price_with_one_ability_a_model_passes_most(
    cases: Sequence[Case],
) -> None:
    expected = [case.expected for case in cases]
    models = sorted({model for one in expected for model in one.success})
    means = [
        fmean(one.success[model] for one in expected if model in one.success) for model in models
    ]
    for start in (means, [0.5] * len(models), [0.9] * len(models)):
        most = _climbed(expected, models, start)
        assert most + granted_orders(GROUPS) <= MOST_FOR_A_RULE * COUNT


def test_no_one_order_of_models_agrees_with_more_than_half_of_the_orders() -> None:
    orders = [one for one in GROUPS if one.order]
    assert granted_orders(GROUPS) == granted_orders(orders)
    assert 2 * granted_orders(orders) == sum(len(one.prompts) for one in orders)


def test_no_prompt_is_one_that_the_scorer_learns_from(judged_folder: Path) -> None:
    prompts = {_plain(prompt) for one in GROUPS for prompt in one.prompts}
    for row in _rows(sorted(judged_folder.glob("*.jsonl.gz"))):
        assert _plain(str(row.get("prompt"))) not in prompts


def test_no_prompt_is_an_example_of_a_task_or_role() -> None:
    texts = [
        path.read_text("utf-8")
        for folder in (("seed",), ("scorer", "training"))
        for path in resources.files("rolecall.registry").joinpath(*folder).iterdir()
        if path.name.endswith(".yaml") and path.name != "expectations.yaml"
    ]
    assert len(texts) >= 5
    for one in GROUPS:
        for prompt in one.prompts:
            assert not any(prompt in text for text in texts), prompt


def test_the_evidence_is_what_the_judged_rows_say(judged_folder: Path) -> None:
    read: dict[str, list[Mapping[str, object]]] = {}
    for one in GROUPS:
        told = one.evidence
        if told.data not in read:
            read[told.data] = list(_rows([judged_folder / f"{told.data}.jsonl.gz"]))
        rows = [
            row for row in read[told.data] if row["task"] in told.tasks and row["fold"] in range(7)
        ]
        assert len(rows) == told.prompts, one.name
        for model, mean in told.success.items():
            scores = _of(rows, "scores", model)
            assert len(scores) >= told.prompts * 2 / 3, (one.name, model)
            assert fmean(scores) == pytest.approx(mean, abs=0.0051), (one.name, model)
        for model, mean in told.output_tokens.items():
            assert fmean(_of(rows, "output_tokens", model)) == pytest.approx(mean, abs=0.51)


def test_a_model_is_accepted_whose_value_is_near_the_best_and_that_wastes_nothing() -> None:
    expected = Expected(
        stake_usd=1.0,
        success={"good": 0.9, "near": 0.81, "far": 0.78, "dear": 0.9},
        spent_usd={"good": 0.01, "near": 0.01, "far": 0.01, "dear": 0.021},
    )
    assert expected.best == "good"
    assert expected.accepted == {"good", "near"}
    better = replace(expected, success={**expected.success, "dear": 0.92})
    assert better.accepted == {"good", "near", "dear"}


def test_a_constant_is_followed_by_other_models_where_its_own_was_not_judged() -> None:
    spent = dict.fromkeys("abc", 0.01)
    both = Expected(1.0, {"a": 0.9, "b": 0.5}, spent)
    other = Expected(1.0, {"a": 0.3, "b": 0.9}, spent)
    apart = Expected(1.0, {"b": 0.2, "c": 0.9}, spent)
    assert best_fixed_order([both, both, other, apart]) == (("a", "c"), 3)
    assert best_fixed_order([both, Expected(1.0, {}, {})]) == (("a",), 1)


def test_counted_tokens_are_paid_for_and_others_are_as_the_router_expects(
    router: Router,
) -> None:
    more = replace(GROUP, evidence=replace(GROUP.evidence, output_tokens={"gpt-5.5": 1100}))
    untold = replace(GROUP, evidence=replace(GROUP.evidence, output_tokens={}))
    prompt = GROUP.prompts[0]
    few, many, none = (_expected(router, one, prompt) for one in (GROUP, more, untold))
    decided = sanity.decide_among_judged(router, GROUP, prompt, "balanced", "general")
    assert few.stake_usd == 0.1  # twice the $0.05 of balanced, in the role general
    assert few.success == GROUP.evidence.success
    # 1,000 tokens at $30 a million, one in twenty calls failing, and 30 ms each at $0.0005 a second
    extra = many.spent_usd["gpt-5.5"] - few.spent_usd["gpt-5.5"]
    assert extra == pytest.approx(0.03 / 0.95 + 30 * 0.0005)
    strong = next(one for one in decided.candidates if one.model == "gpt-5.5")
    assert none.spent_usd["gpt-5.5"] == pytest.approx(0.1 * strong.success - strong.value_usd)


def test_a_kind_that_is_not_detected_does_not_change_what_is_expected(router: Router) -> None:
    code = replace(GROUP, task="code")
    assert _expected(router, code, "hello").stake_usd == 0.2
    assert _expected(router, replace(code, worth=10), "hello").stake_usd == 0.5


def test_a_registry_without_judged_models_is_told_so(scorer: Scorer, tmp_path: Path) -> None:
    with open_registry(tmp_path / "own.db") as db:
        db.run("DELETE FROM endpoints")
        with pytest.raises(UnknownRecord, match="no endpoint of any of claude-opus-4-7"):
            check_sanity(db, scorer)


class Told(Scorer):
    """The shipped scorer's readings and lengths, with the success that it is told."""

    def __init__(self, scorer: Scorer, success: Callable[[str, str], float]) -> None:
        super().__init__(scorer.head, scorer.encoder, scorer.lengths)
        self._inner, self._told = scorer, success
        self._texts: list[tuple[Reading, str]] = []

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:
        self._texts.append((self._inner.read(text, is_agent=is_agent), text))
        return self._texts[-1][0]

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        [text] = [text for one, text in self._texts if one is reading]
        return tuple(
            one._replace(success=self._told(text, one.model))
            for one in self._inner.predict(reading, facts)
        )


def test_routing_that_is_told_the_evidence_passes(scorer: Scorer) -> None:
    told = {prompt.strip(): one.evidence.success for one in GROUPS for prompt in one.prompts}
    with served_alike() as db:
        report = check_sanity(db, Told(scorer, lambda text, model: told[text.strip()][model]))
    assert report.prompts == COUNT
    assert report.passed >= LEAST_WHEN_TOLD * COUNT, report.failures
    assert report.best_constant_passed <= MOST_FOR_A_CONSTANT * COUNT


def test_a_scorer_that_has_one_favourite_passes_as_often_as_that_constant(
    scorer: Scorer, cases: Sequence[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("founding years of museums", "well-known facts", "founding years: gpt-5.5 before opus")
    groups = tuple(one for one in GROUPS if one.name in few)
    monkeypatch.setattr(sanity, "read_expectations", lambda: groups)
    favourites = ("gpt-5.5", "claude-opus-4-7", "gpt-oss-120b")
    success = {model: 0.99 - 0.3 * place for place, model in enumerate(favourites)}
    with served_alike() as db:
        report = check_sanity(db, Told(scorer, lambda _, model: success.get(model, 0.01)))
    always = {case.prompt for case in cases if "gpt-5.5" in case.expected.accepted}
    failed = {one.prompt for one in report.failures}
    assert always
    assert not always & failed
    assert report.by_group["founding years of museums"] == (14, 14)
    assert report.by_group["well-known facts"][0] <= 3
    assert sum(count for _, count in report.by_group.values()) == report.prompts
    assert sum(passed for passed, _ in report.by_group.values()) == report.passed
    assert len(report.failures) == report.prompts - report.passed
    because = {one.group: one.because for one in report.failures}
    assert because["well-known facts"].startswith("gpt-5.5 succeeds 0.97 and spends $")


def _expected(router: Router, group: ExpectationGroup, prompt: str) -> Expected:
    decision = sanity.decide_among_judged(router, group, prompt, "balanced")
    return expect(router, group, prompt, decision)


def _passes(order: Sequence[str], expected: Sequence[Expected]) -> int:
    firsts = [next(model for model in order if model in one.success) for one in expected]
    return sum(first in one.accepted for first, one in zip(firsts, expected, strict=True))


def _passes_of_best_order(expected: Sequence[Expected]) -> int:
    """Return the passes of the best of all orders, found set by set of the models put first."""
    models = sorted({model for one in expected for model in one.success})
    bit = {model: 1 << place for place, model in enumerate(models)}
    alike = Counter(
        (sum(bit[model] for model in one.success), sum(bit[model] for model in one.accepted))
        for one in expected
    )
    sets = np.arange(1 << len(models))
    gain = np.zeros((len(models), len(sets)), dtype=np.int64)
    for (judged, accepted), count in alike.items():
        undecided = (sets & judged) == 0
        for place in range(len(models)):
            gain[place] += count * undecided * bool(accepted >> place & 1)
    size = np.array([int(one).bit_count() for one in sets])
    best = np.zeros(len(sets), dtype=np.int64)
    for count in range(len(models)):
        of_size = sets[size == count]
        for place in range(len(models)):
            before = of_size[(of_size >> place & 1) == 0]
            after = before | 1 << place
            best[after] = np.maximum(best[after], best[before] + gain[place][before])
    return int(best[-1])


def _climbed(expected: Sequence[Expected], models: Sequence[str], start: Sequence[float]) -> int:
    """Return the most prompts that pass while one ability after the other is set as is best."""
    spent = np.array([[one.spent_usd.get(model, np.inf) for model in models] for one in expected])
    stake = np.array([[one.stake_usd] for one in expected])
    accepted = np.array([[model in one.accepted for model in models] for one in expected])

    def passes(ability: NDArray[np.float64]) -> int:
        chosen = (stake * ability - spent).argmax(axis=1)
        return int(accepted[np.arange(len(expected)), chosen].sum())

    ability, most, before = np.array(start, dtype=np.float64), 0, -1
    while most > before:
        before = most
        for place in range(len(models)):
            tried = [np.where(np.arange(len(models)) == place, one, ability) for one in ABILITIES]
            ability = max([ability, *tried], key=passes)
        most = passes(ability)
    return most


def _rows(paths: Sequence[Path]) -> Iterator[Mapping[str, object]]:
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            yield from map(json.loads, lines)


def _of(rows: Sequence[Mapping[str, object]], field: str, model: str) -> list[float]:
    """Return the figures of a variant; of a model without effort that only thinks, of that."""
    found: list[float] = []
    for row in rows:
        table = row.get(field)
        given = table.items() if isinstance(table, dict) else ()
        found += [figure for name, figure in given if _spelled(name) == _spelled(model)]
    return found or _of(rows, field, f"{model}-thinking")


_spelled = cache(canonical)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
