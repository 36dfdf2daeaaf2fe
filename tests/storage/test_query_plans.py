"""No statement of a command that people wait for reads a whole table that grows."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.calls.conversations import open_conversation
from rolecall.registry.core.chat import Text, Turn
from rolecall.registry.core.entities import Budget, Scope
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.edit import add_record
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision
from rolecall.registry.telemetry.feedback import give_feedback

ROWS = 20_000  # plans are the same for any number: the planner keeps no statistics
GROWING = "decisions calls outcomes turns conversations judged_rows spending example_vectors"
FILL = (
    """
    INSERT INTO decisions (id, created_at, prompt, prompt_sha256, task_kind, strategy, chosen,
        conversation_id, registry_revision, scorer_version, elapsed_ms, document)
    SELECT printf('0%015d', i), '2026-11-22T10:00:00+00:00', 'a prompt', '', 'code', 'balanced',
        'a/x', iif(i % 5, NULL, 'talk'), 1, '', 1, '' FROM n
    """,
    """
    INSERT INTO calls (id, created_at, decision_id, attempt, endpoint, sample_source)
    SELECT printf('0%015d', i), '2026-11-22T10:00:00+00:00', printf('0%015d', i), 1, 'a/x', 'live'
    FROM n
    """,
    """
    INSERT INTO outcomes (created_at, decision_id, endpoint, task, score, source)
    SELECT '2026-11-22T10:00:00+00:00', printf('0%015d', i), 'a/x', 'code', 0.5, 'human' FROM n
    """,
    """
    INSERT INTO turns (conversation_id, created_at, turn)
    SELECT 'talk' || (i % 100), '2026-11-22T10:00:00+00:00', '{"role":"user","parts":[]}' FROM n
    """,
    """
    INSERT INTO conversations (id, app, user, last_turn, policies)
    SELECT 'talk' || i, iif(i = 7, '1', i), iif(i = 7, 'u', NULL), i, '[]' FROM n
    """,
    """
    INSERT INTO judged_rows (id, is_active, prompt, task, answers, added_at, source)
    SELECT i, 0, '', '', '[]', '', '' FROM n
    """,
    "INSERT INTO spending (scope, day, usd) SELECT 'app:' || (i % 100), i, 1 FROM n",
    """
    INSERT INTO example_vectors (encoder_version, text_sha256, vector)
    SELECT 'v', i, '' FROM n
    """,
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which each table that grows has many rows."""
    path = tmp_path_factory.mktemp("history") / "registry.db"
    with open_registry(path) as db, db.transaction():
        add_record(db, Scope(app="1", budget=Budget(1e9)))
        for statement in FILL:
            db.run(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                + statement,
                (ROWS,),
            )
    return path


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements that are run from now on, their parameters filled in."""
    found: list[str] = []
    connect = sqlite3.connect

    def tracing(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(found.append)
        return connection

    monkeypatch.setattr("sqlite3.connect", tracing)
    return found


def test_no_statement_that_people_wait_for_scans_a_table_that_grows(
    history: Path, statements: list[str]
) -> None:
    with open_registry(history) as db:
        route_and_ask(db)
        for name in (read_decision(db, None).id, read_decision(db, None).id[:13]):
            read_decision(db, name)
        for score in (1.0, 0.0):
            give_feedback(db, None, score, "a note")
    ran = {one.strip() for one in statements}
    with open_registry(history) as db:
        plans = {one: plan_of(db, one) for one in ran if re.match("SELECT|INS|UPD|DEL", one)}
    touched = " ".join(plans)
    assert all(f" {table} " in touched for table in GROWING.split())
    scans = re.compile(rf"SCAN ({GROWING.replace(' ', '|')})\b")
    assert {sql: plan for sql, plan in plans.items() if scans.search(plan)} == {}


def route_and_ask(db: Database) -> None:
    """Route in conversations and alone, and record a call with its answer, as `ask` does."""
    router = Router(db, scorer=Scorer.load(), environment={"OPENAI_API_KEY": "x"})
    for name, text in ((None, "hello"), ("talk", "yes"), ("talk", "and now in Rust?")):
        choices = RoutingChoices(conversation_id=name, app="1", user="u")
        decision = router.decide(Request((Message("user", text),)), choices, will_call=True)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    call = Call("c", now, str(decision.chosen), decision_id=decision.id, app="1", reserved_usd=0.1)
    router.recorder.begin(call, router.registry.scopes)
    router.recorder.end(call)
    conversation = open_conversation(db, None, continue_last=True, app="1", user="u")
    router.recorder.said(conversation.id, (Turn("user", (Text("hello"),)),))
    assert router.recorder.flush() is None


def plan_of(db: Database, statement: str) -> str:
    return "\n".join(row[3] for row in db.rows(f"EXPLAIN QUERY PLAN {statement}"))
