"""The form that a request asks its answer in, by each server's name for a JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolecall.registry.chat.content import object_at, optional_string_at
from rolecall.registry.chat.json_schema import ANY_OBJECT, UNNAMED_SCHEMA
from rolecall.registry.chat.schema_bounds import TOO_DEEP, is_too_deep
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import decode_json, kind_of

Schema = Mapping[str, Any]
# A schema by itself: Gemini's names, llama.cpp's and SGLang's, and the older one of vLLM.
_BARE = ("response_schema", "response_json_schema", "json_schema", "guided_json")
_SCHEMA_KEYS = ("schema", "response_schema", "value")
_MEDIA_TYPES = {"application/json": True, "text/plain": False}
_OPENAPI_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"})

_VALUES = frozenset({"enum", "const", "default", "example", "examples"})


def schema_of(body: Mapping[str, Any], name: str) -> tuple[Schema | None, str]:
    """Return the answer's JSON schema and its name; empty where JSON is asked for without one.

    `body` is flattened. Raises InvalidPrompt.
    """
    asked = body.get("response_format") or body.get("output_format")
    if asked is None:
        asked = object_at(body, "output_config", name).get("format")
    if asked is not None:
        return _of_response_format(asked, name)
    if body.get("format"):
        return _of_ollama(body["format"], name), UNNAMED_SCHEMA
    for key in _BARE:
        if body.get(key) is not None:
            return _decoded(body[key], f"{name}: {key}"), UNNAMED_SCHEMA
    said = optional_string_at(body, "response_mime_type", name)
    if said is not None and said not in _MEDIA_TYPES:
        known = ", ".join(_MEDIA_TYPES)
        raise InvalidPrompt(f"{name}: response_mime_type: {said!r} is unknown (known: {known})")
    return ({} if said is not None and _MEDIA_TYPES[said] else None), UNNAMED_SCHEMA


def plain_schema(schema: Any) -> Any:
    """Return a schema with the types that Gemini's own dialect writes in capitals as JSON's."""
    if isinstance(schema, list):
        return [plain_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _VALUES else plain_schema(value) for key, value in schema.items()}
    kind = found.get("type")
    if isinstance(kind, str) and kind in _OPENAPI_TYPES:
        found["type"] = kind.lower()
        if found.pop("nullable", None) is True:
            found["type"] = [kind.lower(), "null"]
    return found


def _of_response_format(asked: Any, name: str) -> tuple[Schema | None, str]:
    if not isinstance(asked, dict):
        raise InvalidPrompt(f"{name}: response_format: expected an object, found {kind_of(asked)}")
    kind = asked.get("type")
    if kind == "text":
        return None, UNNAMED_SCHEMA
    holder = asked.get("json_schema") if isinstance(asked.get("json_schema"), dict) else asked
    assert isinstance(holder, dict)
    schemas = [holder[key] for key in _SCHEMA_KEYS if isinstance(holder.get(key), dict)]
    if not schemas and kind == "json_object":
        return {}, UNNAMED_SCHEMA
    if not schemas:
        raise InvalidPrompt(f"{name}: response_format: expected a JSON schema under `schema`")
    said = holder.get("name")
    schema = _shallow(schemas[0], f"{name}: response_format")
    return schema or ANY_OBJECT, said if isinstance(said, str) and said else UNNAMED_SCHEMA


def _of_ollama(asked: Any, name: str) -> Schema:
    if asked == "json":
        return {}
    if not isinstance(asked, dict):
        raise InvalidPrompt(f'{name}: format: expected "json" or a JSON schema')
    return _shallow(asked, f"{name}: format")


def _shallow(schema: Schema, place: str) -> Schema:
    if is_too_deep(schema):
        raise InvalidPrompt(f"{place}: {TOO_DEEP}")
    found: Schema = plain_schema(schema)
    return found


def _decoded(schema: Any, place: str) -> Schema:
    """Return a schema that is an object, or JSON text of one."""
    if isinstance(schema, str):
        try:
            schema = decode_json(schema)
        except (ValueError, RecursionError) as error:
            raise InvalidPrompt(f"{place}: expected a JSON schema") from error
    if not isinstance(schema, dict):
        raise InvalidPrompt(f"{place}: expected a JSON schema, found {kind_of(schema)}")
    return _shallow(schema, place) or ANY_OBJECT
