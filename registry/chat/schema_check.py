"""Hold JSON against a JSON schema, for as long as it takes; also as a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.registry.core.json_text import decode_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_PROBLEM_CHARS = 200
WITHOUT_END = 3  # the exit code of a check that leads on without end


class Refusal(NamedTuple):
    """Why a schema is none, and what to do about it."""

    problem: str
    hint: str | None = None


def schema_refusal(schema: Mapping[str, Any]) -> Refusal | None:
    """Return why a JSON schema is none or refers outside itself; null where it can be used.

    Nothing is ever fetched.
    """
    # Imported here: 55 ms, which a request without a schema does not pay.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

    if not isinstance(schema.get("$schema", ""), str):
        return Refusal("$schema: expected a string")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(dict(schema))
    except SchemaError as error:
        return Refusal(f"not a JSON schema: {_shortened(f'{error.json_path}: {error.message}')}")
    except RecursionError:
        return Refusal("not a JSON schema: a pattern in it is nested too deeply")
    try:
        root = Resource.from_contents(schema, default_specification=DRAFT202012)
        odd = _follow(root, EMPTY_REGISTRY.resolver_with_root(root))
        if odd is not None:
            return Refusal(f"the schema refers to {odd}, which is no schema")
        _validator(schema).is_valid(None)
    except Unresolvable as error:
        said = f"the schema refers to {error.ref or 'an anchor'}, which is not in it"
        return Refusal(said, "put what it refers to under $defs")
    except RecursionError:
        return Refusal("the schema refers to itself without end")
    except ValueError as error:
        return Refusal(f"the schema refers to no proper URL: {error}")
    return None


def json_problem(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in one line why a text is not the JSON that a sound schema asks for; null where it is.

    Raises RecursionError where the schema leads on without end.
    """
    if not text.strip():
        return "the answer is empty"
    try:
        value = decode_json(text)
    except json.JSONDecodeError as wrong:
        if text.lstrip().startswith("```"):
            return "not JSON: it stands in a ``` fence"
        problem = wrong.msg[:1].lower() + wrong.msg[1:]
        return f"not JSON: {problem} at line {wrong.lineno}, column {wrong.colno}"
    except ValueError as wrong:
        return _shortened(f"not JSON: {wrong}")
    except RecursionError:
        return "nested too deeply to be checked"
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(value))
    return None if error is None else _shortened(f"{error.json_path}: {error.message}")


def _validator(schema: Mapping[str, Any]) -> Validator:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing.jsonschema import EMPTY_REGISTRY

    kind = validator_for(schema, default=Draft202012Validator)
    # Without a registry of its own, a validator would fetch what it does not know.
    return kind(dict(schema), registry=EMPTY_REGISTRY)


def _follow(resource: Any, resolver: Any) -> str | None:
    """Look up every reference that a schema makes; return one that leads to no schema.

    Raises Unresolvable where one leads nowhere.
    """
    if isinstance(resource.contents, dict):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(resource.contents.get(key), str):
                found = resolver.lookup(resource.contents[key])
                if not isinstance(found.contents, dict | bool):
                    return str(resource.contents[key])
    odd = (_follow(one, resolver.in_subresource(one)) for one in resource.subresources())
    return next((one for one in odd if one is not None), None)


def _shortened(text: str) -> str:
    """Return text in one line, its middle left out where it is long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) <= _PROBLEM_CHARS:
        return line
    half = _PROBLEM_CHARS // 2 - 2
    return f"{line[:half]} … {line[-half:]}"


def main(cpu_seconds: int, memory_bytes: int) -> None:
    """Check what stdin asks for, within these bounds, and print the finding as JSON.

    `{"schema"}` is checked itself, `{"schema", "text"}` is a text to be held against it.
    """
    if sys.platform != "win32":
        import resource

        for kind, most in (
            (resource.RLIMIT_CPU, cpu_seconds),
            (resource.RLIMIT_AS, memory_bytes),
        ):
            resource.setrlimit(kind, (most, most))
    asked = json.load(sys.stdin)
    try:
        if "text" in asked:
            found: Any = json_problem(asked["text"], asked["schema"])
        else:
            found = schema_refusal(asked["schema"])
    except RecursionError:
        sys.exit(WITHOUT_END)
    json.dump(found, sys.stdout)
