"""A turn of a chat as JSON text and back, exactly; the form in which conversations are stored.

Each part is an object that names its `type` and leaves out what is at its default. A part of a
type that this version does not know, and a field that it does not know, are passed over.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import RegistryUnusable

Plain = dict[str, Any]

_TYPES: dict[str, type[Part]] = {
    "text": Text,
    "media": Media,
    "thinking": Thinking,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}


def turn_to_json(turn: Turn) -> str:
    """Return the turn as text that SQLite takes, whatever characters it holds."""
    plain = {"role": turn.role, "parts": [_part_to_plain(part) for part in turn.parts]}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, which only an escape can tell in UTF-8.
        return json.dumps(plain, separators=(",", ":"))
    return text


def _part_to_plain(part: Part) -> Plain:
    plain: Plain = {"type": _NAMES[type(part)]}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(part, ToolResult) and field.name == "content":
            plain["content"] = [_part_to_plain(inner) for inner in part.content]
        elif field.default is MISSING or value != field.default:
            plain[field.name] = value
    return plain


def turn_from_json(text: str) -> Turn:
    """Return the turn that `turn_to_json` wrote. Raises RegistryUnusable."""
    try:
        plain = json.loads(text)
        return Turn(plain["role"], _parts(plain["parts"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RegistryUnusable(
            "a stored conversation cannot be read back", hint="rolecall registry check"
        ) from error


def _parts(plains: list[Plain]) -> tuple[Any, ...]:
    return tuple(_part(plain) for plain in plains if plain["type"] in _TYPES)


def _part(plain: Plain) -> Part:
    kind = _TYPES[plain["type"]]
    known = {field.name: plain[field.name] for field in fields(kind) if field.name in plain}
    if kind is ToolResult:
        known["content"] = _parts(known["content"])
    return kind(**known)
