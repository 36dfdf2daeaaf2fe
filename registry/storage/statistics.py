"""Queries on what calls and outcomes add up to; all of it is small and read as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rolecall.registry.core.telemetry import EndpointStatistics, OutcomeStatistics, Sample
from rolecall.registry.storage.codecs import bound, from_row, listed, to_row
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.errors import unreadable

_COLUMNS = listed(EndpointStatistics)
_OUTCOME_COLUMNS = listed(OutcomeStatistics)


def read_statistics(db: Database) -> dict[str, EndpointStatistics]:
    """Return the statistics of every endpoint that was ever called, by its id."""
    rows = db.rows(f"SELECT {_COLUMNS} FROM endpoint_statistics ORDER BY endpoint")
    return {row[0]: from_row(EndpointStatistics, row) for row in rows}


def read_endpoint_statistics(db: Database, endpoint: str) -> EndpointStatistics | None:
    """Return one endpoint's statistics; null when it was never called."""
    rows = db.rows(f"SELECT {_COLUMNS} FROM endpoint_statistics WHERE endpoint = ?", (endpoint,))
    return from_row(EndpointStatistics, rows[0]) if rows else None


def write_statistics(db: Database, statistics: EndpointStatistics) -> None:
    """Store an endpoint's statistics in place of what there was."""
    db.run(
        f"""
        INSERT OR REPLACE INTO endpoint_statistics ({_COLUMNS})
        VALUES ({bound(EndpointStatistics)})
        """,
        to_row(statistics),
    )


def read_key_salt(db: Database) -> str | None:
    """Return what makes this registry's marks of keys its own; null before the first was made."""
    rows = db.rows("SELECT value FROM meta WHERE key = 'key_salt'")
    return str(rows[0][0]) if rows else None


def make_key_salt(db: Database) -> None:
    """Make what `read_key_salt` returns, unless it is there."""
    db.run(
        """
        INSERT OR IGNORE INTO meta (key, value)
        VALUES ('key_salt', lower(hex(randomblob(16))))
        """
    )


def claim_trial(db: Database, endpoint: str, now: str, until: str) -> bool:
    """Take the one trial call that an open circuit allows after its rest; return whether we may.

    The claim holds until `until`. False where the circuit is closed, still rests at `now`, or
    someone else's claim holds. Times are as `core.clock.stamp` writes them.
    """
    claimed = db.run(
        """
        UPDATE endpoint_statistics SET trial_until = :until
        WHERE endpoint = :endpoint AND open_until IS NOT NULL AND open_until <= :now
            AND (trial_until IS NULL OR trial_until <= :now)
        """,
        {"endpoint": endpoint, "now": now, "until": until},
    )
    return claimed > 0


def read_samples(db: Database, endpoint: str) -> tuple[Sample, ...]:
    """Return the calls' speeds that are kept for an endpoint, in the order they were written."""
    rows = db.rows("SELECT samples FROM endpoint_samples WHERE endpoint = ?", (endpoint,))
    try:
        return tuple(_sample(values) for values in json.loads(rows[0][0])) if rows else ()
    except (ValueError, TypeError) as error:
        raise unreadable(f"the speeds of {endpoint}") from error


def _sample(values: Sequence[Any]) -> Sample:
    sample = Sample(*values)
    numbers = (sample.ttft_s, sample.itl_s, sample.weight)
    if datetime.fromisoformat(sample.at).tzinfo is None:
        raise ValueError(sample.at)
    if any(isinstance(one, str | list | dict) for one in numbers):
        raise TypeError(numbers)
    return sample


def write_samples(db: Database, endpoint: str, samples: Sequence[Sample]) -> None:
    """Store an endpoint's samples in place of those there were."""
    values = [(one.at, one.ttft_s, one.itl_s, one.weight) for one in samples]
    db.run(
        "INSERT OR REPLACE INTO endpoint_samples (endpoint, samples) VALUES (?, ?)",
        (endpoint, json.dumps(values, separators=(",", ":"))),
    )


def read_outcome_statistics(
    db: Database, tasks: Sequence[str]
) -> dict[tuple[str, str], OutcomeStatistics]:
    """Return what is known of every endpoint on these kinds of task, by endpoint and task."""
    rows = db.rows(
        f"""
        SELECT {_OUTCOME_COLUMNS} FROM outcome_statistics
        WHERE task IN (SELECT value FROM json_each(?))
        """,
        (json.dumps(list(tasks)),),
    )
    return {(row[0], row[1]): from_row(OutcomeStatistics, row) for row in rows}


def all_outcome_statistics(db: Database) -> dict[tuple[str, str], OutcomeStatistics]:
    """Return what is known of every endpoint on every kind of task, sorted by both."""
    rows = db.rows(f"SELECT {_OUTCOME_COLUMNS} FROM outcome_statistics ORDER BY endpoint, task")
    return {(row[0], row[1]): from_row(OutcomeStatistics, row) for row in rows}


def write_outcome_statistics(db: Database, statistics: OutcomeStatistics) -> None:
    """Store what the outcomes of an endpoint on a kind of task add up to."""
    db.run(
        f"""
        INSERT OR REPLACE INTO outcome_statistics ({_OUTCOME_COLUMNS})
        VALUES ({bound(OutcomeStatistics)})
        """,
        to_row(statistics),
    )
