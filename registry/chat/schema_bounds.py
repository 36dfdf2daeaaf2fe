"""Keep the check of a JSON schema within bounds: quick ones here, others in a process that ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

from rolecall.registry.chat.schema_check import (
    WITHOUT_END,
    Refusal,
    json_problem,
    schema_refusal,
)
from rolecall.registry.core.errors import RegistryError
from rolecall.registry.core.json_text import compact

DEEPEST = 100
CPU_LIMIT_S = 2
WALL_LIMIT_S = 3.0
MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
# Under these, a check takes a second or two at worst: parts of the schema with its references
# followed, characters of the answer for each of them, and characters of the schema.
_MOST_PARTS = 1_000
_MOST_WORK = 1_000_000
_MOST_CHARS = 100_000
TOO_DEEP = f"the schema has more than {DEEPEST} levels"
_TOO_LONG = f"it takes longer than {CPU_LIMIT_S} s"
_ENDLESS = "the schema refers to itself without end"
# What can take exponential or quadratic time, whatever the size: to follow, and on an answer.
_SLOW_TO_FOLLOW = frozenset({"$dynamicRef", "$recursiveRef"})
_SLOW = _SLOW_TO_FOLLOW | {
    *("pattern", "patternProperties", "uniqueItems"),
    *("unevaluatedItems", "unevaluatedProperties"),
}


class SchemaUnchecked(RegistryError):
    """A check against a schema that was given up: it says nothing of the answer."""


def is_too_deep(schema: Any) -> bool:
    """Tell whether a schema has more than 100 levels, which no API takes."""
    level = [schema]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _children(one)]
        if not level:
            return False
    return True


def refusal_of(schema: Mapping[str, Any]) -> Refusal | None:
    """Return why a schema is none. Raises SchemaUnchecked where that takes long to say."""
    found = _refusal_of(compact(schema))
    if isinstance(found, SchemaUnchecked):
        raise found
    return found


@lru_cache(maxsize=32)  # what took long once is not tried again
def _refusal_of(schema_text: str) -> Refusal | SchemaUnchecked | None:
    schema = json.loads(schema_text)
    is_short = len(schema_text) <= _MOST_CHARS
    if is_short and _parts(schema, slow=_SLOW_TO_FOLLOW) is not None:
        return schema_refusal(schema)
    try:
        found = _in_a_process({"schema": schema})
    except SchemaUnchecked as unchecked:
        return unchecked
    return None if found is None else Refusal(*found)


def problem_of(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in one line why a text is not what a sound schema asks for; null where it is.

    Raises SchemaUnchecked where it takes long.
    """
    parts = _parts(schema, slow=_SLOW)
    if parts is not None and parts * len(text) <= _MOST_WORK:
        try:
            return json_problem(text, schema)
        except RecursionError as error:
            raise SchemaUnchecked(_ENDLESS) from error
    found = _in_a_process({"schema": schema, "text": text})
    return None if found is None else str(found)


def _parts(schema: Any, *, slow: Set[str]) -> int | None:
    """Return of how many parts a schema is, references followed; null where it may be slow.

    `slow` are the keywords that make it so.
    """
    sizes: dict[int, int] = {}
    under_way: set[int] = set()

    def size(one: Any) -> int:
        if not isinstance(one, dict | list):
            return 1
        known = sizes.get(id(one))
        if known is not None:
            return known
        if id(one) in under_way or len(under_way) > 2 * DEEPEST:
            raise _MayBeSlow
        under_way.add(id(one))
        found = 1 + sum(map(size, _children(one)))
        if isinstance(one, dict):
            if slow & one.keys():
                raise _MayBeSlow
            if isinstance(one.get("$ref"), str):
                found += size(_pointed_at(schema, one["$ref"]))
        if found > _MOST_PARTS:
            raise _MayBeSlow
        under_way.discard(id(one))
        sizes[id(one)] = found
        return found

    try:
        return size(schema)
    except _MayBeSlow:
        return None


class _MayBeSlow(Exception):
    """A schema whose check may take long."""


def _pointed_at(schema: Any, reference: str) -> Any:
    """Return what a plain reference within the schema leads to; others are for the process."""
    if not reference.startswith("#") or "%" in reference or "~" in reference:
        raise _MayBeSlow
    found = schema
    for step in reference[1:].split("/")[1:]:
        if not isinstance(found, dict) or step not in found:
            raise _MayBeSlow
        found = found[step]
    if reference != "#" and not reference.startswith("#/"):
        raise _MayBeSlow
    return found


def _children(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return list(one.values())
    return one if isinstance(one, list) else []


def _in_a_process(asked: Mapping[str, Any]) -> Any:
    """Return what a process of its own found, which is killed when it takes too long.

    A regular expression that goes back without end heeds nothing else.
    """
    import subprocess  # 5 ms, which a plain schema does not pay

    bounds = f"{CPU_LIMIT_S}, {MEMORY_LIMIT_BYTES}"
    program = f"from rolecall.registry.chat.schema_check import main; main({bounds})"
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", program],
            input=json.dumps(asked),
            capture_output=True,
            encoding="ascii",
            timeout=WALL_LIMIT_S,
            check=True,
        )
        return json.loads(ended.stdout)
    except subprocess.TimeoutExpired as error:
        raise SchemaUnchecked(_TOO_LONG) from error
    except subprocess.CalledProcessError as error:
        if error.returncode == WITHOUT_END:
            raise SchemaUnchecked(_ENDLESS) from error
        is_killed = error.returncode < 0
        raise SchemaUnchecked(_TOO_LONG if is_killed else "it takes too much memory") from error
    except (OSError, ValueError) as error:
        raise SchemaUnchecked("no process can be started for it") from error
