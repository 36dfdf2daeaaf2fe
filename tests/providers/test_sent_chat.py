"""A chat is sent with its endpoint's effort, and without what is not taken there."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rolecall.registry.core.chat import Chat
from rolecall.registry.core.effort import Effort
from rolecall.registry.core.entities import Api
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import SentChat, sent_chat
from tests.providers.targets import WEATHER, body, chat, target


def place(api: Api, model: str, effort: Effort | None) -> Target:
    return target(api, model, most=64_000, reasoning_effort=effort)


def sent(where: Target, asked: Chat) -> dict[str, Any]:
    """Return the body that is sent."""
    return body(FORMATS[where.endpoint.api], where, asked)


def thinking_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return all that a body says of thinking, in whatever API's words."""
    found = {
        name: body[name]
        for name in ("reasoning_effort", "thinking_budget", "think")
        if name in body
    }
    config = body.get("generationConfig", {}).get("thinkingConfig", {})
    return {**found, **body.get("thinking", {}), **body.get("output_config", {}), **config}


NO_TOOLS = "place/model is asked not to think: it could not be given these tools"
ADAPTIVE = {"type": "adaptive"}
SUMMARIZED = ADAPTIVE | {"display": "summarized"}


@pytest.mark.parametrize(
    ("api", "model", "effort", "told"),
    [
        ("openai", "gpt-5.4-mini", "none", {"reasoning_effort": "none"}),
        ("openai", "gpt-5.4-mini", "high", {"reasoning_effort": "high"}),
        ("openai", "gpt-5.4-mini", 4_096, {"reasoning_effort": "low"}),
        ("openai", "gpt-5.4-mini", 4_097, {"reasoning_effort": "medium"}),
        ("openai", "gpt-5.4-mini", 20_000, {"reasoning_effort": "high"}),
        ("anthropic", "claude-haiku-4-5", "none", {}),
        ("anthropic", "claude-haiku-4-5", "low", {"type": "enabled", "budget_tokens": 2_048}),
        ("anthropic", "claude-haiku-4-5", 5_000, {"type": "enabled", "budget_tokens": 5_000}),
        ("anthropic", "claude-sonnet-4-6", "high", ADAPTIVE | {"effort": "high"}),
        ("anthropic", "claude-sonnet-4-6", 5_000, {"type": "enabled", "budget_tokens": 5_000}),
        ("anthropic", "claude-opus-4-7", "low", SUMMARIZED | {"effort": "low"}),
        ("anthropic", "claude-opus-4-7", 5_000, SUMMARIZED | {"effort": "medium"}),
        ("anthropic", "claude-opus-5", "none", {"type": "disabled"}),
        ("gemini", "gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini", "gemini-2.5-flash", "low", {"thinkingBudget": 1_024, "includeThoughts": True}),
        ("gemini", "gemini-2.5-flash", 5_000, {"thinkingBudget": 5_000, "includeThoughts": True}),
        ("gemini", "gemini-3.5-flash", "none", {"thinkingLevel": "minimal"}),
        ("gemini", "gemini-3.5-flash", 5_000, {"thinkingLevel": "medium", "includeThoughts": True}),
        ("ollama", "qwen3:8b", "none", {"think": False}),
        ("ollama", "gpt-oss:20b", "low", {"think": "low"}),
        ("ollama", "gpt-oss:20b", 5_000, {"think": "medium"}),
    ],
)
def test_an_endpoints_effort_is_told_in_its_apis_own_words(
    api: Api, model: str, effort: Effort, told: dict[str, Any]
) -> None:
    assert thinking_of(sent(place(api, model, effort), chat())) == told


@pytest.mark.parametrize("api", get_args(Api))
def test_an_endpoint_without_an_effort_leaves_thinking_to_the_server(api: Api) -> None:
    assert thinking_of(sent(place(api, "gemini-2.5-flash", None), chat())) == {}


@pytest.mark.parametrize(
    ("api", "model", "options", "told"),
    [
        ("openai", "o", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ("openai", "o", {"thinking_budget": 9_000}, {}),
        (
            "anthropic",
            "claude-haiku-4-5",
            {"thinking_budget": 9_000},
            {"type": "enabled", "budget_tokens": 9_000},
        ),
        ("anthropic", "claude-haiku-4-5", {"reasoning_effort": "none"}, {}),
        ("gemini", "gemini-2.5-flash", {"thinking_budget": 0}, {"thinkingBudget": 0}),
        ("ollama", "o", {"reasoning_effort": "none"}, {"think": False}),
    ],
)
def test_what_a_request_says_of_thinking_wins(
    api: Api, model: str, options: dict[str, Any], told: dict[str, Any]
) -> None:
    where, asked = place(api, model, "high"), chat(options=options)
    assert thinking_of(sent(where, asked)) == told
    assert sent_chat(where, asked).note is None


def test_a_budget_stays_below_the_limit_of_the_output() -> None:
    where = place("anthropic", "claude-haiku-4-5", 16_000)
    free, limited = sent(where, chat()), sent(where, chat(max_tokens=4_000))
    assert free["thinking"]["budget_tokens"] == 16_000 < free["max_tokens"]
    assert (limited["thinking"]["budget_tokens"], limited["max_tokens"]) == (2_000, 4_000)


def test_beside_its_own_effort_a_claude_is_sent_no_temperature() -> None:
    warm = chat(options={"temperature": 0.2})
    assert sent(place("anthropic", "claude-haiku-4-5", None), warm)["temperature"] == 0.2
    assert "temperature" not in sent(place("anthropic", "claude-haiku-4-5", "high"), warm)


def test_a_tool_that_must_be_called_goes_before_the_effort_of_a_claude() -> None:
    free, forced = (
        chat(tools=(WEATHER,), options=one) for one in ({}, {"tool_choice": "required"})
    )
    where = place("anthropic", "claude-haiku-4-5", "high")
    body = sent(where, forced)
    assert (body["tool_choice"], thinking_of(body)) == ({"type": "any"}, {})
    assert sent_chat(where, forced).note == NO_TOOLS
    assert (sent(where, free)["thinking"]["type"], sent_chat(where, free).note) == ("enabled", None)


@pytest.mark.parametrize(
    ("model", "base_url", "effort", "told"),
    [
        ("gpt-5.4-mini", "https://api.openai.com/v1", "high", "none"),
        ("gpt-5.4-mini", "https://eu.api.openai.com/v1", 5_000, "none"),
        ("gpt-5.1", "https://api.openai.com/v1", "high", "high"),
        ("o4-mini", "https://api.openai.com/v1", "high", "high"),
        ("gpt-5.4-mini", "https://openrouter.ai/api/v1", "high", "high"),
    ],
)
def test_beside_tools_openai_itself_is_asked_not_to_think(
    model: str, base_url: str, effort: Effort, told: str
) -> None:
    where = target("openai", model, base_url=base_url, reasoning_effort=effort)
    with_tools = chat(tools=(WEATHER,))
    assert thinking_of(sent(where, with_tools)) == {"reasoning_effort": told}
    assert sent_chat(where, with_tools).note == (NO_TOOLS if told == "none" else None)
    quiet = target("openai", model, base_url=base_url, reasoning_effort="none")
    assert thinking_of(sent(quiet, with_tools)) == {"reasoning_effort": "none"}
    assert sent_chat(quiet, with_tools).note is None


@pytest.mark.parametrize(
    ("api", "model", "effort", "note"),
    [
        ("openai", "o", 5_000, "takes no budget for thinking: 5,000 tokens sent as medium"),
        ("ollama", "o", 900, "takes no budget for thinking: 900 tokens sent as low"),
        ("gemini", "gemini-3.5-flash", 30_000, "takes no budget for thinking: 30,000 tokens sent"),
        ("anthropic", "claude-opus-4-7", 30_000, "takes no budget for thinking: 30,000 tokens"),
        ("gemini", "gemini-2.5-flash", 5_000, None),
        ("anthropic", "claude-haiku-4-5", 5_000, None),
        ("openai", "o", "high", None),
        ("openai", "o", None, None),
    ],
)
def test_a_budget_that_is_sent_as_a_level_is_said(
    api: Api, model: str, effort: Effort | None, note: str | None
) -> None:
    said = sent_chat(place(api, model, effort), chat()).note
    assert said is None if note is None else said is not None and note in said


@pytest.mark.parametrize("api", get_args(Api))
def test_a_plain_chat_loses_nothing(api: Api) -> None:
    asked = chat(tools=(WEATHER,), max_tokens=5)
    assert sent_chat(place(api, "o", None), asked) == SentChat(asked)


def test_what_the_endpoint_does_not_take_is_dropped() -> None:
    refused = ("temperature", "seed", "response_format")
    where = target("openai", "o", unsupported_parameters=refused)
    asked = chat(options={"temperature": 1, "top_p": 1}, schema={"type": "object"})
    found = sent_chat(where, asked)
    assert found.dropped == ("response_format", "temperature")
    assert (found.chat.options, found.chat.schema) == ({"top_p": 1}, None)


def test_ollama_can_be_told_not_to_think_but_not_how_much() -> None:
    where = place("ollama", "o", None)
    assert sent_chat(where, chat(options={"thinking_budget": 0})).dropped == ()
    assert sent_chat(where, chat(options={"thinking_budget": 500})).dropped == ("thinking_budget",)


@pytest.mark.parametrize("api", ["openai", "ollama"])
def test_what_is_dropped_is_what_is_not_sent(api: Api) -> None:
    where = target(api, "o", unsupported_parameters=("seed", "user"))
    options = {"temperature": 0.5, "seed": 7, "user": "u", "logit_bias": {"1": 5}, "top_k": 4}
    asked = chat(options=options)
    body_ = sent(where, asked)
    body_ |= body_.pop("options", {})
    assert {name for name in options if name not in body_} == {*sent_chat(where, asked).dropped}
