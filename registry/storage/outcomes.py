"""Queries on outcomes: how good the answers were."""

from __future__ import annotations

from rolecall.registry.core.telemetry import Outcome, OutcomeSource
from rolecall.registry.storage.codecs import bound, from_rows, listed, to_row
from rolecall.registry.storage.connection import Database

_COLUMNS = listed(Outcome)


def insert_outcome(db: Database, outcome: Outcome) -> None:
    """Store one outcome."""
    db.run(f"INSERT INTO outcomes ({_COLUMNS}) VALUES ({bound(Outcome)})", to_row(outcome))


def outcomes_of_decision(db: Database, decision_id: str) -> tuple[Outcome, ...]:
    """Return the outcomes of a decision's answers in the order in which they came."""
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM outcomes WHERE decision_id = ? ORDER BY id", (decision_id,)
    )
    return from_rows(Outcome, rows)


def outcomes_for(db: Database, endpoint: str, task: str) -> tuple[Outcome, ...]:
    """Return an endpoint's outcomes on a kind of task and every narrower kind, in order.

    `code` includes `code.edit`; the empty kind stands for outcomes without any.
    """
    rows = db.rows(
        f"""
        SELECT {_COLUMNS} FROM outcomes
        WHERE endpoint = :endpoint AND (
            coalesce(task, '') = :task
            OR substr(task, 1, length(:task) + 1) = :task || '.'
        )
        ORDER BY id
        """,
        {"endpoint": endpoint, "task": task},
    )
    return from_rows(Outcome, rows)


def delete_outcomes(db: Database, decision_id: str, endpoint: str, source: OutcomeSource) -> int:
    """Delete the outcomes of one source of a decision's answer; return how many there were."""
    return db.run(
        "DELETE FROM outcomes WHERE decision_id = ? AND endpoint = ? AND source = ?",
        (decision_id, endpoint, source),
    )
