"""The JSON schema of an answer: read, checked, and held against what was answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from rolecall.registry.chat.schema_bounds import (
    TOO_DEEP,
    SchemaUnchecked,
    is_too_deep,
    problem_of,
    refusal_of,
)
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.json_text import decode_json, kind_of

UNNAMED_SCHEMA = "answer"
ANY_OBJECT = {"type": "object"}
_FENCE = re.compile(r"(```|~~~)[ \t]*+[A-Za-z0-9_-]*+\s*+(?=[{\[\"\d\-tfn])")
_MOST_FENCES = 20


def schema_in(schema: Any, name: str) -> Mapping[str, Any]:
    """Return the JSON schema that a JSON document is, or wraps as OpenAI or Anthropic want it.

    `name` says in errors where it was read. Raises UsageError.
    """
    for key in ("json_schema", "schema"):
        wrapping = {"name", "description", "strict", "type", key}
        if isinstance(schema, dict) and isinstance(schema.get(key), dict):
            schema = schema[key] if set(schema) <= wrapping else schema
    if not isinstance(schema, dict):
        raise UsageError(f"{name}: expected a JSON schema, found {kind_of(schema)}")
    check_schema(schema, name)
    return schema or ANY_OBJECT


def check_schema(schema: Mapping[str, Any], name: str) -> None:
    """Raise UsageError, which `name` starts, where a JSON schema is none or refers outside itself.

    Nothing is ever fetched. A schema whose check takes too long is taken as it is.
    """
    _refuse_depth(schema, name)
    try:
        refusal = refusal_of(schema)
    except SchemaUnchecked:
        return
    if refusal is not None:
        raise UsageError(f"{name}: {refusal.problem}", hint=refusal.hint)


def answer_problem(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in one line why an answer is not the JSON that `schema` asks for; None where it is.

    An empty schema asks for any JSON object. Raises UsageError for a schema that `check_schema`
    refuses, and SchemaUnchecked where the check takes too long, or leads on without end.
    """
    schema = schema or ANY_OBJECT
    _refuse_depth(schema, "the schema")
    refusal = refusal_of(schema)
    if refusal is not None:
        raise UsageError(f"the schema: {refusal.problem}", hint=refusal.hint)
    return problem_of(text, schema)


def json_in(text: str) -> str:
    """Return the JSON that stands in a fence of a text, with words around it or without.

    The text itself, but for a byte order mark, where it is JSON, or no fence holds any.
    """
    text = text.removeprefix("\ufeff")
    try:
        decode_json(text)
        return text
    except (ValueError, RecursionError):
        pass
    decoder = json.JSONDecoder()
    for opening in islice(_FENCE.finditer(text), _MOST_FENCES):
        start = opening.end()
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        rest = text[end:].lstrip()
        if not rest or rest.startswith(opening[1]):
            return text[start:end]
    return text


def _refuse_depth(schema: Mapping[str, Any], name: str) -> None:
    if is_too_deep(schema):
        raise UsageError(f"{name}: {TOO_DEEP}")
