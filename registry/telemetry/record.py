"""Record calls: a row before each is sent, what came of it, and all that follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.registry.core.clock import Now, stamp, utc_now
from rolecall.registry.core.entities import Scope
from rolecall.registry.core.errors import BudgetExceeded, RegistryError, UnknownRecord
from rolecall.registry.core.telemetry import NO_PASSAGE, Call, Outcome, Passage, Pending
from rolecall.registry.policy.budget import remaining, spending_scopes
from rolecall.registry.storage.calls import finish_call, insert_call, read_call
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import decision_ids, insert_decision
from rolecall.registry.storage.outcomes import (
    delete_outcomes,
    insert_outcome,
    outcomes_for,
)
from rolecall.registry.storage.spending import add_spending
from rolecall.registry.storage.statistics import (
    claim_trial,
    read_endpoint_statistics,
    read_outcome_statistics,
    read_samples,
    write_outcome_statistics,
    write_samples,
    write_statistics,
)
from rolecall.registry.storage.turns import append_turns
from rolecall.registry.telemetry.circuit import (
    TRIAL_S,
    asked_left_s,
    believed,
    is_open,
    on_trial,
    refuses_key,
    why_open,
)
from rolecall.registry.telemetry.statistics import after_call, after_outcome, kinds_of


class CircuitOpen(RegistryError):
    """The endpoint's circuit keeps it out: it opened, or is on trial, since the decision was made.

    `wait_s` is for how much longer the server asked to be left alone; 0 where it did not ask.
    """

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def begin_call(
    db: Database, call: Call, scopes: Iterable[Scope], passage: Passage = NO_PASSAGE
) -> None:
    """Store a call that is about to be sent, its worst case held against the budgets.

    All in one transaction, so that no two commands spend the same money or try the same circuit.
    Raises CircuitOpen, and BudgetExceeded where a hard budget has too little left; then
    nothing is stored. A probe may pass an open circuit.
    """
    held = call.reserved_usd or 0.0
    now = datetime.fromisoformat(call.created_at)
    with db.transaction():
        _pass_circuit(db, call, now, passage)
        for one in remaining(db, scopes, call.app, call.user, now):
            if one.budget.mode == "hard" and held > max(one.left_usd, 0.0):
                raise BudgetExceeded(f"{call.endpoint} may cost more than is left: {one.words}")
        insert_call(db, call)
        _book(db, call, held)


def _pass_circuit(db: Database, call: Call, now: datetime, passage: Passage) -> None:
    stats = read_endpoint_statistics(db, call.endpoint)
    if stats is None or call.sample_source == "probe":
        return
    stats, at = believed(stats, now), call.created_at
    if is_open(stats, at):
        wait_s = asked_left_s(stats, now)
        is_other_key = stats.refused_key not in (None, passage.key_mark)
        if is_other_key or (passage.is_last and wait_s == 0):
            return
        raise CircuitOpen(f"{call.endpoint} {why_open(stats, now)}", wait_s)
    if on_trial(stats, at):
        until = stamp(now + timedelta(seconds=TRIAL_S))
        claim_trial(db, call.endpoint, at, until)


def stays_open(db: Database, endpoint: str, until: datetime) -> bool:
    """Tell whether an endpoint's circuit is open and will still be so at that moment."""
    stats = read_endpoint_statistics(db, endpoint)
    return stats is not None and is_open(believed(stats, until), stamp(until))


def end_call(
    db: Database,
    call: Call,
    reserved_usd: float | None,
    key_mark: str | None = None,
    *,
    now: Now = utc_now,
) -> Call:
    """Store how a call ended and fold it into its endpoint's statistics; return what is stored.

    `reserved_usd` is what `begin_call` held; it is given back for what was spent. `key_mark` is
    that of the key that was sent: if it was refused, the circuit is bound to it. An end without a
    date is dated under the write lock, so that calls are folded in the order of `finished_at`.
    """
    with db.transaction():
        ended = replace(call, finished_at=call.finished_at or stamp(now()))
        if finish_call(db, ended):
            before = read_endpoint_statistics(db, call.endpoint)
            samples = read_samples(db, call.endpoint)
            stats, kept = after_call(before, samples, ended)
            if refuses_key(ended):
                stats = replace(stats, refused_key=key_mark)
            write_statistics(db, stats)
            if kept is not samples:
                write_samples(db, call.endpoint, kept)
            spent = ended.cost_usd if ended.cost_usd is not None else ended.reserved_usd
            _book(db, ended, (spent or 0.0) - (reserved_usd or 0.0))
    return ended


def apply_pending(db: Database, pending: Pending) -> None:
    """Write it to the registry, all or nothing; decisions and calls there already are passed over.

    A call whose beginning could not be stored is stored now.
    """
    decision = pending.decision
    with db.transaction():
        if decision is not None and not decision_ids(db, decision.id):
            insert_decision(db, decision)
        for call in pending.calls:
            try:
                begun = read_call(db, call.id)
            except UnknownRecord:
                begun = replace(call, finished_at=None, reserved_usd=None)
                insert_call(db, begun)
            end_call(db, call, begun.reserved_usd, pending.key_marks.get(call.id))
        if pending.said is not None:
            said, known = pending.said, None if decision is None else decision.id
            append_turns(db, said.conversation_id, said.created_at, known, said.turns)
        for outcome in pending.outcomes:
            record_outcome(db, outcome)


def _book(db: Database, call: Call, usd: float) -> None:
    if usd:
        day = call.created_at[:10]
        for scope in spending_scopes(call.app, call.user):
            add_spending(db, scope, day, usd)


def record_outcome(db: Database, outcome: Outcome) -> None:
    """Store how good an answer was; it counts for its kind of task and every wider one.

    A person's second word on an answer takes the place of the first.
    """
    with db.transaction():
        is_again = outcome.source == "human" and outcome.decision_id is not None
        replaced = 0
        if is_again:
            assert outcome.decision_id is not None
            replaced = delete_outcomes(db, outcome.decision_id, outcome.endpoint, outcome.source)
        insert_outcome(db, outcome)
        for kind in kinds_of(outcome.task or ""):
            if replaced:
                _fold_again(db, outcome.endpoint, kind)
            else:
                before = read_outcome_statistics(db, (kind,)).get((outcome.endpoint, kind))
                write_outcome_statistics(db, after_outcome(before, replace(outcome, task=kind)))


def _fold_again(db: Database, endpoint: str, kind: str) -> None:
    stats = None
    for outcome in outcomes_for(db, endpoint, kind):
        stats = after_outcome(stats, replace(outcome, task=kind))
    if stats is not None:
        write_outcome_statistics(db, stats)
