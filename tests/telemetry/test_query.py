"""What calls left behind is found, added up, exported and pruned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rolecall.registry.core.chat import Text, Turn
from rolecall.registry.core.entities import Endpoint, Model
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.telemetry import Call, EndpointStatistics, Outcome, OutcomeStatistics
from rolecall.registry.storage.calls import insert_call
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import insert_outcome, outcomes_for
from rolecall.registry.storage.registry import write_record
from rolecall.registry.storage.spending import add_spending, spent
from rolecall.registry.storage.statistics import (
    read_statistics,
    write_outcome_statistics,
    write_statistics,
)
from rolecall.registry.storage.turns import append_turns, read_turns
from rolecall.registry.telemetry.query import (
    CallQuery,
    Pruned,
    Story,
    cutoff,
    endpoint_statistics,
    export_calls,
    find_story,
    list_calls,
    prune_evidence,
    task_statistics,
)
from rolecall.registry.telemetry.statistics import success_offset
from tests.storage.test_decisions import DECISION as ANY_DECISION

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DECISION = replace(ANY_DECISION, id="0d", created_at="2026-11-22T09:00:00.000+00:00")


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat(timespec="microseconds")


FAILED = Call("0c1", ago(hours=1), "a/x", decision_id="0d", error_type="auth", finished_at=ago())
ANSWERED = Call("0c2", ago(minutes=59), "b/y", 2, decision_id="0d", finished_at=ago())
PROBE = Call("0p", ago(days=3), "gone/z", sample_source="probe", finished_at=ago(days=3))
GOOD = Outcome(ago(minutes=5), "b/y", 0.9, "human", decision_id="0d", task="code")
CODE = OutcomeStatistics("b/y", "code", ago(), 8, 0.9, 8.0, 4.0)
EDIT = OutcomeStatistics("b/y", "code.edit", ago(), 2, 0.5, 2.0, -1.0)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        write_record(opened, Model("m"))
        for name in ("a/x", "b/y", "c/new"):
            write_record(opened, Endpoint(name, "m"))
        insert_decision(opened, DECISION)
        for call in (PROBE, FAILED, ANSWERED):
            insert_call(opened, call)
            write_statistics(opened, EndpointStatistics(call.endpoint, NOW.isoformat(), calls=1))
        insert_outcome(opened, GOOD)
        write_outcome_statistics(opened, CODE)
        write_outcome_statistics(opened, EDIT)
        yield opened


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallQuery(), [ANSWERED, FAILED, PROBE]),
        (CallQuery(("b/y",)), [ANSWERED]),
        (CallQuery(("?/*",)), [ANSWERED, FAILED]),
        (CallQuery(("a/*", "gone/z")), [FAILED, PROBE]),
        (CallQuery(("c/new",)), []),
        (CallQuery(since="2h"), [ANSWERED, FAILED]),
        (CallQuery(since="2026-11-18T00:00Z"), [ANSWERED, FAILED, PROBE]),
        (CallQuery(only_failed=True), [FAILED]),
        (CallQuery(sample_source="probe"), [PROBE]),
        (CallQuery(("gone/z",), since="2d", sample_source="probe"), []),
    ],
)
def test_calls_are_listed_newest_first_as_asked_for(
    db: Database, wanted: CallQuery, found: list[Call]
) -> None:
    assert list(list_calls(db, wanted, NOW, limit=20)) == found
    lines = "".join(export_calls(db, wanted, NOW, "jsonl")).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [call.id for call in reversed(found)]


def test_the_limit_holds_for_the_list_and_not_for_an_export(db: Database) -> None:
    assert list_calls(db, CallQuery(), NOW, limit=1) == (ANSWERED,)
    for number in range(30):
        insert_call(db, replace(PROBE, id=f"p{number}"))
    assert len("".join(export_calls(db, CallQuery(), NOW, "jsonl")).splitlines()) == 33


def test_what_is_mistyped_is_refused_before_anything_is_read(db: Database) -> None:
    with pytest.raises(UnknownRecord, match='no endpoint is named "b/z"') as refused:
        list_calls(db, CallQuery(("b/z",)), NOW, limit=20)
    assert refused.value.hint is not None
    assert "b/y" in refused.value.hint
    with pytest.raises(UsageError, match='"soon" is neither'):
        export_calls(db, CallQuery(since="soon"), NOW, "jsonl")


def test_a_decision_shows_its_attempts_and_outcomes(db: Database) -> None:
    story = Story(DECISION, (FAILED, ANSWERED), (GOOD,))
    assert find_story(db, "0d") == story


def test_a_call_shows_itself_and_the_outcomes_of_its_answer(db: Database) -> None:
    assert find_story(db, "0c1") == Story(DECISION, (FAILED,), ())
    assert find_story(db, "0c2") == Story(DECISION, (ANSWERED,), (GOOD,))
    assert find_story(db, "0p") == Story(None, (PROBE,), ())


def test_the_start_of_an_id_is_enough_where_it_tells_one_from_all_others(db: Database) -> None:
    insert_decision(db, replace(DECISION, id="0c1x"))
    insert_call(db, replace(PROBE, id="0dy"))
    assert find_story(db, "0c2"[:3]).calls == (ANSWERED,)
    assert find_story(db, "0c1").calls == (FAILED,)
    assert find_story(db, "0d").decision == DECISION
    assert find_story(db, "0dy").decision is None
    with pytest.raises(UnknownRecord, match='several decisions or calls start with "0"') as many:
        find_story(db, "0")
    assert many.value.hint == "rolecall telemetry show 0c1x | 0d | 0c1"
    for name in ("", "x", "%"):
        with pytest.raises(UnknownRecord, match=f'no decision or call "{name}"'):
            find_story(db, name)


def test_statistics_are_given_for_every_endpoint_that_was_called(db: Database) -> None:
    assert [one.endpoint for one in endpoint_statistics(db, ())] == ["a/x", "b/y", "gone/z"]
    assert [one.endpoint for one in endpoint_statistics(db, ("gone/*",))] == ["gone/z"]
    assert endpoint_statistics(db, ("c/new",)) == ()
    with pytest.raises(UnknownRecord):
        endpoint_statistics(db, ("x*",))


def test_an_offset_leans_on_the_wider_kind_of_task(db: Database) -> None:
    code, edit = task_statistics(db, (), NOW)
    assert (code.statistics, edit.statistics) == (CODE, EDIT)
    assert (code.offset, code.uncertainty) == success_offset([CODE], NOW)[:2]
    assert (edit.offset, edit.uncertainty) == success_offset([CODE, EDIT], NOW)[:2]
    assert code.offset > edit.offset > success_offset([EDIT], NOW)[0]
    assert task_statistics(db, ("a/*",), NOW) == ()
    assert len(task_statistics(db, ("b/*",), NOW)) == 2


def test_a_cutoff_is_one_of_two_options() -> None:
    assert cutoff("1d", None, NOW) == NOW - timedelta(days=1)
    assert cutoff(None, "2026-11-20T00:00Z", NOW) == datetime(2026, 11, 20, tzinfo=UTC)
    for keep, before in ((None, None), ("1d", "2026-11-20")):
        with pytest.raises(UsageError, match="either --keep or --before"):
            cutoff(keep, before, NOW)
    with pytest.raises(UsageError, match="not a length of time"):
        cutoff("2026-11-20", None, NOW)


def test_pruning_forgets_what_was_asked_and_not_what_was_learned(db: Database) -> None:
    hello = Turn("user", (Text("hello"),))
    append_turns(db, "talk", ago(days=2), "0d", [hello, hello])
    append_turns(db, "talk", ago(minutes=1), "0d", [hello])
    add_spending(db, "all", "2026-11-19", 2.0)
    learned = (read_statistics(db), task_statistics(db, (), NOW))
    tried = prune_evidence(db, NOW - timedelta(days=1), dry_run=True)
    assert tried == Pruned(ago(days=1), calls=1, decisions=0, turns=2)
    assert len(list_calls(db, CallQuery(), NOW, limit=20)) == 3
    assert prune_evidence(db, NOW - timedelta(days=1)) == tried
    assert list_calls(db, CallQuery(), NOW, limit=20) == (ANSWERED, FAILED)
    assert read_turns(db, "talk") == (hello,)
    everything = prune_evidence(db, NOW)
    assert (everything.calls, everything.decisions, everything.turns) == (2, 1, 1)
    assert (read_statistics(db), task_statistics(db, (), NOW)) == learned
    assert outcomes_for(db, "b/y", "code") == (replace(GOOD, decision_id=None),)
    assert spent(db, "all", "2026-11-01") == 2.0
