"""Whether a JSON schema keeps the rules of OpenAI's strict mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFUSED = {
    *("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
    *("patternProperties", "propertyNames", "unevaluatedProperties", "contains", "prefixItems"),
}
_DEEPEST = 10


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema may be sent as strict: closed objects, every property required.

    A server that is told `strict` refuses any other schema.
    """
    return schema.get("type") == "object" and "anyOf" not in schema and _keeps(schema, 0)


def _keeps(schema: Any, depth: int) -> bool:
    if not isinstance(schema, Mapping) or depth > _DEEPEST or _REFUSED & set(schema):
        return False
    if not {"type", "$ref", "anyOf", "enum", "const"} & set(schema):
        return False
    kinds = schema.get("type")
    is_object = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
    if (is_object or "properties" in schema) and not _is_closed(schema):
        return False
    return all(_keeps(inner, depth + 1) for inner in _inner(schema))


def _is_closed(schema: Mapping[str, Any]) -> bool:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return False
    return schema.get("additionalProperties") is False and set(properties) == set(required)


def _inner(schema: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for key in ("properties", "$defs", "definitions"):
        group = schema.get(key)
        if isinstance(group, Mapping):
            found += group.values()
    if "items" in schema:
        found.append(schema["items"])
    choices = schema.get("anyOf")
    return found + list(choices) if isinstance(choices, list) else found
