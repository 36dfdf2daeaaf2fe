"""The schema of an answer is the same under every server's name for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.registry.chat.answer_form import plain_schema
from rolecall.registry.chat.parse import parse_chat
from rolecall.registry.core.chat import Chat
from rolecall.registry.core.errors import InvalidPrompt

HI = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CAPITALS = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}


def body(**fields: Any) -> Chat:
    return parse_chat({"messages": [HI], **fields}, name="x")


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object", "schema": SCHEMA}},
        {"response_format": {"type": "json_object", "response_schema": SCHEMA}},
        {"response_format": {"type": "json", "value": SCHEMA}},
        {"response_format": {"type": "json_schema", "schema": SCHEMA, "name": "answer"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        {"text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}}},
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
        {"format": SCHEMA},
        {"response_schema": CAPITALS, "response_mime_type": "application/json"},
        {"generationConfig": {"responseSchema": CAPITALS, "responseMimeType": "application/json"}},
        {"generationConfig": {"responseJsonSchema": SCHEMA}},
        {"guided_json": SCHEMA},
        {"guided_json": json.dumps(SCHEMA)},
        {"structured_outputs": {"json": SCHEMA}},
        {"extra_body": {"guided_json": SCHEMA}},
        {"json_schema": SCHEMA},
    ],
)
def test_a_schema_is_read_wherever_a_server_reads_it(fields: dict[str, Any]) -> None:
    chat = body(**fields)
    assert (chat.schema, chat.schema_name) == (SCHEMA, "answer")
    assert (chat.options, chat.notes) == ({}, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"format": "json"},
        {"generationConfig": {"responseMimeType": "application/json"}},
    ],
)
def test_any_json_is_an_empty_schema(fields: dict[str, Any]) -> None:
    assert (body(**fields).schema, body(**fields).notes) == ({}, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "text"}},
        {"format": ""},
        {"response_mime_type": "text/plain"},
        {"text": {"format": {"type": "text"}}},
    ],
)
def test_plain_text_is_no_schema(fields: dict[str, Any]) -> None:
    assert (body(**fields).schema, body(**fields).notes) == (None, ())


def test_other_constraints_of_vllm_stay_its_own_parameters() -> None:
    choice = {"structured_outputs": {"choice": ["a", "b"]}}
    assert body(**choice).options == choice


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"format": 3}, 'x: format: expected "json" or a JSON schema'),
        ({"format": "xml"}, 'x: format: expected "json" or a JSON schema'),
        ({"guided_json": "{"}, "x: guided_json: expected a JSON schema"),
        ({"response_schema": [1]}, "x: response_schema: expected a JSON schema, found a list"),
        ({"response_mime_type": "text/x.enum"},
         "x: response_mime_type: 'text/x.enum' is unknown (known: application/json, text/plain)"),
        ({"response_format": {"type": "grammar", "grammar": "root"}},
         "x: response_format: expected a JSON schema under `schema`"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_known_is_refused_by_name(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPrompt) as caught:
        body(**fields)
    assert caught.value.message == problem


def test_geminis_dialect_becomes_jsons_and_values_stay_as_they_are() -> None:
    dialect = {
        "type": "ARRAY",
        "items": {"type": "INTEGER", "nullable": True, "enum": ["STRING"]},
        "default": {"type": "OBJECT"},
        "properties": {"type": {"type": "BOOLEAN"}},
    }
    assert plain_schema(dialect) == {
        "type": "array",
        "items": {"type": ["integer", "null"], "enum": ["STRING"]},
        "default": {"type": "OBJECT"},
        "properties": {"type": {"type": "boolean"}},
    }
