"""Find a record by its name, or say which names come near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from rolecall.registry.core.errors import UnknownRecord

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Collection

MOST_CHOICES = 16
NOUNS: Mapping[Collection, str] = {
    "models": "model",
    "endpoints": "endpoint",
    "roles": "role",
    "tasks": "task",
    "strategies": "strategy",
    "scopes": "scope",
    "judged_rows": "judged row",
}
_COMMANDS = {noun: command for command, noun in NOUNS.items()}
# What a new registry has of these, so that it is known how to bring one back.
_STARTERS: Mapping[str, tuple[str, ...]] = {
    "role": (
        *("advisor", "agent", "analyst", "coder", "extractor", "general", "long-context"),
        *("math", "vision", "writer"),
    ),
    "strategy": ("balanced", "cheapest", "fast", "private", "quality"),
    "task": (
        *("agent", "analyze", "chat", "code", "code.edit", "extract", "general", "legal"),
        *("long_context", "math", "medical", "summarize", "translate", "vision", "write"),
    ),
}


class Named(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The name that others refer to it by."""


NamedRecord = TypeVar("NamedRecord", bound=Named)


def named(records: Sequence[NamedRecord], noun: str, name: str) -> NamedRecord:
    """Return the record called `name`; raise UnknownRecord with the nearest names as a hint."""
    for record in records:
        if record.id == name:
            return record
    raise unknown(noun, name, [record.id for record in records])


def unknown(noun: str, name: str, known: Iterable[str]) -> UnknownRecord:
    """Return the error for a name that no record has."""
    hint = choices_hint(name, known)
    if name in _STARTERS.get(noun, ()):
        hint = f"rolecall {_COMMANDS[noun]} add {name} --starter brings it back"
    return UnknownRecord(f'no {noun} is named "{name}"', hint=hint)


def choices_hint(given: str, known: Iterable[str]) -> str:
    """Return the nearest known words, or else all of them, the first ones if they are many."""
    known = list(known)
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = ", …" if len(known) > MOST_CHOICES else ""
    return f"one of {', '.join(known[:MOST_CHOICES])}{more}" if known else "there are none yet"
