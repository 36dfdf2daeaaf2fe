"""Predictions for rows of prompts agree with what a decision rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.apply import apply_text
from rolecall.registry.editing.open import open_or_starter, open_registry
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.learning.loading import Loading
from rolecall.registry.learning.predict import PredictedRows, predict_rows
from rolecall.registry.routing.router import load_router
from rolecall.registry.scorer.model import Scorer
from tests.scorer.judged_files import write

PROMPT = "Prove that the square root of 2 is irrational."
CHAT = [
    {"role": "system", "content": "You are a mathematician."},
    {"role": "user", "content": [{"type": "text", "text": f" {PROMPT}\n"}]},
    {"role": "assistant", "content": "Suppose it is p/q."},
    {"role": "user", "content": "go on, please"},
]
POOL = """
models:
  - {id: Ours-70B, release_date: 2025-03-01, open_weights: true}
endpoints:
  - {id: there/ours, model: Ours-70B, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  - {id: here/ours, model: Ours-70B, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0}}
roles:
  - {id: prover, tasks: [math], assignments: [{endpoint: there/ours}]}
"""
DIFFERENT = ["gpt-4o-2024-08-06", "x/Mistral-7B-Instruct-v0.1", "claude-opus-4-5", "a-3b", "nobody"]


def predicted(paths: list[Path], registry: Path | None = None, **options: Any) -> PredictedRows:
    with open_or_starter(registry) as db:
        return predict_rows(db, paths, **options)


def rows(path: Path, *lines: dict[str, Any]) -> list[Path]:
    return [write(path, *lines)]


def success(found: PredictedRows) -> list[dict[str, float]]:
    return [{one.model: one.success for one in row.predictions} for row in found.rows]


def models(found: PredictedRows) -> list[list[str]]:
    return [[one.model for one in row.predictions] for row in found.rows]


def test_a_rows_models_are_the_given_ones_else_its_own_else_the_registrys(tmp_path: Path) -> None:
    paths = rows(
        tmp_path / "a.jsonl",
        {"prompt": "p", "scores": {"y": 1, "x": 0}},
        {"prompt": "q", "models": ["z"]},
        {"prompt": "r"},
    )
    starter = list(facts_of(seed_registry()))
    assert {"gpt-5.4-mini", "gpt-5.4-mini-high"} <= set(starter)
    assert models(predicted(paths)) == [["y", "x"], ["z"], starter]
    assert models(predicted(paths, models=["b", "a", "b"])) == [["b", "a"]] * 3


def test_a_model_of_the_registry_is_read_by_its_facts(tmp_path: Path) -> None:
    registry = tmp_path / "registry.db"
    apply_text(registry, POOL, "pool.yaml")
    paths = rows(tmp_path / "a.jsonl", {"prompt": PROMPT, "scores": {"vendor/ours-70b": 1}})
    [with_price] = success(predicted(paths, registry=registry))
    [by_name] = success(predicted(paths, registry=tmp_path / "none.db"))
    [both] = success(predicted(paths, models=["Ours-70B"], registry=registry))
    assert list(with_price.values()) == list(both.values()) != list(by_name.values())
    assert list(with_price) == ["vendor/ours-70b"]


def test_the_figures_are_those_a_decision_rests_on(tmp_path: Path) -> None:
    apply_text(None, POOL, "pool.yaml")
    for messages in (CHAT, CHAT[:2], [{"role": "user", "content": "hello"}]):
        found = predicted(rows(tmp_path / "a.jsonl", {"messages": messages}))
        [one_row] = [{one.model: one for one in row.predictions} for row in found.rows]
        with open_registry(None) as db:
            request = request_of(parse_chat(messages, name="a"))
            router = load_router(db, Loading())
            decision = router.decide(request, RoutingChoices(role="prover"), record=False)
        [candidate] = decision.candidates
        # A decision knows that no agent's run is asked for; a row does not say.
        alone = one_row["Ours-70B"]
        assert candidate.success == pytest.approx(alone.success, abs=0.01)
        assert candidate.success_std == pytest.approx(alone.success_std, abs=0.01)


def test_models_of_all_kinds_get_a_figure_of_their_own(tmp_path: Path) -> None:
    found = predicted(rows(tmp_path / "a.jsonl", {"id": 4, "messages": CHAT}), models=DIFFERENT)
    [row] = found.rows
    assert (row.id, [one.model for one in row.predictions]) == (4, DIFFERENT)
    assert len({one.success for one in row.predictions}) == len(DIFFERENT)
    assert all(0 < one.success < 1 and one.output_tokens > 0 for one in row.predictions)
    bases = [one.basis for one in row.predictions]
    assert bases[0] != "facts"
    assert bases[-1] == "facts"


def test_rows_are_predicted_only_as_they_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = Scorer.read

    def remembered(self: Scorer, text: str) -> Any:
        read.append(text)
        return plain(self, text)

    monkeypatch.setattr(Scorer, "read", remembered)
    lines = [{"prompt": f"p{number}", "scores": {"x": 1}} for number in range(5)]
    found = predicted(rows(tmp_path / "a.jsonl", *lines))
    assert (found.count, read) == (5, [])
    assert next(found.rows).id == "a.jsonl:1"
    assert read == ["p0"]
