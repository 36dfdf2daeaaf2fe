"""Queries on calls: each attempt at an endpoint, stored before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.telemetry import Call, SampleSource
from rolecall.registry.storage.codecs import bound, from_row, listed, to_row
from rolecall.registry.storage.connection import Database, Row, ids_starting

_COLUMNS = listed(Call)
_MATCHING = """
    created_at >= :since
    AND (:endpoints IS NULL OR endpoint IN (SELECT value FROM json_each(:endpoints)))
    AND (:sample_source IS NULL OR sample_source = :sample_source)
    AND (NOT :only_failed OR error_type IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to return; what is null asks for nothing.

    `since` (inclusive) is an ISO time as `core.clock.stamp` writes it. `limit` null: all.
    """

    endpoints: tuple[str, ...] | None = None
    since: str | None = None
    only_failed: bool = False
    sample_source: SampleSource | None = None
    limit: int | None = 20


def insert_call(db: Database, call: Call) -> None:
    """Store a call that is about to be sent."""
    db.run(f"INSERT INTO calls ({_COLUMNS}) VALUES ({bound(Call)})", to_row(call))


def finish_call(db: Database, call: Call) -> bool:
    """Replace a stored call by how it ended; return false when it had ended before, or is gone."""
    changed = db.run(
        f"""
        UPDATE calls SET ({_COLUMNS}) = ({bound(Call)})
        WHERE id = :id AND finished_at IS NULL
        """,
        to_row(call),
    )
    return changed > 0


def read_call(db: Database, call_id: str) -> Call:
    """Return the call of that id. Raises UnknownRecord."""
    rows = db.rows(f"SELECT {_COLUMNS} FROM calls WHERE id = ?", (call_id,))
    if not rows:
        raise UnknownRecord(f'no call "{call_id}"', hint="rolecall telemetry list")
    return _call(rows[0])


def call_ids(db: Database, id_or_prefix: str) -> tuple[str, ...]:
    """Return the call of that id, else up to four ids that start so, sorted."""
    return ids_starting(db, "calls", id_or_prefix)


def calls_of_decision(db: Database, decision_id: str) -> tuple[Call, ...]:
    """Return a decision's calls in the order in which they were made."""
    rows = db.rows(
        f"""
        SELECT {_COLUMNS} FROM calls WHERE decision_id = ?
        ORDER BY created_at, attempt, rowid
        """,
        (decision_id,),
    )
    return tuple(map(_call, rows))


def recent_calls(db: Database, wanted: CallFilter) -> tuple[Call, ...]:
    """Return the calls that match and were stored last, newest first.

    In the order in which they were stored: one dated by a clock that ran ahead is not the newest
    for ever.
    """
    limit = -1 if wanted.limit is None else wanted.limit
    rows = db.rows(
        f"""
        SELECT {_COLUMNS} FROM calls WHERE {_MATCHING}
        ORDER BY rowid DESC LIMIT :limit
        """,
        {**_parameters(wanted), "limit": limit},
    )
    return tuple(map(_call, rows))


def stream_calls(db: Database, wanted: CallFilter) -> Iterator[Call]:
    """Yield every call that matches, oldest first, one at a time; `limit` is passed over."""
    sql = f"SELECT {_COLUMNS} FROM calls WHERE {_MATCHING} ORDER BY created_at, rowid"
    return map(_call, db.stream(sql, _parameters(wanted)))


def prune_calls(db: Database, before: str) -> int:
    """Delete the calls made before an ISO time; return how many there were."""
    return db.run("DELETE FROM calls WHERE created_at < ?", (before,))


def _parameters(wanted: CallFilter) -> dict[str, Any]:
    return {
        "since": wanted.since or "",
        "endpoints": None if wanted.endpoints is None else json.dumps(wanted.endpoints),
        "sample_source": wanted.sample_source,
        "only_failed": wanted.only_failed,
    }


def _call(row: Row) -> Call:
    return from_row(Call, row)
