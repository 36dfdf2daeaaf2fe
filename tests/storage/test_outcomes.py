"""Outcomes are found by decision and by kind of task, in the order in which they came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.core.telemetry import Outcome
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import (
    delete_outcomes,
    insert_outcome,
    outcomes_for,
    outcomes_of_decision,
)
from rolecall.registry.storage.registry import read_revision
from tests.storage.test_decisions import DECISION

OUTCOME = Outcome(
    created_at="2026-11-22T10:00:00.000+00:00",
    endpoint="a/x",
    score=0.25,
    source="human",
    decision_id=DECISION.id,
    task="code",
    predicted=0.81,
    note="wrong file",
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        insert_decision(opened, DECISION)
        yield opened


def test_outcomes_read_back_exactly_in_their_order(db: Database) -> None:
    bare = Outcome("2026-11-21T10:00:00.000+00:00", "a/x", 1.0, "check", DECISION.id)
    insert_outcome(db, OUTCOME)
    insert_outcome(db, bare)
    assert outcomes_of_decision(db, DECISION.id) == (OUTCOME, bare)
    assert outcomes_of_decision(db, "none") == ()
    assert read_revision(db) == 0


def test_a_note_may_hold_characters_that_no_encoding_has(db: Database) -> None:
    insert_outcome(db, replace(OUTCOME, note="half \udcff"))
    assert outcomes_of_decision(db, DECISION.id)[0].note == "half ?"


@pytest.mark.parametrize(
    ("task", "scores"),
    [
        ("code", [0.0, 0.1, 0.3]),
        ("code.edit", [0.1, 0.3]),
        ("code.edit.small", [0.3]),
        ("", [0.4]),
        ("cod", []),
        ("code_", []),
        ("%", []),
    ],
)
def test_a_kind_of_task_includes_the_narrower_ones(
    db: Database, task: str, scores: list[float]
) -> None:
    tasks = ["code", "code.edit", "codex", "code.edit.small", None, "math"]
    for number, kind in enumerate(tasks):
        insert_outcome(db, replace(OUTCOME, task=kind, score=number / 10))
    insert_outcome(db, replace(OUTCOME, endpoint="b/y"))
    assert [one.score for one in outcomes_for(db, "a/x", task)] == scores


def test_one_kind_of_outcome_of_one_answer_is_deleted(db: Database) -> None:
    others = (
        replace(OUTCOME, source="judge"),
        replace(OUTCOME, endpoint="b/y"),
        replace(OUTCOME, decision_id=None),
    )
    for outcome in (OUTCOME, *others, replace(OUTCOME, score=1.0)):
        insert_outcome(db, outcome)
    assert delete_outcomes(db, DECISION.id, "a/x", "human") == 2
    assert delete_outcomes(db, DECISION.id, "a/x", "human") == 0
    assert outcomes_of_decision(db, DECISION.id) == others[:2]
    assert outcomes_for(db, "a/x", "code") == (others[0], others[2])


def test_an_outcome_outlives_its_decision(db: Database) -> None:
    insert_outcome(db, OUTCOME)
    db.run("DELETE FROM decisions")
    assert outcomes_for(db, "a/x", "code") == (replace(OUTCOME, decision_id=None),)


def test_a_score_lies_between_nothing_and_one(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert_outcome(db, replace(OUTCOME, score=1.01))
