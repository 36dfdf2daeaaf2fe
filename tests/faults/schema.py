"""The smallest JSON document that a JSON schema allows, for the keywords in common use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "a@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 20


def smallest(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """Return a document that the schema allows; every named property is filled in.

    Types may be in capitals, as Gemini writes them. A schema that contains itself stops at
    what it does not require.
    """
    root = schema if root is None else root
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    if "$ref" in schema:
        return smallest(_pointed(str(schema["$ref"]), root), root, depth + 1)
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return smallest(schema[keyword][0], root, depth + 1)
    if schema.get("allOf"):
        return smallest(_merged(schema["allOf"], root), root, depth + 1)
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return schema["enum"][0]
    return _of_type(schema, root, depth)


def _of_type(schema: Mapping[str, Any], root: Any, depth: int) -> Any:
    kind = schema.get("type", "object")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    match kind:
        case "object":
            required = set(schema.get("required", ()))
            wanted = schema.get("properties", {})
            shallow = depth < 3
            return {
                name: smallest(value, root, depth + 1)
                for name, value in wanted.items()
                if shallow or name in required
            }
        case "array":
            first = [smallest(item, root, depth + 1) for item in schema.get("prefixItems", ())]
            missing = int(schema.get("minItems", 0)) - len(first)
            return first + [smallest(schema.get("items"), root, depth + 1) for _ in range(missing)]
        case "string":
            text = _FORMATS.get(str(schema.get("format")), "text")
            return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
    return None


def _number(schema: Mapping[str, Any]) -> Any:
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return schema.get("minimum", min(0, schema.get("maximum", 0)))


def _merged(parts: list[Any], root: Any) -> dict[str, Any]:
    """Return one schema of several that must all hold."""
    whole: dict[str, Any] = {}
    for part in parts:
        one = _pointed(part["$ref"], root) if "$ref" in part else part
        properties = {**whole.get("properties", {}), **one.get("properties", {})}
        required = [*whole.get("required", []), *one.get("required", [])]
        whole |= {**one, "properties": properties, "required": required}
    return whole


def _pointed(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step) if step and isinstance(found, Mapping) else found
    return found
