"""A chat is sent with its endpoint's effort, and without what is not taken there."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rolecall.registry.core.effort import Effort
from rolecall.registry.core.entities import Api
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import SentChat, sent_chat
from tests.providers.targets import WEATHER, body, chat, target

NO_TOOLS = "place/model is asked not to think: it could not be given these tools"


def place(api: Api, model: str, effort: Effort | None) -> Target:
    return target(api, model, most=64_000, reasoning_effort=effort)


@pytest.mark.parametrize(
    ("api", "model", "effort", "options"),
    [
        ("openai", "gpt-5.4-mini", None, {}),
        ("openai", "gpt-5.4-mini", "none", {"reasoning_effort": "none"}),
        ("openai", "gpt-5.4-mini", "high", {"reasoning_effort": "high"}),
        ("anthropic", "claude-haiku-4-5", 5_000, {"thinking_budget": 5_000}),
        ("anthropic", "kimi-k3", 5_000, {"thinking_budget": 5_000}),
        ("gemini", "gemini-2.5-flash", 5_000, {"thinking_budget": 5_000}),
    ],
)
def test_an_endpoints_effort_is_asked_for_as_it_stands(
    api: Api, model: str, effort: Effort | None, options: dict[str, Any]
) -> None:
    found = sent_chat(place(api, model, effort), chat())
    assert (found.chat.options, found.dropped, found.note) == (options, (), None)


@pytest.mark.parametrize(
    ("api", "model", "budget", "level"),
    [
        ("openai", "gpt-5.4-mini", 4_096, "low"),
        ("openai", "gpt-5.4-mini", 4_097, "medium"),
        ("openai", "gpt-5.4-mini", 20_000, "high"),
        ("anthropic", "claude-opus-4-7", 30_000, "high"),
        ("gemini", "gemini-3.5-flash", 5_000, "medium"),
        ("ollama", "gpt-oss:20b", 900, "low"),
    ],
)
def test_a_budget_is_sent_as_a_level_where_only_these_are_taken_and_said(
    api: Api, model: str, budget: int, level: str
) -> None:
    found = sent_chat(place(api, model, budget), chat())
    assert found.chat.options == {"reasoning_effort": level}
    said = f"place/model takes no budget for thinking: {budget:,} tokens sent as {level}"
    assert found.note == said


@pytest.mark.parametrize("options", [{"reasoning_effort": "low"}, {"thinking_budget": 9_000}])
def test_what_a_request_says_of_thinking_wins(options: dict[str, Any]) -> None:
    where, asked = place("anthropic", "claude-haiku-4-5", "high"), chat(options=options)
    assert sent_chat(where, asked) == SentChat(asked)


def test_beside_its_own_effort_a_claude_is_sent_no_temperature() -> None:
    warm = chat(options={"temperature": 0.2})
    assert sent_chat(place("anthropic", "claude-haiku-4-5", None), warm) == SentChat(warm)
    found = sent_chat(place("anthropic", "claude-haiku-4-5", "high"), warm)
    assert (found.chat.options, found.dropped) == ({"reasoning_effort": "high"}, ("temperature",))


def test_a_tool_that_must_be_called_goes_before_the_effort_of_a_claude() -> None:
    where = place("anthropic", "claude-haiku-4-5", "high")
    forced = sent_chat(where, chat(tools=(WEATHER,), options={"tool_choice": "required"}))
    assert forced.chat.options == {"tool_choice": "required", "reasoning_effort": "none"}
    assert (forced.dropped, forced.note) == ((), NO_TOOLS)
    free = sent_chat(where, chat(tools=(WEATHER,)))
    assert (free.chat.options, free.note) == ({"reasoning_effort": "high"}, None)


@pytest.mark.parametrize(
    ("model", "base_url", "effort", "told"),
    [
        ("gpt-5.4-mini", "https://api.openai.com/v1", "high", "none"),
        ("gpt-5.4-mini", "https://eu.api.openai.com/v1", 5_000, "none"),
        ("gpt-5.4-mini", "https://api.openai.com/v1", "none", "none"),
        ("gpt-5.1", "https://api.openai.com/v1", "high", "high"),
        ("o4-mini", "https://api.openai.com/v1", "high", "high"),
        ("gpt-5.4-mini", "https://openrouter.ai/api/v1", "high", "high"),
    ],
)
def test_beside_tools_openai_itself_is_asked_not_to_think(
    model: str, base_url: str, effort: Effort, told: str
) -> None:
    where = target("openai", model, base_url=base_url, reasoning_effort=effort)
    found = sent_chat(where, chat(tools=(WEATHER,)))
    assert found.chat.options == {"reasoning_effort": told}
    assert found.note == (None if told == effort else NO_TOOLS)


@pytest.mark.parametrize("api", get_args(Api))
def test_a_plain_chat_loses_nothing(api: Api) -> None:
    asked = chat(tools=(WEATHER,), max_tokens=5)
    assert sent_chat(place(api, "o", None), asked) == SentChat(asked)


def test_what_the_endpoint_does_not_take_is_dropped() -> None:
    refused = ("temperature", "seed", "response_format")
    where = target("openai", "o", unsupported_parameters=refused)
    asked = chat(options={"temperature": 0.5, "top_p": 1}, schema={"type": "object"})
    found = sent_chat(where, asked)
    assert found.dropped == ("response_format", "temperature")
    assert (found.chat.options, found.chat.schema) == ({"top_p": 1}, None)


def test_how_to_think_is_dropped_where_a_model_behind_geminis_api_cannot_be_told() -> None:
    found = sent_chat(place("gemini", "gemma-4-31b-it", "high"), chat())
    assert (found.chat.options, found.dropped) == ({}, ("reasoning_effort",))


def test_ollama_can_be_told_not_to_think_but_not_how_much() -> None:
    where = place("ollama", "o", None)
    assert sent_chat(where, chat(options={"thinking_budget": 0})).dropped == ()
    assert sent_chat(where, chat(options={"thinking_budget": 500})).dropped == ("thinking_budget",)


@pytest.mark.parametrize("api", ["openai", "ollama"])
def test_what_is_dropped_is_what_is_not_sent(api: Api) -> None:
    where = target(api, "o", unsupported_parameters=("seed", "user"))
    options = {"temperature": 0.5, "seed": 7, "user": "u", "logit_bias": {"1": 5}, "top_k": 4}
    asked = chat(options=options)
    sent = body(FORMATS[api], where, asked)
    sent |= sent.pop("options", {})
    assert {name for name in options if name not in sent} == {*sent_chat(where, asked).dropped}


@pytest.mark.parametrize(
    ("api", "url", "kept"),
    [
        ("openai", "https://api.openai.com/v1", {"top_p": 1}),
        ("anthropic", "https://api.anthropic.com", {"top_p": 1}),
        ("gemini", "https://generativelanguage.googleapis.com", {"top_p": 1}),
        ("openai", "http://127.0.0.1:8000/v1", {"top_p": 1, "top_k": -1, "logprobs": False}),
    ],
)
def test_a_neutral_value_is_not_sent_where_its_name_may_be_refused(
    api: Api, url: str, kept: dict[str, Any]
) -> None:
    asked = {"top_p": 1, "top_k": -1, "logprobs": False}
    found = sent_chat(target(api, "some-model", base_url=url), chat(options=asked))
    assert (found.chat.options, found.dropped) == (kept, ())
