"""The smallest JSON document that a JSON schema allows, for the keywords in common use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    if "const" in schema:
        return schema["const"]
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
            size = int(schema.get("minItems", 0))
            return [smallest(schema.get("items"), root, depth + 1) for _ in range(size)]
        case "string":
            return "text".ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
    return None


def _pointed(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step) if step and isinstance(found, Mapping) else found
    return found
