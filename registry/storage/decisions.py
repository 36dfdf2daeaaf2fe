"""Queries on stored decisions; each stays quick whatever the history's length."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import RegistryUnusable, UnknownRecord
from rolecall.registry.storage.connection import Database, Row
from rolecall.registry.storage.decision_json import decision_from_json, decision_to_json


class LastTurn(NamedTuple):
    """Who answered the latest decision of a conversation, for what kind of task, and when."""

    chosen: str
    task_kind: str
    created_at: str


def insert_decision(db: Database, decision: Decision) -> None:
    """Store the decision. It does not change the registry's revision."""
    with db.transaction():
        db.run(
            """
            INSERT INTO decisions (id, created_at, prompt, prompt_sha256, task_kind, role,
                strategy, app, user, conversation_id, chosen, runner_up, margin_usd,
                registry_revision, scorer_version, elapsed_ms, document)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                decision.id,
                decision.created_at,
                decision.prompt,
                decision.prompt_sha256,
                decision.task.kind,
                decision.role,
                decision.strategy.id,
                decision.app,
                decision.user,
                decision.conversation_id,
                decision.chosen,
                decision.runner_up,
                decision.margin_usd,
                decision.registry_revision,
                decision.scorer_version,
                decision.elapsed_ms,
                decision_to_json(decision),
            ),
        )


def read_decision(db: Database, id_or_prefix: str | None) -> Decision:
    """Return the decision of that id, or of the only id that starts so; None: the latest.

    Raises UnknownRecord when there is none, or more than one.
    """
    if id_or_prefix is None:
        return _only(_latest(db), "no decision has been recorded yet")
    ids = decision_ids(db, id_or_prefix)
    if len(ids) > 1:
        raise UnknownRecord(
            f'several decisions start with "{id_or_prefix}"',
            hint="rolecall explain " + " | ".join(ids[:3]),
        )
    rows = db.rows("SELECT document, prompt FROM decisions WHERE id = ?", ids) if ids else []
    return _only(rows, f'no decision "{id_or_prefix}"')


def decision_ids(db: Database, id_or_prefix: str) -> tuple[str, ...]:
    """Return the decision of that id, else up to four ids that start so, sorted."""
    rows = db.rows("SELECT id FROM decisions WHERE id = ?", (id_or_prefix,))
    if not rows and id_or_prefix:
        rows = db.rows(
            "SELECT id FROM decisions WHERE id >= ? AND id < ? ORDER BY id LIMIT 4",
            (id_or_prefix, id_or_prefix + "\U0010ffff"),
        )
    return tuple(row[0] for row in rows)


def _latest(db: Database) -> list[Row]:
    return db.rows("SELECT document, prompt FROM decisions ORDER BY sequence DESC LIMIT 1")


def _only(rows: list[Row], otherwise: str) -> Decision:
    if not rows:
        raise UnknownRecord(otherwise, hint='rolecall route "a prompt" records one')
    document, prompt = rows[0]
    return decision_from_json(document, prompt)


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
    return LastTurn(*rows[0]) if rows else None


def last_prompt(db: Database, conversation_id: str, *, least_chars: int) -> str | None:
    """Return the conversation's latest prompt of at least that many characters, if one is kept."""
    rows = db.rows(
        """
        SELECT prompt FROM decisions WHERE conversation_id = ? AND length(prompt) >= ?
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
    found: list[str] = []
    for decision_id, document in db.stream("SELECT id, document FROM decisions ORDER BY sequence"):
        if len(found) == most:
            break
        if not _is_readable(document):
            found.append(decision_id)
    return tuple(found)


def _is_readable(document: str) -> bool:
    try:
        decision_from_json(document, None)
    except RegistryUnusable:
        return False
    return True
