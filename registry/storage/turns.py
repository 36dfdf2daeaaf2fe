"""Queries on conversations: their turns as they were said, each stored as JSON.

Each part is an object that names its `type` and leaves out what is at its default. A part of a
type that this version does not know, and a field that it does not know, are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, fields
from itertools import chain, islice
from typing import Any

from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.json_text import compact
from rolecall.registry.storage.connection import Database, storable
from rolecall.registry.storage.conversations import keep_terms, prune_terms, unreadable_terms

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
    plain: Plain = {"role": turn.role, "parts": [_part_to_plain(part) for part in turn.parts]}
    if turn.name is not None:
        plain["name"] = turn.name
    text = compact(plain)
    # A lone surrogate can be told by an escape only.
    return text if storable(text) == text else json.dumps(plain)


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
        return Turn(plain["role"], _parts(plain["parts"]), plain.get("name"))
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


def append_turns(
    db: Database,
    conversation_id: str,
    created_at: str,
    decision_id: str | None,
    turns: Sequence[Turn],
) -> None:
    """Add turns to the end of a conversation, all or none, and keep the terms of their decision."""
    rows = [(conversation_id, created_at, decision_id, turn_to_json(turn)) for turn in turns]
    with db.transaction():
        db.run_many(
            """
            INSERT INTO turns (conversation_id, created_at, decision_id, turn)
            VALUES (?, ?, ?, ?)
            """,
            rows,
        )
        if rows:
            keep_terms(db, conversation_id, decision_id)


def read_turns(db: Database, conversation_id: str) -> tuple[Turn, ...]:
    """Return a conversation from its beginning; nothing when there is none of that name."""
    rows = db.rows(
        "SELECT turn FROM turns WHERE conversation_id = ? ORDER BY id", (conversation_id,)
    )
    return tuple(turn_from_json(row[0]) for row in rows)


def unreadable_conversations(db: Database, *, most: int = 20) -> tuple[str, ...]:
    """Return the conversations of which a part cannot be read back, up to `most` of them."""
    rows = db.stream("SELECT conversation_id, turn FROM turns ORDER BY id")
    turns = (name for name, turn in rows if not _is_readable(turn))
    return tuple(islice(dict.fromkeys(chain(unreadable_terms(db), turns)), most))


def _is_readable(turn: str) -> bool:
    try:
        turn_from_json(turn)
    except RegistryUnusable:
        return False
    return True


def prune_turns(db: Database, before: str) -> int:
    """Delete what was said before an ISO time; return how many turns that was."""
    count = db.run("DELETE FROM turns WHERE created_at < ?", (before,))
    prune_terms(db)
    return count
