"""The JSON schema of an answer: read, never fetched, and held against what was answered."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from rolecall.registry.chat.json_schema import answer_problem, check_schema, json_in
from rolecall.registry.chat.options import read_schema
from rolecall.registry.core.errors import UsageError

LIST = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
    "required": ["a"],
    "additionalProperties": False,
}


def schema_refusal(schema: Any) -> str:
    with pytest.raises(UsageError) as caught:
        read_schema(schema if isinstance(schema, str) else json.dumps(schema), "s.json")
    return caught.value.message


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
        ({"$dynamicRef": "#x"}, "s.json: the schema refers to an anchor, which is not in it"),
        (
            {"pattern": "(" * 2000 + ")" * 2000},
            "s.json: not a JSON schema: a pattern in it is nested too deeply",
        ),
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('```json\n{"a": [1]}\n```', '{"a": [1]}'),
        ('Here it is:\n\n```json\n{"a": 1}\n```\nThat is all.', '{"a": 1}'),
        ("```\n[1, 2]\n```", "[1, 2]"),
        ('```JSON {"a": 1} ```', '{"a": 1}'),
        ('~~~json\n{"a": 1}\n~~~', '{"a": 1}'),
        ('```json\n{"a": "```x```"}\n```', '{"a": "```x```"}'),
        ('```python\nprint()\n```\n```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```json\n{"a": 1}', '{"a": 1}'),
        (' {"a": "```json 1```"} ', ' {"a": "```json 1```"} '),
        ('```json\n{"a": 1} and more\n```', '```json\n{"a": 1} and more\n```'),
        ('\ufeff{"a": 1}', '{"a": 1}'),
        ("no JSON", "no JSON"),
        ("```" + " " * 100_000, "```" + " " * 100_000),
    ],
)
def test_the_json_in_a_fence_is_taken_out_of_it(text: str, found: str) -> None:
    assert json_in(text) == found
