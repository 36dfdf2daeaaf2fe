"""Providers are told by their host, and what looks like one is none."""

from __future__ import annotations

import pytest

from rolecall.registry.core.entities import Api
from rolecall.registry.providers.hosts import has_habit, provider_name
from tests.providers.chats import target


@pytest.mark.parametrize(
    ("api", "base_url", "name"),
    [
        ("openai", "https://api.openai.com/v1", "openai"),
        ("openai", "https://mine.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("openai", "https://API.Mistral.ai:443/v1", "mistral_ai"),
        ("openai", "https://notopenai.com", "openai"),
        ("anthropic", "http://localhost:8080", "anthropic"),
        ("gemini", "http://localhost:8080", "gcp.gemini"),
        ("ollama", "", "ollama"),
    ],
)
def test_a_provider_has_its_well_known_name_else_its_apis(
    api: Api, base_url: str, name: str
) -> None:
    assert provider_name(target(base_url, api=api).endpoint) == name


@pytest.mark.parametrize(
    ("base_url", "is_openai"),
    [
        ("https://openai.com", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://notopenai.com", False),
        ("https://openai.com.evil.example", False),
    ],
)
def test_a_domain_covers_what_is_below_it(base_url: str, is_openai: bool) -> None:
    assert has_habit(target(base_url).endpoint, "openai_itself") is is_openai
