from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import Text, Thinking, Turn
from rolecall.registry.providers.anthropic.request import ANTHROPIC
from rolecall.registry.providers.anthropic.thinking import claude_of, left_out
from rolecall.registry.providers.generations import Generation
from tests.providers.targets import (
    CALL,
    QUESTION,
    RESULT,
    WEATHER,
    assistant,
    body,
    chat,
    target,
    user,
)

SAMPLING = {"temperature", "top_p", "top_k"}


def built(model: str, *turns: Turn, **fields: Any) -> dict[str, Any]:
    place = target("anthropic", model, most=fields.pop("most", 64_000))
    return body(ANTHROPIC, place, chat(*turns, **fields))


def asked(model: str, **options: Any) -> tuple[Any, Any]:
    """How the thinking and the effort are told for these options."""
    sent = built(model, options=options)
    return sent.get("thinking"), sent.get("output_config", {}).get("effort")


@pytest.mark.parametrize(
    ("name", "claude"),
    [
        ("claude-opus-4-20250514", Generation("opus", (4, 0))),
        ("claude-opus-4-1-20250805", Generation("opus", (4, 1))),
        ("claude-sonnet-4-5", Generation("sonnet", (4, 5))),
        ("anthropic/claude-opus-4.6", Generation("opus", (4, 6))),
        ("claude-3-7-sonnet-20250219", Generation("sonnet", (3, 7))),
        ("us.anthropic.claude-haiku-5-5-v1:0", Generation("haiku", (5, 5))),
        ("claude-fable-5", Generation("fable", (5, 0))),
        ("claude-mythos-preview", Generation("mythos", (99, 0))),
        ("kimi-k3", None),
    ],
)
def test_a_name_tells_family_and_version(name: str, claude: Generation | None) -> None:
    assert claude_of(target("anthropic", name)) == claude


def test_nothing_is_said_of_thinking_unless_it_is_asked() -> None:
    for model in ("claude-sonnet-4-5", "claude-opus-4-7", "claude-opus-5-5", "kimi-k3"):
        assert asked(model) == (None, None), model


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("claude-sonnet-4-5", "low", ({"type": "enabled", "budget_tokens": 2_048}, None)),
        ("claude-sonnet-4-5", "medium", ({"type": "enabled", "budget_tokens": 8_192}, None)),
        ("claude-sonnet-4-5", "high", ({"type": "enabled", "budget_tokens": 16_384}, None)),
        ("kimi-k3", "high", ({"type": "enabled", "budget_tokens": 16_384}, None)),
        ("claude-sonnet-4-6", "high", ({"type": "adaptive"}, "high")),
        ("claude-opus-4-6", "xhigh", ({"type": "adaptive"}, "high")),
        ("claude-opus-4-7", "xhigh", ({"type": "adaptive", "display": "summarized"}, "xhigh")),
        ("claude-opus-5-5", "low", ({"type": "adaptive", "display": "summarized"}, "low")),
    ],
)
def test_an_effort_is_told_as_the_model_knows_it(model: str, effort: str, told: Any) -> None:
    assert asked(model, reasoning_effort=effort) == told


@pytest.mark.parametrize(
    ("model", "budget", "told"),
    [
        ("claude-sonnet-4-5", 5_000, ({"type": "enabled", "budget_tokens": 5_000}, None)),
        ("claude-sonnet-4-5", 100, ({"type": "enabled", "budget_tokens": 1_024}, None)),
        ("claude-opus-4-6", 5_000, ({"type": "enabled", "budget_tokens": 5_000}, None)),
        ("claude-opus-4-7", 2_000, ({"type": "adaptive", "display": "summarized"}, "low")),
        ("claude-opus-5", 10_000, ({"type": "adaptive", "display": "summarized"}, "medium")),
        ("claude-opus-5", 60_000, ({"type": "adaptive", "display": "summarized"}, "xhigh")),
    ],
)
def test_a_budget_is_told_as_the_model_knows_it(model: str, budget: int, told: Any) -> None:
    assert asked(model, thinking_budget=budget) == told


def test_an_effort_beside_a_budget_counts_where_there_are_no_budgets() -> None:
    both = {"thinking_budget": 2_000, "reasoning_effort": "max"}
    assert asked("claude-opus-5", **both)[1] == "max"
    assert asked("claude-sonnet-4-5", **both)[0] == {"type": "enabled", "budget_tokens": 2_000}


@pytest.mark.parametrize("options", [{"thinking_budget": 0}, {"reasoning_effort": "none"}])
@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("claude-sonnet-4-5", (None, None)),
        ("claude-opus-4-8", (None, None)),
        ("claude-opus-5", ({"type": "disabled"}, None)),
        ("claude-haiku-5-5", ({"type": "disabled"}, None)),
        ("claude-sonnet-5-5", ({"type": "between_tools"}, None)),
        ("claude-opus-5-5", (None, "low")),
        ("claude-fable-5", (None, "low")),
        ("kimi-k3", ({"type": "disabled"}, None)),
    ],
)
def test_no_thinking_is_as_little_as_the_model_allows(
    model: str, told: Any, options: dict[str, Any]
) -> None:
    assert asked(model, **options) == told


def test_thinking_makes_room_for_itself_where_no_limit_is_asked() -> None:
    sent = built("claude-sonnet-4-5", options={"thinking_budget": 20_000})
    assert sent["max_tokens"] == 52_000
    sent = built("claude-sonnet-4-5", options={"thinking_budget": 50_000})
    assert sent["max_tokens"] == 64_000
    assert sent["thinking"]["budget_tokens"] == 50_000
    sent = built("claude-opus-4-7", options={"reasoning_effort": "high"}, most=None)
    assert sent["max_tokens"] == 32_000


def test_a_limit_that_is_asked_holds_thinking_too() -> None:
    sent = built("claude-sonnet-4-5", options={"thinking_budget": 16_000}, max_tokens=4_000)
    assert (sent["max_tokens"], sent["thinking"]["budget_tokens"]) == (4_000, 2_000)
    sent = built("claude-sonnet-4-5", options={"thinking_budget": 3_000}, max_tokens=4_000)
    assert (sent["max_tokens"], sent["thinking"]["budget_tokens"]) == (4_000, 3_000)


def test_a_limit_too_small_for_thinking_turns_it_off() -> None:
    options = {"thinking_budget": 16_000, "temperature": 0.3}
    sent = built("claude-sonnet-4-5", options=options, max_tokens=1_000)
    assert "thinking" not in sent
    assert sent["max_tokens"] == 1_000


def test_thinking_and_its_schema_share_the_output_config() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    sent = built("claude-opus-4-7", options={"reasoning_effort": "low"}, schema=schema)
    assert set(sent["output_config"]) == {"effort", "format"}


def test_no_temperature_goes_with_thinking() -> None:
    options = {"reasoning_effort": "low", "temperature": 0.2, "top_p": 0.5, "top_k": 3}
    assert not SAMPLING & set(built("claude-sonnet-4-5", options=options))
    assert not SAMPLING & set(built("claude-sonnet-4-6", options=options))


def test_without_thinking_4_6_still_takes_a_temperature() -> None:
    assert built("claude-sonnet-4-6", options={"temperature": 0.2})["temperature"] == 0.2


@pytest.mark.parametrize(
    ("model", "options", "choice", "thinking"),
    [
        ("claude-sonnet-4-5", {}, {"type": "any"}, None),
        ("claude-opus-4-8", {}, {"type": "any"}, None),
        ("claude-opus-5", {}, {"type": "any"}, {"type": "disabled"}),
        ("claude-opus-5-5", {}, None, None),
        ("claude-sonnet-5-5", {}, None, None),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "low"},
            None,
            {"type": "enabled", "budget_tokens": 2_048},
        ),
    ],
)
def test_a_tool_is_only_forced_where_thinking_allows_it(
    model: str, options: dict[str, Any], choice: Any, thinking: Any
) -> None:
    sent = built(model, options={"tool_choice": "required", **options}, tools=(WEATHER,))
    assert (sent.get("tool_choice"), sent.get("thinking")) == (choice, thinking)


def test_a_loop_begun_without_thinking_goes_on_without_it() -> None:
    """With a budget, the API refuses a loop whose first answer does not begin with thinking."""
    options = {"reasoning_effort": "low"}
    foreign = (QUESTION, assistant(CALL), RESULT)
    own = (QUESTION, assistant(Thinking("hm", "anthropic", signature="s"), CALL), RESULT)
    assert "thinking" not in built("claude-sonnet-4-5", *foreign, options=options)
    assert "thinking" in built("claude-sonnet-4-5", *own, options=options)
    assert "thinking" in built("claude-opus-4-6", *foreign, options=options)


def test_what_the_user_says_beside_the_result_of_a_tool_does_not_let_thinking_set_in() -> None:
    options = {"reasoning_effort": "low"}
    beside = (QUESTION, assistant(CALL), RESULT, user("Be quick."))
    later = (*beside, assistant(Text("4 degrees")), user("And in Rome?"))
    assert "thinking" not in built("claude-sonnet-4-5", *beside, options=options)
    assert "thinking" in built("claude-sonnet-4-5", *later, options=options)


def test_what_is_left_out_is_named() -> None:
    given = {"temperature": 0.2, "tool_choice": "required", "reasoning_effort": "high", "stop": []}
    named = left_out(target("anthropic", "claude-sonnet-4-5"), chat(options=given))
    assert named == {"temperature", "tool_choice"}
    both = chat(options={"temperature": 0.2, "top_p": 0.9})
    assert left_out(target("anthropic", "claude-sonnet-4-5"), both) == {"top_p"}
    assert left_out(target("anthropic", "claude-opus-5"), both) == {"temperature", "top_p"}
    assert left_out(target("anthropic", "kimi-k3"), both) == frozenset()
