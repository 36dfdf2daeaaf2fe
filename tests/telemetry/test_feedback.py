"""A person's word on an answer, whose it is about, and what it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.telemetry import Call
from rolecall.registry.storage.calls import insert_call
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.telemetry.feedback import answering_endpoint, give_feedback, parse_score
from tests.storage.test_decisions import CANDIDATE, DECISION
from tests.telemetry.calls import at

FIRST, SECOND = CANDIDATE.endpoint, "b/y"
SCORED = replace(
    DECISION,
    candidates=(
        CANDIDATE._replace(scored_success=0.6),
        CANDIDATE._replace(endpoint=SECOND, scored_success=0.5),
    ),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        insert_decision(opened, SCORED)
        yield opened


def called(db: Database, endpoint: str, *, error: str | None = None, ended: bool = True) -> None:
    call = Call(f"c-{endpoint}-{error}", at(0), endpoint, decision_id=SCORED.id, error_type=error)
    insert_call(db, replace(call, finished_at=at(1) if ended else None))


@pytest.mark.parametrize(("word", "score"), [("good", 1), ("bad", 0), ("0.3", 0.3), ("1", 1)])
def test_a_score_is_a_number_or_a_word(word: str, score: float) -> None:
    assert parse_score(word) == score


@pytest.mark.parametrize("word", ["", "fine", "1.01", "-0.1", "nan", "inf", "goodish"])
def test_what_is_no_score_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="is no score"):
        parse_score(word)


def test_it_is_about_who_answered(db: Database) -> None:
    called(db, FIRST, error="stream_cut")
    called(db, SECOND)
    assert answering_endpoint(db, SCORED) == SECOND


def test_where_nobody_was_called_it_is_about_who_was_chosen(db: Database) -> None:
    assert answering_endpoint(db, SCORED) == FIRST


def test_an_answer_that_never_came_cannot_be_judged(db: Database) -> None:
    called(db, FIRST, error="stream_cut")
    called(db, SECOND, ended=False)
    with pytest.raises(UsageError, match="got no answer"):
        answering_endpoint(db, SCORED)
    with pytest.raises(UsageError, match="got no answer"):
        answering_endpoint(db, replace(SCORED, id="0none", chosen=None))


def test_a_word_is_kept_with_what_was_predicted_and_counts_at_once(db: Database) -> None:
    given = give_feedback(db, None, 0.0, "wrong file")
    assert (given.decision_id, given.endpoint, given.task) == (SCORED.id, FIRST, "code")
    assert given.outcomes == 1
    assert given.success_offset == pytest.approx(-0.6 / 5)
    [kept] = outcomes_of_decision(db, SCORED.id)
    assert (kept.score, kept.source, kept.predicted, kept.note) == (0.0, "human", 0.6, "wrong file")


def test_said_again_it_takes_the_place_of_what_was_said_before(db: Database) -> None:
    give_feedback(db, SCORED.id, 0.0, None)
    again = give_feedback(db, SCORED.id[:3], 1.0, None)
    assert again.outcomes == 1
    assert again.success_offset == pytest.approx(0.4 / 5)
    assert [one.score for one in outcomes_of_decision(db, SCORED.id)] == [1.0]


def test_a_decision_that_is_not_there_is_unknown(db: Database) -> None:
    with pytest.raises(UnknownRecord):
        give_feedback(db, "zzz", 1.0, None)
