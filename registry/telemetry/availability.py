"""What is known of endpoints at the moment of a decision: measurements, and open circuits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.key_marks import key_mark, key_source
from rolecall.registry.core.telemetry import EndpointStatistics, Measured
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.statistics import (
    read_key_salt,
    read_outcome_statistics,
    read_statistics,
)
from rolecall.registry.telemetry.circuit import (
    QUOTA_ERRORS,
    asked_left_s,
    believed,
    is_open,
    when_tried,
    why_opened,
)
from rolecall.registry.telemetry.statistics import kinds_of, measured


@dataclass(frozen=True, slots=True)
class KeptOut:
    """An endpoint that its circuit keeps out: why, and for how long its server asked for that."""

    why: str
    asked_s: float


@dataclass(frozen=True, slots=True)
class Availability:
    """What calls and outcomes say of each endpoint, and which may not be called now, with why.

    `refused` are those whose key was refused, at them or at another endpoint of their host;
    `kept_out` says more of all that are `offline` or `exhausted`. `statistics` are those that all
    this was read from.
    """

    measured: dict[str, Measured] = field(default_factory=dict)
    offline: dict[str, str] = field(default_factory=dict)
    exhausted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    kept_out: dict[str, KeptOut] = field(default_factory=dict)
    statistics: dict[str, EndpointStatistics] = field(default_factory=dict)


def read_availability(
    db: Database,
    task: str,
    now: datetime,
    endpoints: Iterable[Endpoint] = (),
    environment: Mapping[str, str] | None = None,
) -> Availability:
    """Return how every endpoint that was ever called or judged can serve a kind of task.

    Reads one row per endpoint, and one per endpoint and kind, whatever the history's length.
    """
    with db.snapshot():
        statistics = read_statistics(db)
        kinds = kinds_of(task)
        outcomes = read_outcome_statistics(db, kinds)
    judged = {endpoint for endpoint, _ in outcomes}
    found = Availability(statistics=statistics)
    at = stamp(now)
    refusals: dict[str, EndpointStatistics] = {}
    for endpoint in statistics.keys() | judged:
        chain = [outcomes[endpoint, kind] for kind in kinds if (endpoint, kind) in outcomes]
        stats = statistics.get(endpoint)
        stats = None if stats is None else believed(stats, now)
        found.measured[endpoint] = measured(stats, chain, now)
        if stats is None or not is_open(stats, at):
            continue
        if stats.refused_key is not None:
            refusals[stats.refused_key] = stats
            continue
        why = found.exhausted if stats.opened_because in QUOTA_ERRORS else found.offline
        why[endpoint] = f"{why_opened(stats)}, {when_tried(stats, now)}"
        found.kept_out[endpoint] = KeptOut(why_opened(stats), asked_left_s(stats, now))
    if refusals:
        salt = read_key_salt(db) or ""
        for one in endpoints:
            refusal = refusals.get(key_mark(one, environment or {}, salt) or "")
            if refusal is not None:
                source = key_source(one, environment or {})
                found.refused[one.id] = (
                    f"{source} was refused ({refusal.opened_status}), {when_tried(refusal, now)}"
                )
    return found
