"""Queries on stored decisions; each stays quick whatever the history's length."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import RegistryUnusable, UnknownRecord
from rolecall.registry.storage.connection import Database, Row, ids_starting
from rolecall.registry.storage.decision_codec import (
    FLAT,
    names_in,
    pack_decision,
    unpack_decision,
)
from rolecall.registry.storage.errors import damaged, unreadable


class LastTurn(NamedTuple):
    """Who answered the latest decision of a conversation, for what kind of task, and when."""

    chosen: str
    task_kind: str
    created_at: str


_FLAT = ", ".join(FLAT)
_STORED = f"{_FLAT}, candidates, document"
_BOUND = ", ".join(f":{name}" for name in FLAT)


def insert_decision(db: Database, decision: Decision) -> None:
    """Store the decision. It does not change the registry's revision."""
    with db.transaction():
        candidates, document = pack_decision(decision, _numbers(db, names_in(decision)))
        db.run(
            f"""
            INSERT INTO decisions ({_FLAT}, task_kind, strategy, candidates, document)
            VALUES ({_BOUND}, :task_kind, :strategy, :candidates, :document)
            """,
            {
                **{name: getattr(decision, name) for name in FLAT},
                "task_kind": decision.task.kind,
                "strategy": decision.strategy.id,
                "candidates": candidates,
                "document": document,
            },
        )


def _numbers(db: Database, names: set[str]) -> dict[str, int]:
    """Return the numbers by which decisions refer to names; new names get new ones."""
    wanted = json.dumps(sorted(names))
    sql = "SELECT name, id FROM names WHERE name IN (SELECT value FROM json_each(?))"
    numbers: dict[str, int] = dict(db.rows(sql, (wanted,)))
    if len(numbers) < len(names):
        db.run(
            "INSERT OR IGNORE INTO names (name) SELECT value FROM json_each(?) ORDER BY value",
            (wanted,),
        )
        numbers = dict(db.rows(sql, (wanted,)))
    if len(numbers) < len(names):
        raise damaged(db.path)
    return numbers


def _names(db: Database) -> dict[int, str]:
    return dict(db.rows("SELECT id, name FROM names"))


def read_decision(db: Database, id_or_prefix: str | None) -> Decision:
    """Return the decision of that id, or of the only id that starts so; None: the latest.

    Raises UnknownRecord when there is none, or more than one.
    """
    if id_or_prefix is None:
        latest = db.rows(
            f"""
            SELECT {_STORED} FROM decisions
            WHERE sequence = (SELECT max(sequence) FROM decisions)
            """
        )
        return _only(db, latest, "no decision has been recorded yet")
    ids = decision_ids(db, id_or_prefix)
    if len(ids) > 1:
        raise UnknownRecord(
            f'several decisions start with "{id_or_prefix}"',
            hint="rolecall explain " + " | ".join(ids[:3]),
        )
    rows = db.rows(f"SELECT {_STORED} FROM decisions WHERE id = ?", ids) if ids else []
    return _only(db, rows, f'no decision "{id_or_prefix}"')


def decision_ids(db: Database, id_or_prefix: str) -> tuple[str, ...]:
    """Return the decision of that id, else up to four ids that start so, sorted."""
    return ids_starting(db, "decisions", id_or_prefix)


def _only(db: Database, rows: list[Row], otherwise: str) -> Decision:
    if not rows:
        raise UnknownRecord(otherwise, hint='rolecall route "a prompt" records one')
    return _decision(rows[0], _names(db))


def _decision(row: Row, names: Mapping[int, str]) -> Decision:
    *flat, candidates, document = row
    return unpack_decision(dict(zip(FLAT, flat, strict=True)), candidates, document, names)


def last_in_conversation(db: Database, conversation_id: str) -> LastTurn | None:
    """Return the latest decision of the conversation that chose an endpoint, in short.

    Where a fallback gave the answer, it is the one named: it has the conversation in its cache.
    """
    rows = db.rows(
        """
        SELECT coalesce(
            (
                SELECT endpoint FROM calls
                WHERE decision_id = decisions.id AND finished_at IS NOT NULL
                    AND error_type IS NULL
                ORDER BY attempt DESC LIMIT 1
            ), chosen), task_kind, created_at
        FROM decisions
        WHERE conversation_id = ? AND chosen IS NOT NULL
        ORDER BY sequence DESC LIMIT 1
        """,
        (conversation_id,),
    )
    if not rows:
        return None
    last = LastTurn(*map(str, rows[0]))
    try:
        datetime.fromisoformat(last.created_at).astimezone()
    except ValueError as error:
        raise unreadable(f"a decision of conversation {conversation_id}") from error
    return last


def last_prompt(db: Database, conversation_id: str, *, least_chars: int) -> str | None:
    """Return the latest prompt of at least that many characters that was routed, if one is kept."""
    rows = db.rows(
        """
        SELECT prompt FROM decisions
        WHERE conversation_id = ? AND chosen IS NOT NULL AND length(prompt) >= ?
        ORDER BY sequence DESC LIMIT 1
        """,
        (conversation_id, least_chars),
    )
    return str(rows[0][0]) if rows else None


def prune_decisions(db: Database, before: str) -> int:
    """Delete the decisions made before an ISO time that no later call belongs to; count them.

    Their calls and outcomes stay, without the decision's id.
    """
    return db.run(
        """
        DELETE FROM decisions WHERE created_at < :before AND NOT EXISTS (
            SELECT 1 FROM calls
            WHERE calls.decision_id = decisions.id AND calls.created_at >= :before
        )
        """,
        {"before": before},
    )


def unreadable_decisions(db: Database, *, most: int = 20) -> tuple[str, ...]:
    """Return the ids of stored decisions that cannot be read back, up to `most` of them."""
    names = _names(db)
    rows = db.stream(f"SELECT {_STORED} FROM decisions ORDER BY sequence")
    unreadable = (row[0] for row in rows if not _is_readable(row, names))
    return tuple(islice(unreadable, most))


def _is_readable(row: Row, names: Mapping[int, str]) -> bool:
    try:
        _decision(row, names)
    except RegistryUnusable:
        return False
    return True
