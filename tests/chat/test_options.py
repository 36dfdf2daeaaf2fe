"""Options, schemas and tools as they are given on the command line."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from rolecall.registry.chat.options import (
    Overrides,
    answer_problem,
    check_schema,
    parse_option,
    parse_options,
    read_schema,
    read_tools,
)
from rolecall.registry.core.chat import Chat, Text, Tool, Turn
from rolecall.registry.core.errors import UsageError

LIST = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
    "required": ["a"],
    "additionalProperties": False,
}


def pair(word: str) -> tuple[str, str]:
    """Return `name=value` as the two words that are typed."""
    name, _, value = word.partition("=")
    return name, value


def refusal(*words: str) -> tuple[str, str | None]:
    with pytest.raises(UsageError) as caught:
        parse_options(map(pair, words))
    return caught.value.message, caught.value.hint


def schema_refusal(schema: Any) -> str:
    with pytest.raises(UsageError) as caught:
        read_schema(schema if isinstance(schema, str) else json.dumps(schema), "s.json")
    return caught.value.message


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
        ("temperature=NaN", "option temperature: 'NaN' is not a number", None),
        ("top_p=1.1", "option top_p: 1.1 is above 1", None),
        ("seed=1.5", "option seed: '1.5' is not a whole number", None),
        ("seed=true", "option seed: 'true' is not a whole number", None),
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


@pytest.mark.parametrize(
    "schema",
    [
        LIST,
        {"name": "n", "strict": True, "schema": LIST},
        {"type": "json_schema", "schema": LIST},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": LIST}},
    ],
)
def test_a_schema_may_be_wrapped(schema: Any) -> None:
    assert read_schema(json.dumps(schema), "s.json") == LIST


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"properties": {"$ref": {"type": "string"}}},
        {"const": {"$ref": "nowhere"}},
        {"properties": {"schema": {}}, "type": "object"},
        {"$id": "http://example.org/s", "$ref": "#q", "$defs": {"a": {"$anchor": "q"}}},
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "$ref": "#/definitions/a",
            "definitions": {"a": {}},
        },
    ],
)
def test_a_schema_may_refer_to_itself(schema: Any) -> None:
    assert read_schema(json.dumps(schema), "s.json") == schema


def test_an_empty_schema_asks_for_an_object() -> None:
    assert read_schema("{}", "s.json") == {"type": "object"}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ('{\n  "type": }', "s.json:2:11: not JSON: expecting value"),
        ([], "s.json: expected a JSON schema, found a list"),
        (True, "s.json: expected a JSON schema, found true or false"),
        ({"$schema": 3}, "s.json: $schema: expected a string"),
        (
            {"properties": {"a": 3}},
            "s.json: not a JSON schema: $.properties.a: 3 is not of type 'object', 'boolean'",
        ),
        ({"pattern": "("}, "s.json: not a JSON schema: $.pattern: '(' is not a 'regex'"),
        ({"$ref": "#/$defs/b"}, "s.json: the schema refers to /$defs/b, which is not in it"),
        ({"$ref": "#"}, "s.json: the schema refers to itself without end"),
        (
            {"$id": "http://[x", "$ref": "a"},
            "s.json: the schema refers to no proper URL: Invalid IPv6 URL",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused_by_its_file(schema: Any, message: str) -> None:
    assert schema_refusal(schema) == message


@pytest.mark.parametrize("where", ["https://example.org/s.json", "file:///etc/passwd", "other"])
def test_what_a_schema_refers_to_is_never_fetched(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    message = f"s.json: the schema refers to {where}, which is not in it"
    assert schema_refusal({"items": {"$ref": where}}) == message
    with pytest.raises(UsageError, match="which is not in it"):
        answer_problem("[1]", {"items": {"$ref": where}})


def test_a_schema_of_a_chat_can_be_checked_before_it_is_sent() -> None:
    check_schema(LIST, "chat.json")
    with pytest.raises(UsageError, match=r"^chat\.json: not a JSON schema: "):
        check_schema({"type": "strin"}, "chat.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (' {"a": [1]}\n', None),
        ('{"a": ["x"]}', "$.a[0]: 'x' is not of type 'integer'"),
        ("{}", "$: 'a' is a required property"),
        (" \n", "the answer is empty"),
        ('```json\n{"a": [1]}\n```', "not JSON: it stands in a ``` fence"),
        ("Sure!", "not JSON: expecting value at line 1, column 1"),
        ('{"a": [1]}\nThat is all.', "not JSON: extra data at line 2, column 1"),
        ('{"a": NaN}', "not JSON: NaN is no number"),
        ("[" * 100_000, "nested too deeply to be checked"),
    ],
)
def test_an_answer_that_does_not_match_is_said_why(text: str, problem: str | None) -> None:
    assert answer_problem(text, LIST) == problem


def test_without_a_schema_any_object_will_do() -> None:
    assert answer_problem('{"a": 1}', {}) is None
    assert answer_problem("[1]", {}) == "$: [1] is not of type 'object'"


def test_what_is_said_of_an_answer_is_one_short_line() -> None:
    long = json.dumps({"a": "\n\x1b" + "word " * 200})
    problem = answer_problem(long, LIST)
    assert problem is not None
    assert len(problem) <= 200
    assert problem.isprintable()
    assert problem.startswith("$.a: ")
    assert problem.endswith("is not of type 'array'")
