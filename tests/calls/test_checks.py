"""Answers that are judged by a schema and by a command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.calls import checks as judging
from rolecall.registry.calls.checks import CheckUnusable, check_problem, judged
from rolecall.registry.core.chat import Answer, Text, ToolCall
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.telemetry import Outcome
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.storage.statistics import all_outcome_statistics
from rolecall.registry.telemetry.record import record_outcome
from tests.storage.test_decisions import CANDIDATE, DECISION

ASKED = replace(DECISION, prompt="count")
SCORED = CANDIDATE._replace(scored_success=0.6)
SCHEMA: dict[str, Any] = {"type": "object", "required": ["total"]}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        insert_decision(opened, ASKED)
        yield opened


def judge(
    db: Database,
    text: str,
    *,
    schema: dict[str, Any] | None = None,
    check: str | None = None,
    decision: Decision = ASKED,
) -> tuple[list[tuple[float, str | None]], tuple[str, ...]]:
    """Return each outcome's score and note, as stored, and what is said."""
    answer = Answer((Text(text),))
    outcomes, notes = judged(partial(record_outcome, db), schema, check, decision, SCORED, answer)
    assert outcomes == outcomes_of_decision(db, decision.id)
    return [(one.score, one.note) for one in outcomes], notes


def test_without_a_check_nothing_is_recorded(db: Database) -> None:
    assert judge(db, "hello") == ([], ())


def test_without_a_log_what_the_answer_said_is_not_kept(db: Database) -> None:
    outcomes, _ = judge(db, "secret", schema=SCHEMA, decision=replace(ASKED, prompt=None))
    assert outcomes == [(0.0, "schema: failed")]


def test_a_tool_call_is_not_held_against_the_schema(db: Database) -> None:
    answer = Answer((ToolCall("c1", "look_up", "{}"),))
    assert judged(partial(record_outcome, db), SCHEMA, None, ASKED, SCORED, answer) == ((), ())


def test_a_check_that_cannot_be_run_is_no_outcome_and_is_said(db: Database) -> None:
    said = ("the check judged nothing: the shell says exit 127",)
    assert judge(db, "hello", check="no-such-command-here") == ([], said)


def test_schema_and_check_are_judged_apart_and_move_the_success(db: Database) -> None:
    outcomes, _ = judge(db, '{"total": 3}', schema=SCHEMA, check="false")
    assert [score for score, _ in outcomes] == [1.0, 0.0]
    [kept] = all_outcome_statistics(db).values()
    assert (kept.endpoint, kept.task, kept.outcomes) == (SCORED.endpoint, "code", 2)
    assert kept.residual == pytest.approx(0.4 - 0.6, abs=0.02)


def test_a_check_is_kept_as_such_with_what_was_predicted(db: Database) -> None:
    [outcome], _ = judged(
        partial(record_outcome, db), None, "true", ASKED, SCORED, Answer((Text("hi"),))
    )
    assert isinstance(outcome, Outcome)
    assert (outcome.source, outcome.predicted, outcome.decision_id) == ("check", 0.6, ASKED.id)


def test_a_check_need_not_read_the_answer() -> None:
    assert check_problem("true", "x" * 1_000_000) is None


def test_a_check_that_never_ends_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "CHECK_TIMEOUT_S", 0.1)
    with pytest.raises(CheckUnusable, match=r"it took longer than 0\.1 s"):
        check_problem("exec sleep 5", "hi")


@pytest.mark.parametrize("command", ["no-such-command-here", "kill -9 $$", "/dev/null"])
def test_a_check_that_cannot_be_run_judges_nothing(command: str) -> None:
    with pytest.raises(CheckUnusable, match="judged nothing: the shell says exit"):
        check_problem(command, "hi")


def test_what_a_check_prints_is_nobodys_answer(capfd: pytest.CaptureFixture[str]) -> None:
    check_problem("echo out; echo err >&2", "hi")
    assert capfd.readouterr() == ("", "")
