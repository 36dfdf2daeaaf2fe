"""A new registry begins with a sound starter content."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.catalog.models_dev import CatalogEntry, find_model, seed_text
from rolecall.registry.core.entities import DataPolicy, Registry, Role, Strategy, TaskKind
from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.documents.document import dump_registry
from rolecall.registry.editing import seed as seeding
from rolecall.registry.editing.check import check_registry
from rolecall.registry.editing.open import open_registry
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.routing.rules.tasks import covering_kinds, resolve_role, resolve_worth
from rolecall.registry.storage.registry import read_registry

TASKS = {
    "chat", "general", "code", "code.edit", "math", "extract", "write", "translate",
    "summarize", "analyze", "medical", "legal", "agent", "vision", "long_context",
}  # fmt: skip
ROLES = {
    "general", "coder", "math", "extractor", "writer", "analyst", "advisor", "agent", "vision",
    "long-context",
}  # fmt: skip


@pytest.fixture(scope="module")
def starter() -> Registry:
    return seed_registry()


def test_the_first_opening_stores_the_starter_content(tmp_path: Path, starter: Registry) -> None:
    with open_registry(tmp_path / "registry.db") as db:
        assert dump_registry(read_registry(db)) == dump_registry(starter)
        assert read_registry(db).revision == 1
        assert check_registry(db) == ()


def test_the_starter_registry_holds_several_places_and_sizes(starter: Registry) -> None:
    places = Counter(endpoint.id.split("/")[0] for endpoint in starter.endpoints)
    assert 10 <= len(starter.endpoints) <= 18
    assert {"anthropic", "openai", "google", "groq", "deepseek", "mistral"} <= places.keys()
    assert places["ollama"] == 3
    prices = [
        endpoint.price.output_usd_per_mtok
        for endpoint in starter.endpoints
        if endpoint.price is not None and endpoint.price.output_usd_per_mtok
    ]
    assert max(prices) > 30 * min(prices)


def test_the_starter_registry_is_whole_with_the_facts_installed(starter: Registry) -> None:
    text = seed_text("models.yaml")
    assert len(starter.models) == text.count("- facts: ")
    assert len(starter.endpoints) == len(starter.models) + text.count("  efforts: [")


def test_a_few_models_of_the_starter_registry_are_also_asked_with_another_effort(
    starter: Registry,
) -> None:
    endpoints = {endpoint.id: endpoint for endpoint in starter.endpoints}
    models = {model.id: model for model in starter.models}
    with_effort = [one for one in starter.endpoints if one.reasoning_effort is not None]
    assert 3 <= len(with_effort) <= 5
    for one in with_effort:
        name, _, effort = one.id.rpartition(":")
        assert replace(one, id=name, reasoning_effort=None) == endpoints[name]
        assert one.reasoning_effort == effort
        assert "reasoning" in models[one.model].capabilities


def test_a_model_that_newer_facts_have_dropped_is_left_out(
    monkeypatch: pytest.MonkeyPatch, starter: Registry
) -> None:
    def without_opus(query: str) -> CatalogEntry:
        if "opus" in query:
            raise UnknownRecord(query)
        return find_model(query)

    monkeypatch.setattr(seeding, "find_model", without_opus)
    left = {endpoint.id for endpoint in starter.endpoints} - {"anthropic/claude-opus-4-7"}
    assert {endpoint.id for endpoint in seed_registry().endpoints} == left


def test_every_remote_endpoint_has_a_key_and_a_dated_price(starter: Registry) -> None:
    for endpoint in starter.endpoints:
        if endpoint.locality == "remote":
            assert endpoint.key_env is not None, endpoint.id
            assert endpoint.base_url.startswith("https://"), endpoint.id
            assert endpoint.price is not None, endpoint.id
            assert endpoint.price.source == "models.dev", endpoint.id
            assert endpoint.price.as_of is not None, endpoint.id


def test_local_endpoints_are_free_keyless_and_keep_nothing(starter: Registry) -> None:
    local = [endpoint for endpoint in starter.endpoints if endpoint.locality == "local"]
    assert [endpoint.id for endpoint in local] == [
        *("ollama/gemma-3-4b", "ollama/qwen3-8b", "ollama/qwen3-8b:none")
    ]
    for endpoint in local:
        assert endpoint.price is not None
        assert (endpoint.price.input_usd_per_mtok, endpoint.price.output_usd_per_mtok) == (0, 0)
        assert (endpoint.api, endpoint.key_env) == ("ollama", None)
        assert endpoint.data_policy == DataPolicy(False, 0)
    sizes = {model.id: model.parameters_b for model in starter.models}
    assert all(sizes[endpoint.model] for endpoint in local)


def test_the_starter_models_have_the_facts_that_a_choice_needs(starter: Registry) -> None:
    for model in starter.models:
        assert model.context_tokens, model.id
        assert model.release_date, model.id
        assert model.capabilities, model.id
        assert model.open_weights is not None, model.id


def test_the_roles_and_tasks_are_those_documented_with_examples_of_their_own(
    starter: Registry,
) -> None:
    assert {task.id for task in starter.tasks} == TASKS
    assert {role.id for role in starter.roles} == ROLES
    records: tuple[TaskKind | Role, ...] = (*starter.tasks, *starter.roles)
    for record in records:
        # Vision, agent and long-context work may be told by the request's structure alone.
        assert not record.examples or len(record.examples) >= 6, record.id
        assert record.description, record.id
    examples = [text for record in records for text in record.examples]
    assert len(set(examples)) == len(examples) >= 100


def test_no_starter_role_limits_endpoints_or_strategy_and_every_task_has_its_role(
    starter: Registry,
) -> None:
    assert all(not role.assignments and role.strategy is None for role in starter.roles)
    assert all(not task.roles for task in starter.tasks)
    named = {task for role in starter.roles for task in role.tasks}
    assert named <= TASKS
    assert TASKS - named == {"chat", "general", "code.edit"}  # the role general; code covers edits


def test_more_is_at_stake_in_medicine_and_law_than_in_code_and_in_code_than_in_talk(
    starter: Registry,
) -> None:
    def worth(kind: str) -> float:
        role = resolve_role(starter.roles, kind, starter.tasks)
        return resolve_worth(None, covering_kinds(starter.tasks, kind), role)[0]

    assert worth("chat") < worth("write") == 1
    assert worth("write") < worth("general") <= worth("translate")
    assert worth("translate") < worth("code") == worth("code.edit")
    assert worth("summarize") < worth("math") < worth("medical") == worth("legal")
    assert worth("agent") >= 10


def test_the_built_in_strategies_are_the_documented_ones(starter: Registry) -> None:
    found = {strategy.id: strategy for strategy in starter.strategies}
    assert found.keys() == {"balanced", "quality", "cheapest", "fast", "private"}
    balanced = found["balanced"]
    assert balanced == Strategy("balanced", description=balanced.description)
    assert found["quality"].quality_usd >= 10 * balanced.quality_usd
    assert (found["cheapest"].quality_usd, found["cheapest"].min_success) == (0, 0.5)
    assert found["fast"].ttft_usd_per_s > balanced.ttft_usd_per_s
    private = found["private"]
    assert private.data_policy == DataPolicy(trains_on_data=False, retention_days=0)
    assert (private.local_only, private.log_prompts) == (False, False)


def open_and_count(path: Path, start: object, found: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    with open_registry(path) as db:
        found.put(len(read_registry(db).endpoints))  # type: ignore[attr-defined]


def test_nobody_ever_sees_a_half_seeded_registry(tmp_path: Path, starter: Registry) -> None:
    context = multiprocessing.get_context("fork")
    start, found = context.Barrier(3), context.SimpleQueue()
    openers = [
        context.Process(target=open_and_count, args=(tmp_path / "registry.db", start, found))
        for _ in range(3)
    ]
    for opener in openers:
        opener.start()
    counts = [found.get() for _ in openers]
    for opener in openers:
        opener.join(60)
    assert counts == [len(starter.endpoints)] * 3
