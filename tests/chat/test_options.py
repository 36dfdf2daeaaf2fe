"""Options and tools as they are given on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.chat.options import (
    Overrides,
    parse_option,
    parse_options,
    read_tools,
)
from rolecall.registry.core.chat import Chat, Text, Tool, Turn
from rolecall.registry.core.errors import UsageError


def pair(word: str) -> tuple[str, str]:
    """Return `name=value` as the two words that are typed."""
    name, _, value = word.partition("=")
    return name, value


def refusal(*words: str) -> tuple[str, str | None]:
    with pytest.raises(UsageError) as caught:
        parse_options(map(pair, words))
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("temperature=0.2", ("temperature", 0.2)),
        ("top-p=1", ("top_p", 1)),
        ("topK=5", ("top_k", 5)),
        ("seed=-1", ("seed", -1)),
        ("seed=null", ("seed", None)),
        ("n=1", ("n", 1)),
        ("stop=END", ("stop", ["END"])),
        ("stop=1", ("stop", ["1"])),
        ('stop="\\n"', ("stop", ["\n"])),
        ('stop_sequences=["a", "b"]', ("stop", ["a", "b"])),
        ("tool_choice=any", ("tool_choice", "required")),
        ("tool_choice=look_up", ("tool_choice", {"name": "look_up"})),
        ('tool_choice={"type": "tool", "name": "f"}', ("tool_choice", {"name": "f"})),
        ("thinking=on", ("reasoning_effort", "medium")),
        ("thinking=true", ("reasoning_effort", "medium")),
        ("thinking=xhigh", ("reasoning_effort", "xhigh")),
        ("thinking=off", ("reasoning_effort", "none")),
        ("thinking=false", ("reasoning_effort", "none")),
        ("thinking=0", ("reasoning_effort", "none")),
        ("thinking=1", ("thinking_budget", 1)),
        ("reasoning-effort=low", ("reasoning_effort", "low")),
        ("parallel_tool_calls=false", ("parallel_tool_calls", False)),
        ("logit_bias={\"5\": 1}", ("logit_bias", {"5": 1})),
        ("min_tokens=5", ("min_tokens", 5)),
        ("top_a=0.1", ("top_a", 0.1)),
        ("enableThinking=no", ("enableThinking", "no")),
        ("suffix=a=b", ("suffix", "a=b")),
    ],
)  # fmt: skip
def test_an_option_is_read_under_its_canonical_name(word: str, option: tuple[str, Any]) -> None:
    parsed = parse_options([pair(word)])
    assert parsed == dict([option])
    assert type(parsed[option[0]]) is type(option[1])


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("=1", "option '': expected a name, then a value", "-o temperature 0.2"),
        ("temperature=3", "option temperature: 3 is above 2", None),
        ("temperature=-0.1", "option temperature: -0.1 is below 0", None),
        ("temperature=warm", "option temperature: 'warm' is not a number", None),
        ("temperature=", "option temperature: '' is not a number", None),
        ("temperature=NaN", "option temperature: 'NaN' is not a number", None),
        ("top_p=1.1", "option top_p: 1.1 is above 1", None),
        ("seed=1.5", "option seed: 1.5 is not a whole number", None),
        ("seed=true", "option seed: true is not a whole number", None),
        ("n=true", "option n: true is not a whole number", None),
        ("n=2", "option n: ask gives one answer", "ask again for another"),
        ("stop=", "option stop: expected a text or a list of texts", None),
        ("tool_choice=3",
         "option tool_choice: expected auto, none, required or a tool's name", None),
        ("thinking=much", "option thinking: expected on, off or a number of tokens",
         "-o thinking on"),
        ("thinking=-1", "option thinking: expected on, off or a number of tokens",
         "-o thinking on"),
        ("verbosity=loud", "option verbosity: 'loud' is none of low, medium, high", None),
        ("logprobs=yes", "option logprobs: 'yes' is neither true nor false", None),
        ("temp=1", 'no option is named "temp"', "did you mean temperature?"),
        ("temprature=1", 'no option is named "temprature"', "did you mean temperature?"),
        ("max_completion_tokens=5", "max_completion_tokens is no option", "--max-tokens N"),
        ("num_predict=5", "num_predict is no option", "--max-tokens N"),
        ("response_format={}", "response_format is no option", "--schema FILE"),
        ("model=gpt", "model is no option", "--endpoint GLOB"),
    ],
)  # fmt: skip
def test_what_is_no_option_is_one_line_and_a_hint(
    word: str, message: str, hint: str | None
) -> None:
    assert refusal(word) == (message, hint)


def test_the_old_habit_of_an_equals_sign_is_told_how_it_goes() -> None:
    with pytest.raises(UsageError, match="expected a name, then a value"):
        parse_options([("temperature=0.2", "hello")])


def test_an_option_under_two_names_is_given_twice() -> None:
    assert refusal("stop=a", "stop_sequences=b") == (
        "option stop is given twice",
        """-o stop '["END", "STOP"]'""",
    )


def test_one_option_is_parsed_by_itself() -> None:
    assert parse_option("Temperature", "1") == ("temperature", 1)


def test_the_command_line_wins_over_the_chat() -> None:
    chat = Chat(
        turns=(Turn("user", (Text("hi"),)),),
        tools=(Tool("a"),),
        schema={"type": "array"},
        schema_name="list",
        options={"temperature": 1, "seed": 5, "reasoning_effort": "high"},
    )
    overrides = Overrides(
        schema={"type": "object"},
        tools=(Tool("b"),),
        options={"temperature": 0, "seed": None, "thinking_budget": 0},
    )
    changed = overrides.of(chat)
    assert changed.turns == chat.turns
    assert changed.tools == (Tool("b"),)
    assert (changed.schema, changed.schema_name) == ({"type": "object"}, "answer")
    assert changed.options == {"temperature": 0, "thinking_budget": 0}
    assert Overrides().of(chat) == chat
    assert Overrides(tools=()).of(chat).tools == ()


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "f", "input_schema": {"type": "object"}}]',
        '{"tools": [{"function": {"name": "f", "parameters": {"type": "object"}}}]}',
        '{"functions": [{"name": "f", "parameters": {"type": "object"}}]}',
    ],
)
def test_tools_are_read_in_either_shape(text: str) -> None:
    assert read_tools(text, "t.json") == (Tool("f", parameters={"type": "object"}),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "t.json: expected a list of tools or an object with `tools`"),
        ('"f"', "t.json: expected a list of tools or an object with `tools`"),
        ("[\n{]", "t.json:2:2: not JSON: expecting property name enclosed in double quotes"),
        ("[{}]", "t.json: tools[0]: expected a tool with a name"),
    ],
)
def test_tools_that_are_none_are_named_by_their_file(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_tools(text, "t.json")
    assert caught.value.message == message
