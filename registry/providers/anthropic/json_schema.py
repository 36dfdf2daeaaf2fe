"""A JSON schema as Anthropic's structured outputs take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Refused by the API. Leaving them out loosens the schema; `ask` checks the answer against
# the whole of it.
_UNTAKEN = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
_NAMED = frozenset({"properties", "$defs", "definitions"})
_VALUES = frozenset({"enum", "const", "default", "examples", "required"})


def output_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with its objects closed, as the API demands, and without limits.

    An object that names no properties stays open: closed, it could only be empty.
    """
    found = {
        name: _inner(name, value)
        for name, value in schema.items()
        if name not in _UNTAKEN and not (name == "minItems" and value not in (0, 1))
    }
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _inner(name: str, value: Any) -> Any:
    if name in _VALUES:
        return value
    if name in _NAMED and isinstance(value, dict):
        return {key: _within(one) for key, one in value.items()}
    return _within(value)


def _within(value: Any) -> Any:
    if isinstance(value, dict):
        return output_schema(value)
    if isinstance(value, list):
        return [_within(one) for one in value]
    return value
