"""Calls are stored before they are sent, ended once, and found by what they have in common."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.telemetry import Call, Outcome
from rolecall.registry.storage.calls import (
    CallFilter,
    call_ids,
    calls_of_decision,
    finish_call,
    insert_call,
    prune_calls,
    read_call,
    recent_calls,
    stream_calls,
)
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.outcomes import insert_outcome
from rolecall.registry.storage.registry import read_revision
from tests.storage.test_decisions import DECISION

CALL = Call("c1", "2026-11-22T10:00:00.000+00:00", "a/x", request_model="x", reserved_usd=0.5)
ENDED = replace(
    CALL,
    decision_id=None,
    response_id="r",
    finish_reasons=("stop", "tool_calls"),
    input_tokens=120,
    output_tokens=0,
    duration_s=1.5,
    cost_usd=0.0,
    finished_at="2026-11-22T10:00:01.500+00:00",
    reserved_usd=None,
)


def at(second: int) -> str:
    return f"2026-11-22T10:00:{second:02}.000+00:00"


def ids(calls: Any) -> list[str]:
    return [call.id for call in calls]


def test_a_call_reads_back_exactly(db: Database) -> None:
    insert_call(db, ENDED)
    assert read_call(db, "c1") == ENDED


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    st.builds(
        Call,
        created_at=st.just(CALL.created_at),
        decision_id=st.none(),
        input_tokens=st.none() | st.integers(0, 2**60),
        output_tokens=st.none() | st.integers(0, 2**60),
        cache_read_input_tokens=st.none() | st.integers(0, 2**60),
        cache_write_input_tokens=st.none() | st.integers(0, 2**60),
        reasoning_output_tokens=st.none() | st.integers(0, 2**60),
        attempt=st.integers(1, 99),
        status_code=st.none() | st.integers(100, 599),
        **{
            field.name: st.none() | st.floats(0, 1e9)
            for field in fields(Call)
            if field.name.endswith(("_s", "_usd"))
        },
    )
)
def test_any_call_reads_back_exactly(db: Database, call: Call) -> None:
    db.run("DELETE FROM calls")
    insert_call(db, call)
    assert recent_calls(db, CallFilter()) == (call,)


def test_what_a_provider_says_may_hold_characters_that_no_encoding_has(db: Database) -> None:
    insert_call(db, replace(ENDED, detail="half \ud83d of it", finish_reasons=("\udcff",)))
    assert read_call(db, "c1").detail == "half ? of it"
    assert read_call(db, "c1").finish_reasons == ("?",)


def test_storing_calls_does_not_change_the_registry(db: Database) -> None:
    insert_call(db, CALL)
    finish_call(db, ENDED)
    assert read_revision(db) == 0


def test_a_call_ends_once(db: Database) -> None:
    insert_call(db, CALL)
    assert finish_call(db, ENDED)
    assert not finish_call(db, replace(ENDED, error_type="interrupted"))
    assert read_call(db, "c1") == ENDED


def test_a_call_that_is_not_there_cannot_end(db: Database) -> None:
    insert_call(db, replace(CALL, id="other"))
    assert not finish_call(db, ENDED)
    assert ids(recent_calls(db, CallFilter())) == ["other"]


def test_a_call_is_found_by_the_start_of_its_id(db: Database) -> None:
    for name in ("0abc", "0abd", "0b"):
        insert_call(db, replace(CALL, id=name))
    assert call_ids(db, "0a") == ("0abc", "0abd")
    assert call_ids(db, "0b") == ("0b",)
    assert call_ids(db, "") == ()
    with pytest.raises(UnknownRecord, match='no call "0a"'):
        read_call(db, "0a")


def test_a_decisions_calls_come_in_the_order_they_were_made(db: Database) -> None:
    insert_decision(db, DECISION)
    for name, attempt in (("z", 1), ("a", 2), ("m", 3)):
        call = replace(CALL, id=name, decision_id=DECISION.id, attempt=attempt)
        insert_call(db, replace(call, created_at=at(attempt)))
    insert_call(db, replace(CALL, id="probe"))
    assert ids(calls_of_decision(db, DECISION.id)) == ["z", "a", "m"]
    assert calls_of_decision(db, "none") == ()


def test_calls_are_shown_by_sql_alone(db: Database) -> None:
    insert_decision(db, DECISION)
    answered = replace(ENDED, decision_id=DECISION.id)
    for call in (
        answered,
        replace(answered, id="c2", attempt=2, error_type="timeout"),
        replace(CALL, id="c3", sample_source="probe"),
    ):
        insert_call(db, call)
    for score in (1.0, 0.5):
        insert_outcome(db, Outcome(ENDED.created_at, "a/x", score, "judge", DECISION.id))
    assert db.rows(
        "SELECT id, model, role, strategy, result, duration_s, score FROM calls_readable"
    ) == [
        ("c1", "x", "coder", "balanced", "ok", 1.5, 0.75),
        ("c2", "x", "coder", "balanced", "timeout", 1.5, 0.75),
        ("c3", "x", None, None, "unfinished", None, None),
    ]


def test_a_decision_may_go_and_its_calls_stay(db: Database) -> None:
    insert_decision(db, DECISION)
    insert_call(db, replace(CALL, decision_id=DECISION.id))
    db.run("DELETE FROM decisions")
    assert read_call(db, "c1").decision_id is None


def test_recent_calls_come_newest_first_and_no_more_than_asked_for(db: Database) -> None:
    for number in range(30):
        insert_call(db, replace(CALL, id=f"c{number}", created_at=at(number // 2)))
    newest = [f"c{number}" for number in reversed(range(30))]
    assert ids(recent_calls(db, CallFilter())) == newest[:20]
    assert ids(recent_calls(db, CallFilter(limit=3))) == newest[:3]
    assert ids(recent_calls(db, CallFilter(limit=None))) == newest
    assert ids(stream_calls(db, CallFilter())) == newest[::-1]


def test_a_call_dated_in_the_far_future_is_not_the_newest_for_ever(db: Database) -> None:
    for number, day in enumerate(("2026-11-22", "2099-01-01", "2026-11-23")):
        insert_call(db, replace(CALL, id=f"c{number}", created_at=f"{day}T10:00:00.000+00:00"))
    assert ids(recent_calls(db, CallFilter(limit=2))) == ["c2", "c1"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallFilter(), "abcd"),
        (CallFilter(endpoints=("a/x",)), "ab"),
        (CallFilter(endpoints=("a/x", "b/y")), "abc"),
        (CallFilter(endpoints=()), ""),
        (CallFilter(endpoints=("a/*",)), ""),
        (CallFilter(since=at(2)), "bcd"),
        (CallFilter(only_failed=True), "b"),
        (CallFilter(sample_source="probe"), "d"),
        (CallFilter(since=at(3), only_failed=True, endpoints=("a/x",)), ""),
    ],
)
def test_a_filter_leaves_out_what_it_does_not_name(
    db: Database, wanted: CallFilter, found: str
) -> None:
    insert_decision(db, DECISION)
    for call in (
        replace(ENDED, id="a", created_at=at(1)),
        replace(ENDED, id="b", created_at=at(2), decision_id=DECISION.id, error_type="auth"),
        replace(CALL, id="c", created_at=at(3), decision_id=DECISION.id, endpoint="b/y"),
        replace(ENDED, id="d", created_at=at(4), endpoint="c/z", sample_source="probe"),
    ):
        insert_call(db, call)
    assert "".join(ids(stream_calls(db, wanted))) == found
    assert "".join(ids(recent_calls(db, wanted))) == found[::-1]


def test_streamed_calls_are_read_one_by_one(db: Database) -> None:
    fill(db, 5_000)
    stream = stream_calls(db, CallFilter())
    steps: list[int] = []
    db.connection.set_progress_handler(lambda: steps.append(1), 1)
    next(stream)
    db.connection.set_progress_handler(None, 0)
    assert len(steps) < 1_000


def test_pruning_deletes_what_is_older_and_counts_it(db: Database) -> None:
    for second in range(5):
        insert_call(db, replace(CALL, id=f"c{second}", created_at=at(second)))
    assert prune_calls(db, at(3)) == 3
    assert ids(stream_calls(db, CallFilter())) == ["c3", "c4"]
    assert prune_calls(db, at(3)) == 0


@pytest.mark.parametrize("wanted", [CallFilter(), CallFilter(limit=5, sample_source="live")])
def test_the_latest_calls_are_found_as_quickly_in_a_long_history(
    db: Database, wanted: CallFilter
) -> None:
    def cost(rows: int) -> int:
        fill(db, rows)
        steps: list[int] = []
        db.connection.set_progress_handler(lambda: steps.append(1), 1)
        recent_calls(db, wanted)
        db.connection.set_progress_handler(None, 0)
        return len(steps)

    few = cost(100)
    assert cost(20_000) <= few + 5


def fill(db: Database, rows: int) -> None:
    """Add that many calls, a millisecond apart."""
    db.run(
        """
        INSERT INTO calls (id, created_at, attempt, endpoint, sample_source)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        SELECT hex(randomblob(8)),
            printf('2026-11-22T10:%02d:%06.3f+00:00', i / 60000, i % 60000 / 1e3), 1, 'a/x', 'live'
        FROM n
        """,
        (rows,),
    )
