"""Whatever a schema holds, its check ends in time, and nothing is fetched for it."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import suppress
from typing import Any

import pytest

from rolecall.registry.chat import schema_bounds
from rolecall.registry.chat.json_schema import answer_problem, check_schema
from rolecall.registry.chat.parse import parse_chat
from rolecall.registry.chat.schema_bounds import SchemaUnchecked, is_too_deep
from rolecall.registry.core.errors import InvalidPrompt, UsageError


def doubling(keyword: str, times: int = 25) -> dict[str, Any]:
    """Return a schema whose references double so many times."""
    definitions = {f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(times)}
    return {"$defs": {**definitions, f"d{times}": {}}, "$ref": "#/$defs/d0"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


ENDLESS = {
    "properties": {"a": {"$ref": "#/$defs/a"}},
    "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}},
}
TREE = {
    "$defs": {"node": {"properties": {"kids": {"items": {"$ref": "#/$defs/node"}}}}},
    "$ref": "#/$defs/node",
    "type": "object",
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_bounds, "CPU_LIMIT_S", 1)
    monkeypatch.setattr(schema_bounds, "WALL_LIMIT_S", 1.5)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"pattern": "^(a+)+$"}, json.dumps("a" * 40 + "!")),
        ({"patternProperties": {"^(a|a)*$": {}}}, json.dumps({"a" * 40 + "!": 1})),
        ({"uniqueItems": True}, json.dumps([{"a": i} for i in range(20_000)])),
        (doubling("allOf"), "{}"),
        (doubling("oneOf"), "{}"),
        (ENDLESS, '{"a": 1}'),
    ],
)
def test_a_check_that_takes_too_long_is_given_up(schema: dict[str, Any], text: str) -> None:
    start = time.monotonic()
    check_schema(schema, "s.json")
    with pytest.raises(SchemaUnchecked, match=r"longer than 2 s|refers to itself without end"):
        answer_problem(text, schema)
    assert time.monotonic() - start < 6


@pytest.mark.usefixtures("quick")
def test_what_took_too_long_once_is_not_tried_again() -> None:
    schema = doubling("allOf", 26)
    check_schema(schema, "s.json")
    start = time.monotonic()
    check_schema(schema, "s.json")
    with pytest.raises(SchemaUnchecked):
        answer_problem("{}", schema)
    assert time.monotonic() - start < 0.5


def test_a_check_that_needs_too_much_memory_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_bounds, "MEMORY_LIMIT_BYTES", 80 * 1024 * 1024)
    monkeypatch.setattr(schema_bounds, "CPU_LIMIT_S", 30)
    monkeypatch.setattr(schema_bounds, "WALL_LIMIT_S", 60.0)
    assert answer_problem("[0]", {"pattern": "a"}) is None
    with pytest.raises(SchemaUnchecked, match="too much memory"):
        answer_problem(json.dumps([0] * 8_000_000), {"pattern": "a"})


@pytest.mark.parametrize(
    ("schema", "text", "problem"),
    [
        ({"pattern": "^a+$"}, '"aaa"', None),
        ({"pattern": "^a+$"}, '"b"', "$: 'b' does not match '^a+$'"),
        ({"uniqueItems": True}, "[1, 1]", "$: [1, 1] has non-unique elements"),
        (TREE, '{"kids": [{"kids": []}]}', None),
        (doubling("allOf", 4), "{}", None),
        (
            {"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "type": "object"}}},
            "1",
            "$: 1 is not of type 'object'",
        ),
        ({"type": "string", "pattern": "^\ud800?é$"}, '"é"', None),
    ],
)
def test_a_slow_kind_of_schema_is_checked_like_any_other(
    schema: dict[str, Any], text: str, problem: str | None
) -> None:
    check_schema(schema, "s.json")
    assert answer_problem(text, schema) == problem


def test_a_plain_schema_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", refuse)
    schema = {"$defs": {"a": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}
    check_schema(schema, "s.json")
    assert answer_problem('{"x": 1}', schema) is None
    assert answer_problem('{"x": "y"}', schema) == "$.x: 'y' is not of type 'integer'"


def test_a_schema_of_5000_properties_ends() -> None:
    schema = {"properties": {f"p{i}": {"type": "string"} for i in range(5_000)}}
    check_schema(schema, "s.json")
    with suppress(SchemaUnchecked):  # as it may be on a slow machine
        assert answer_problem('{"p1": 2}', schema) == "$.p1: 2 is not of type 'string'"


@pytest.mark.parametrize("target", [5, "x", [1], None])
def test_a_reference_to_what_is_no_schema_is_refused(target: Any) -> None:
    with pytest.raises(UsageError, match=r"^s\.json: the schema refers to #/a, which is no schema"):
        check_schema({"$ref": "#/a", "a": target}, "s.json")


@pytest.mark.parametrize("reference", ["https://example.org/s", "file:///etc/passwd", "#/%zz"])
def test_a_reference_out_of_the_schema_is_refused_by_the_process_too(reference: str) -> None:
    with pytest.raises(UsageError, match="which is not in it"):
        check_schema({"$ref": "#", "items": {"$ref": reference}}, "s.json")


def test_a_schema_of_more_than_100_levels_is_refused() -> None:
    assert not is_too_deep(nested(99))
    for schema in (nested(101), nested(400)):
        with pytest.raises(UsageError, match=r"^s\.json: the schema has more than 100 levels$"):
            check_schema(schema, "s.json")
        form = {"type": "json_schema", "json_schema": {"schema": schema}}
        body = {"messages": [{"role": "user", "content": "x"}], "response_format": form}
        with pytest.raises(InvalidPrompt, match="more than 100 levels"):
            parse_chat(body, name="chat.json")


def test_nothing_of_the_folder_one_stands_in_is_run(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jsonschema.py").write_text("raise SystemExit('run')")
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert answer_problem('"aa"', {"pattern": "^a+$"}) is None
