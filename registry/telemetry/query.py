"""What calls left behind: list it, look at one, add it up, export it, prune it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.durations import parse_duration, parse_moment
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.telemetry import (
    Call,
    EndpointStatistics,
    Outcome,
    OutcomeStatistics,
    SampleSource,
)
from rolecall.registry.policy.strategies import selected
from rolecall.registry.storage.calls import (
    CallFilter,
    call_ids,
    calls_of_decision,
    prune_calls,
    read_call,
    recent_calls,
    stream_calls,
)
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import decision_ids, prune_decisions, read_decision
from rolecall.registry.storage.disk import free_disk
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.storage.registry import names
from rolecall.registry.storage.statistics import all_outcome_statistics, read_statistics
from rolecall.registry.storage.turns import prune_turns
from rolecall.registry.telemetry.export import CallFormat, formatted
from rolecall.registry.telemetry.statistics import kinds_of, success_offset


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls a person asks for: endpoints by glob, `since` a duration or a date."""

    endpoints: tuple[str, ...] = ()
    since: str | None = None
    only_failed: bool = False
    sample_source: SampleSource | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What came of one decision, or of one call: attempts and outcomes in their order."""

    decision: Decision | None
    calls: tuple[Call, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class TaskStatistics:
    """What an endpoint's outcomes on a kind of task add to its predicted success, now.

    `uncertainty` goes from 1 (nothing is known) to 0.
    """

    statistics: OutcomeStatistics
    offset: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was deleted, or would be."""

    before: str
    calls: int
    decisions: int
    turns: int


def list_calls(db: Database, wanted: CallQuery, now: datetime, *, limit: int) -> tuple[Call, ...]:
    """Return the latest calls that are asked for, newest first.

    Raises UnknownRecord for an endpoint that nothing is known of, UsageError for a `since` that
    is no time.
    """
    return recent_calls(db, _filter(db, wanted, now, limit))


def export_calls(db: Database, wanted: CallQuery, now: datetime, form: CallFormat) -> Iterator[str]:
    """Return the pieces of a text with every call that is asked for, oldest first.

    Calls are read as the pieces are taken. Raises as `list_calls` does, at once.
    """
    return formatted(stream_calls(db, _filter(db, wanted, now, None)), form)


def _filter(db: Database, wanted: CallQuery, now: datetime, limit: int | None) -> CallFilter:
    return CallFilter(
        endpoints=_selected(db, wanted.endpoints) if wanted.endpoints else None,
        since=None if wanted.since is None else stamp(parse_moment(wanted.since, now)),
        only_failed=wanted.only_failed,
        sample_source=wanted.sample_source,
        limit=limit,
    )


def _selected(db: Database, globs: Sequence[str]) -> tuple[str, ...]:
    """Return the endpoints that globs name, those too that are no longer in the registry."""
    judged = (endpoint for endpoint, _ in all_outcome_statistics(db))
    return selected(sorted({*names(db, "endpoints"), *read_statistics(db), *judged}), globs)


def find_story(db: Database, id_or_prefix: str) -> Story:
    """Return what came of the decision or the call of that id, or of the only one starting so.

    A call shows itself alone, with the outcomes of its answer. Raises UnknownRecord when there
    is none, or more than one.
    """
    decisions, calls = decision_ids(db, id_or_prefix), call_ids(db, id_or_prefix)
    if id_or_prefix in decisions:
        calls = ()
    elif id_or_prefix in calls:
        decisions = ()
    found = (*decisions, *calls)
    if len(found) > 1:
        raise UnknownRecord(
            f'several decisions or calls start with "{id_or_prefix}"',
            hint="rolecall telemetry show " + " | ".join(found[:3]),
        )
    if decisions:
        [decision] = decisions
        return Story(
            read_decision(db, decision),
            calls_of_decision(db, decision),
            outcomes_of_decision(db, decision),
        )
    if not calls:
        raise UnknownRecord(f'no decision or call "{id_or_prefix}"', hint="rolecall telemetry list")
    return _story_of_call(db, read_call(db, calls[0]))


def _story_of_call(db: Database, call: Call) -> Story:
    if call.decision_id is None:
        return Story(None, (call,), ())
    outcomes = outcomes_of_decision(db, call.decision_id)
    return Story(
        read_decision(db, call.decision_id),
        (call,),
        tuple(one for one in outcomes if one.endpoint == call.endpoint),
    )


def endpoint_statistics(db: Database, globs: Sequence[str]) -> tuple[EndpointStatistics, ...]:
    """Return what the calls of the endpoints add up to, sorted by id; no glob means all.

    Raises UnknownRecord for an endpoint that nothing is known of.
    """
    with db.snapshot():
        found = read_statistics(db)
        chosen = _selected(db, globs) if globs else found
    return tuple(found[one] for one in chosen if one in found)


def task_statistics(
    db: Database, globs: Sequence[str], now: datetime
) -> tuple[TaskStatistics, ...]:
    """Return what the outcomes add up to, by endpoint and kind of task; no glob means all.

    A kind includes the narrower ones: `code` counts what `code.edit` does. Raises UnknownRecord
    for an endpoint that nothing is known of.
    """
    with db.snapshot():
        found = all_outcome_statistics(db)
        chosen = set(_selected(db, globs)) if globs else None
    reports = []
    for (endpoint, task), statistics in found.items():
        if chosen is None or endpoint in chosen:
            chain = [found[endpoint, k] for k in kinds_of(task) if (endpoint, k) in found]
            offset, uncertainty, _ = success_offset(chain, now)
            reports.append(TaskStatistics(statistics, offset, uncertainty))
    return tuple(reports)


def cutoff(keep: str | None, before: str | None, now: datetime) -> datetime:
    """Return the moment before which everything goes. Raises UsageError unless one is given."""
    if (keep is None) == (before is None):
        raise UsageError("either --keep or --before", hint="rolecall telemetry prune --keep 90d")
    if keep is not None:
        return now - parse_duration(keep)
    assert before is not None
    return parse_moment(before, now)


def prune_evidence(db: Database, before: datetime, *, dry_run: bool = False) -> Pruned:
    """Delete the calls, decisions and conversation turns older than `before`; say how many.

    A decision with a later call stays. Statistics and outcomes stay, without the decision's id,
    and so does what was spent. The file gets smaller. With `dry_run` nothing changes.
    """
    moment = stamp(before)
    with db.rehearsal() if dry_run else db.transaction():
        pruned = Pruned(
            before=moment,
            calls=prune_calls(db, moment),
            decisions=prune_decisions(db, moment),
            turns=prune_turns(db, moment),
        )
    if not dry_run:
        free_disk(db)
    return pruned
