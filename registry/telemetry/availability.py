"""What is known of endpoints at the moment of a decision: measurements, and open circuits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.telemetry import Measured
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.statistics import read_outcome_statistics, read_statistics
from rolecall.registry.telemetry.circuit import QUOTA_ERRORS, is_open, why_open
from rolecall.registry.telemetry.statistics import kinds_of, measured


@dataclass(frozen=True, slots=True)
class Availability:
    """What calls and outcomes say of each endpoint, and which may not be called now, with why."""

    measured: dict[str, Measured]
    offline: dict[str, str]
    exhausted: dict[str, str]


def read_availability(db: Database, task: str, now: datetime) -> Availability:
    """Return how every endpoint that was ever called or judged can serve a kind of task.

    Reads one row per endpoint, and one per endpoint and kind, whatever the history's length.
    """
    with db.snapshot():
        statistics = read_statistics(db)
        kinds = kinds_of(task)
        outcomes = read_outcome_statistics(db, kinds)
    judged = {endpoint for endpoint, _ in outcomes}
    found = Availability({}, {}, {})
    at = stamp(now)
    for endpoint in statistics.keys() | judged:
        chain = [outcomes[endpoint, kind] for kind in kinds if (endpoint, kind) in outcomes]
        stats = statistics.get(endpoint)
        found.measured[endpoint] = measured(stats, chain, now)
        if stats is not None and is_open(stats, at):
            is_quota = stats.opened_because in QUOTA_ERRORS
            why = found.exhausted if is_quota else found.offline
            why[endpoint] = why_open(stats, now)
    return found
