"""Queries on conversations: their turns as they were said."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.registry.core.chat import Turn
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.turn_json import turn_from_json, turn_to_json


def append_turns(
    db: Database,
    conversation_id: str,
    created_at: str,
    decision_id: str | None,
    turns: Sequence[Turn],
) -> None:
    """Add turns to the end of a conversation, all or none of them."""
    rows = [(conversation_id, created_at, decision_id, turn_to_json(turn)) for turn in turns]
    with db.transaction():
        db.run_many(
            """
            INSERT INTO turns (conversation_id, created_at, decision_id, turn)
            VALUES (?, ?, ?, ?)
            """,
            rows,
        )


def read_turns(db: Database, conversation_id: str) -> tuple[Turn, ...]:
    """Return a conversation from its beginning; nothing when there is none of that name."""
    rows = db.rows(
        "SELECT turn FROM turns WHERE conversation_id = ? ORDER BY id", (conversation_id,)
    )
    return tuple(turn_from_json(row[0]) for row in rows)


def last_conversation(db: Database) -> str | None:
    """Return the conversation in which something was said last, if there is any."""
    rows = db.rows("SELECT conversation_id FROM turns WHERE id = (SELECT max(id) FROM turns)")
    return str(rows[0][0]) if rows else None


def unreadable_conversations(db: Database, *, most: int = 20) -> tuple[str, ...]:
    """Return the conversations with a turn that cannot be read back, up to `most` of them."""
    found: list[str] = []
    for conversation_id, turn in db.stream("SELECT conversation_id, turn FROM turns ORDER BY id"):
        if len(found) == most:
            break
        if conversation_id not in found and not _is_readable(turn):
            found.append(conversation_id)
    return tuple(found)


def _is_readable(turn: str) -> bool:
    try:
        turn_from_json(turn)
    except RegistryUnusable:
        return False
    return True


def prune_turns(db: Database, before: str) -> int:
    """Delete what was said before an ISO time; return how many turns that was."""
    return db.run("DELETE FROM turns WHERE created_at < ?", (before,))
