"""Queries on calls: each attempt at an endpoint, stored before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.telemetry import Call, SampleSource
from rolecall.registry.storage.connection import Database, Row
from rolecall.registry.storage.values import from_json, to_json

# The columns in the order of Call's fields.
_COLUMNS = """
    id, created_at, endpoint, attempt, decision_id, operation_name, provider_name,
    request_model, response_model, response_id, finish_reasons, conversation_id, input_tokens,
    output_tokens, cache_read_input_tokens, cache_write_input_tokens, reasoning_output_tokens,
    time_to_first_chunk_s, time_per_output_token_s, duration_s, error_type, server_address,
    sample_source, cost_usd, price_source, task, app, user, region, finished_at, reserved_usd,
    detail, status_code, retry_after_s, load_duration_s
"""
_FINISH_REASONS = 10
_MATCHING = """
    created_at >= :since AND created_at < :until
    AND (:endpoints IS NULL OR endpoint IN (SELECT value FROM json_each(:endpoints)))
    AND (:sample_source IS NULL OR sample_source = :sample_source)
    AND (:decision IS NULL OR decision_id = :decision)
    AND (:failed IS NULL OR (:failed = 1 AND error_type IS NOT NULL)
         OR (:failed = 0 AND error_type IS NULL AND finished_at IS NOT NULL))
"""
_AFTER_ALL_TIME = "~"


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to return; what is null asks for nothing.

    `since` (inclusive) and `until` (exclusive) are ISO times in UTC with milliseconds, as calls
    have them. A call that has not ended neither `failed` nor did not. `limit` null: all.
    """

    endpoints: tuple[str, ...] | None = None
    since: str | None = None
    until: str | None = None
    failed: bool | None = None
    sample_source: SampleSource | None = None
    decision: str | None = None
    limit: int | None = 20


def insert_call(db: Database, call: Call) -> None:
    """Store a call that is about to be sent."""
    db.run(
        f"""
        INSERT INTO calls ({_COLUMNS})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?)
        """,
        _values(call),
    )


def finish_call(db: Database, call: Call) -> bool:
    """Replace a stored call by how it ended; return false when it had ended before, or is gone."""
    changed = db.run(
        f"""
        UPDATE calls SET ({_COLUMNS})
            = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
               ?, ?, ?, ?, ?, ?, ?)
        WHERE id = ? AND finished_at IS NULL
        """,
        (*_values(call), call.id),
    )
    return changed > 0


def read_call(db: Database, id_or_prefix: str) -> Call:
    """Return the call of that id, or of the only id that starts so.

    Raises UnknownRecord when there is none, or more than one.
    """
    ids = call_ids(db, id_or_prefix)
    if len(ids) > 1:
        raise UnknownRecord(
            f'several calls start with "{id_or_prefix}"',
            hint="rolecall telemetry show " + " | ".join(ids[:3]),
        )
    if not ids:
        raise UnknownRecord(f'no call "{id_or_prefix}"', hint="rolecall telemetry list")
    return _call(db.rows(f"SELECT {_COLUMNS} FROM calls WHERE id = ?", ids)[0])


def call_ids(db: Database, id_or_prefix: str) -> tuple[str, ...]:
    """Return the call of that id, else up to four ids that start so, sorted."""
    rows = db.rows("SELECT id FROM calls WHERE id = ?", (id_or_prefix,))
    if not rows and id_or_prefix:
        rows = db.rows(
            "SELECT id FROM calls WHERE id >= ? AND id < ? ORDER BY id LIMIT 4",
            (id_or_prefix, id_or_prefix + "\U0010ffff"),
        )
    return tuple(row[0] for row in rows)


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
    """Return the latest calls that match, newest first."""
    limit = -1 if wanted.limit is None else wanted.limit
    rows = db.rows(
        f"""
        SELECT {_COLUMNS} FROM calls WHERE {_MATCHING}
        ORDER BY created_at DESC, rowid DESC LIMIT :limit
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
        "until": wanted.until or _AFTER_ALL_TIME,
        "endpoints": None if wanted.endpoints is None else json.dumps(wanted.endpoints),
        "sample_source": wanted.sample_source,
        "decision": wanted.decision,
        "failed": wanted.failed,
    }


def _values(call: Call) -> Row:
    return (
        call.id,
        call.created_at,
        call.endpoint,
        call.attempt,
        call.decision_id,
        call.operation_name,
        call.provider_name,
        call.request_model,
        call.response_model,
        call.response_id,
        to_json(call.finish_reasons),
        call.conversation_id,
        call.input_tokens,
        call.output_tokens,
        call.cache_read_input_tokens,
        call.cache_write_input_tokens,
        call.reasoning_output_tokens,
        call.time_to_first_chunk_s,
        call.time_per_output_token_s,
        call.duration_s,
        call.error_type,
        call.server_address,
        call.sample_source,
        call.cost_usd,
        call.price_source,
        call.task,
        call.app,
        call.user,
        call.region,
        call.finished_at,
        call.reserved_usd,
        call.detail,
        call.status_code,
        call.retry_after_s,
        call.load_duration_s,
    )


def _call(row: Row) -> Call:
    values = list(row)
    values[_FINISH_REASONS] = from_json(row[_FINISH_REASONS] or "[]")
    return Call(*values)
