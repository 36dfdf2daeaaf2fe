"""Say how good an answer was; it counts at once."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.registry.core.clock import stamp, utc_now
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.telemetry import Outcome
from rolecall.registry.storage.calls import calls_of_decision
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision
from rolecall.registry.storage.statistics import read_outcome_statistics
from rolecall.registry.telemetry.record import record_outcome
from rolecall.registry.telemetry.statistics import kinds_of, success_offset

WORDS = {"good": 1.0, "bad": 0.0}


@dataclass(frozen=True, slots=True)
class Feedback:
    """A recorded outcome, and by how much all outcomes of its kind now move the prediction."""

    decision_id: str
    endpoint: str
    task: str
    score: float
    outcomes: int
    success_offset: float


def parse_score(word: str) -> float:
    """Return the score a person typed: 0 to 1, `good` or `bad`. Raises UsageError."""
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    try:
        score = float(word)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise UsageError(f'"{word}" is no score', hint="a number from 0 to 1, `good` or `bad`")
    return score


def give_feedback(
    db: Database, decision_id: str | None, score: float, note: str | None
) -> Feedback:
    """Record a person's word on the answer to a decision; null: the latest decision.

    It is about the endpoint that answered; where rolecall only decided, about the chosen one.
    Said again, it takes the place of what was said before. Raises UnknownRecord for a decision
    that is not there, UsageError for one without an answer.
    """
    now = utc_now()
    decision = read_decision(db, decision_id)
    endpoint = answering_endpoint(db, decision)
    outcome = Outcome(
        created_at=stamp(now),
        endpoint=endpoint,
        score=score,
        source="human",
        decision_id=decision.id,
        task=decision.task.kind,
        predicted=next(
            (one.scored_success for one in decision.candidates if one.endpoint == endpoint), None
        ),
        note=note,
    )
    record_outcome(db, outcome)
    kinds = kinds_of(decision.task.kind)
    known = read_outcome_statistics(db, kinds)
    chain = [known[endpoint, kind] for kind in kinds if (endpoint, kind) in known]
    offset, _, count = success_offset(chain, now)
    return Feedback(decision.id, endpoint, decision.task.kind, score, count, offset)


def answering_endpoint(db: Database, decision: Decision) -> str:
    """Return the endpoint that answered a decision. Raises UsageError where none did."""
    calls = calls_of_decision(db, decision.id)
    for call in reversed(calls):
        if call.finished_at is not None and call.error_type is None:
            return call.endpoint
    if calls or decision.chosen is None:
        raise UsageError(
            f"decision {decision.id} got no answer", hint=f"rolecall telemetry show {decision.id}"
        )
    return decision.chosen
