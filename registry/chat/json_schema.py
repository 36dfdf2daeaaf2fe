"""The JSON schema of an answer: read, checked, and held against what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.json_text import decode_json, kind_of

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

UNNAMED_SCHEMA = "answer"
ANY_OBJECT = {"type": "object"}
_PROBLEM_CHARS = 200


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

    Nothing is ever fetched.
    """
    _validator(schema, name)


def answer_problem(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in one line why an answer is not the JSON that `schema` asks for; None where it is.

    An empty schema asks for any JSON object. Raises UsageError for a schema that
    `check_schema` refuses.
    """
    validator = _validator(schema or ANY_OBJECT, "the schema")
    from jsonschema.exceptions import best_match

    if not text.strip():
        return "the answer is empty"
    try:
        error = best_match(validator.iter_errors(decode_json(text)))
    except json.JSONDecodeError as wrong:
        if text.lstrip().startswith("```"):
            return "not JSON: it stands in a ``` fence"
        problem = wrong.msg[:1].lower() + wrong.msg[1:]
        return f"not JSON: {problem} at line {wrong.lineno}, column {wrong.colno}"
    except ValueError as wrong:
        return _shortened(f"not JSON: {wrong}")
    except RecursionError:
        return "nested too deeply to be checked"
    return None if error is None else _shortened(f"{error.json_path}: {error.message}")


def _validator(schema: Mapping[str, Any], name: str) -> Validator:
    """Return what checks values by a schema that has been checked itself."""
    # Imported here: 55 ms, which a request without a schema does not pay.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

    if not isinstance(schema.get("$schema", ""), str):
        raise UsageError(f"{name}: $schema: expected a string")
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
        root = Resource.from_contents(schema, default_specification=DRAFT202012)
        _follow(root, EMPTY_REGISTRY.resolver_with_root(root))
        # Without a registry of its own, a validator would fetch what it does not know.
        validator = kind(dict(schema), registry=EMPTY_REGISTRY)
        validator.is_valid(None)
    except SchemaError as error:
        problem = _shortened(f"{error.json_path}: {error.message}")
        raise UsageError(f"{name}: not a JSON schema: {problem}") from error
    except Unresolvable as error:
        raise UsageError(
            f"{name}: the schema refers to {error.ref}, which is not in it",
            hint="put what it refers to under $defs",
        ) from error
    except RecursionError as error:
        raise UsageError(f"{name}: the schema refers to itself without end") from error
    except ValueError as error:
        raise UsageError(f"{name}: the schema refers to no proper URL: {error}") from error
    return validator


def _follow(resource: Any, resolver: Any) -> None:
    """Look up every reference that a schema makes; raise Unresolvable where one leads nowhere."""
    if isinstance(resource.contents, dict):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(resource.contents.get(key), str):
                resolver.lookup(resource.contents[key])
    for inner in resource.subresources():
        _follow(inner, resolver.in_subresource(inner))


def _shortened(text: str) -> str:
    """Return text in one line, its middle left out where it is long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) <= _PROBLEM_CHARS:
        return line
    half = _PROBLEM_CHARS // 2 - 2
    return f"{line[:half]} … {line[-half:]}"
