"""The catalog tells what is known of a model, or which names come near."""

from __future__ import annotations

import re

import pytest

from rolecall.registry.catalog.models_dev import facts_date, find_model
from rolecall.registry.core.entities import DataPolicy
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


def test_a_limit_of_the_input_counts_where_it_is_below_the_context() -> None:
    limited, whole = (find_model(f"openai/{name}").model for name in ("gpt-5", "gpt-4o"))
    assert (limited.context_tokens, limited.max_input_tokens) == (400_000, 272_000)
    assert whole.max_input_tokens is None
