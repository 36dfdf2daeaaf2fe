"""Queries on conversations as wholes: whose each is, and under what policies it was held."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.json_text import compact
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decision_codec import unpack

# What of a strategy says who may see a prompt.
_LIMITS = ("local_only", "regions", "data_policy", "allow", "deny")
CONVERSATIONS = (
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        app TEXT,
        user TEXT,
        last_turn INTEGER NOT NULL,
        policies TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX conversations_by_owner ON conversations (app, user, last_turn)",
)


@dataclass(frozen=True, slots=True)
class ConversationTerms:
    """Whose a conversation is, and every policy under which a turn of it was said.

    A policy is a strategy of which only what says who may see a prompt counts.
    """

    app: str | None
    user: str | None
    policies: tuple[Strategy, ...] = ()


def read_terms(db: Database, conversation_id: str) -> ConversationTerms | None:
    """Return the terms of a conversation that has turns, else null. Raises RegistryUnusable."""
    sql = "SELECT app, user, policies FROM conversations WHERE id = ?"
    for app, user, text in db.rows(sql, (conversation_id,)):
        policies = _read_policies(text)
        if policies is None:
            said = "a stored conversation cannot be read back"
            raise RegistryUnusable(said, hint="rolecall registry check")
        return ConversationTerms(app, user, policies)
    return None


def last_conversation(db: Database, app: str | None, user: str | None) -> str | None:
    """Return the conversation of an app and a user in which something was said last, if any."""
    rows = db.rows(
        """
        SELECT id FROM conversations WHERE app IS ? AND user IS ? ORDER BY last_turn DESC LIMIT 1
        """,
        (app, user),
    )
    return str(rows[0][0]) if rows else None


def keep_terms(db: Database, conversation_id: str, decision_id: str | None) -> None:
    """Keep the terms of a conversation whose last turn was just stored, by its decision."""
    rows = db.rows(
        "SELECT app, user, candidates, document FROM decisions WHERE id = ?", (decision_id,)
    )
    app, user, *packed = rows[0] if rows else (None, None, None, None)
    before = db.rows("SELECT policies FROM conversations WHERE id = ?", (conversation_id,))
    policies = json.loads(before[0][0]) if before else []
    db.run(
        """
        INSERT INTO conversations (id, app, user, last_turn, policies)
        SELECT :id, :app, :user, max(id), :policies FROM turns WHERE conversation_id = :id
        ON CONFLICT DO UPDATE SET last_turn = excluded.last_turn, policies = excluded.policies
        """,
        {
            "id": conversation_id,
            "app": app,
            "user": user,
            "policies": compact(_with(policies, _limits(packed))),
        },
    )


def unreadable_terms(db: Database) -> tuple[str, ...]:
    """Return the conversations whose terms cannot be read back."""
    rows = db.rows("SELECT id, policies FROM conversations ORDER BY last_turn")
    return tuple(name for name, policies in rows if _read_policies(policies) is None)


def prune_terms(db: Database) -> None:
    """Delete the terms of conversations of which no turn is left."""
    db.run(
        """
        DELETE FROM conversations WHERE NOT EXISTS (
            SELECT 1 FROM turns WHERE turns.conversation_id = conversations.id
        )
        """
    )


def keep_older_terms(connection: sqlite3.Connection) -> None:
    """Fill the table from the turns of an older file; a conversation is its last decision's."""
    found: dict[str, tuple[Any, ...]] = {}
    rows = connection.execute(
        """
        SELECT turns.conversation_id, turns.id, decisions.app, decisions.user,
            decisions.candidates, decisions.document
        FROM turns LEFT JOIN decisions ON decisions.id = turns.decision_id
        ORDER BY turns.id
        """
    )
    for name, turn, app, user, *packed in rows:
        *owner, _, policies = found.get(name, (None, None, turn, []))
        owner = owner if packed[1] is None else [app, user]
        found[name] = (*owner, turn, _with(policies, _limits(packed)))
    connection.executemany(
        "INSERT INTO conversations (id, app, user, last_turn, policies) VALUES (?, ?, ?, ?, ?)",
        ((name, *owner, compact(policies)) for name, (*owner, policies) in found.items()),
    )


def _limits(packed: Iterable[Any]) -> dict[str, Any]:
    """Return what a packed decision's strategy says of who may see its prompt."""
    try:
        strategy = unpack(*packed)["strategy"]
        return {name: strategy[name] for name in _LIMITS if strategy.get(name)}
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError):
        return {}  # there is no decision, or none that can be read


def _with(policies: list[Any], policy: dict[str, Any]) -> list[Any]:
    return policies if not policy or policy in policies else [*policies, policy]


def _read_policies(text: str) -> tuple[Strategy, ...] | None:
    try:
        return tuple(map(_strategy, json.loads(text)))
    except (ValueError, TypeError, AttributeError):
        return None


def _strategy(plain: dict[str, Any]) -> Strategy:
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in plain.items()
        if name in _LIMITS
    }
    if "data_policy" in known:
        known["data_policy"] = DataPolicy(**known["data_policy"])
    return Strategy("conversation", **known)
