"""Judged rows are kept, and what is derived from them is void once they change."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import (
    has_judged_rows,
    read_fits,
    read_judged_rows,
    read_readings,
    replace_judged_rows,
    set_uses_fits,
    uses_fits,
    write_fits,
    write_judged_row,
    write_readings,
)
from rolecall.registry.storage.registry import delete_record, read_revision

ROW = JudgedRow(
    prompt="why «this»?\n",
    task="code",
    group="g",
    answers=(JudgedAnswer("one", 0.5, 2, 120.5), JudgedAnswer("two", 1.0)),
    added_at="2026-11-30",
    source="a.jsonl",
)


def test_a_row_comes_back_as_it_was_kept(db: Database) -> None:
    assert not has_judged_rows(db)
    write_judged_row(db, ROW)
    assert read_judged_rows(db) == (ROW,)
    assert has_judged_rows(db)
    changed = replace(ROW, answers=(JudgedAnswer("two", 0.0),))
    write_judged_row(db, changed)
    assert read_judged_rows(db) == (changed,)


def test_rows_that_wait_stand_beside_those_in_use(db: Database) -> None:
    write_judged_row(db, ROW)
    waiting = replace(ROW, task="other")
    replace_judged_rows(db, [waiting], active=False)
    assert read_judged_rows(db) == (ROW,)
    assert read_judged_rows(db, active=False) == (waiting,)
    replace_judged_rows(db, [], active=False)
    assert read_judged_rows(db, active=False) == ()
    assert read_judged_rows(db) == (ROW,)


def test_fits_are_void_when_rows_change(db: Database) -> None:
    write_fits(db, "v1", b"fits")
    assert (read_fits(db, "v1"), read_fits(db, "v2")) == (b"fits", None)
    write_judged_row(db, ROW)
    assert read_fits(db, "v1") is None
    write_fits(db, "v1", b"fits")
    assert delete_record(db, "judged_rows", ROW.id)
    assert read_fits(db, "v1") is None
    assert not has_judged_rows(db)


def test_readings_of_another_version_or_of_rows_that_are_gone_are_dropped(db: Database) -> None:
    write_judged_row(db, ROW)
    write_readings(db, "v1", {ROW.id: b"old"})
    write_readings(db, "v2", {ROW.id: b"new", "gone": b"x"})
    assert read_readings(db, "v1") == {}
    assert read_readings(db, "v2") == {ROW.id: b"new"}


def test_fits_are_on_until_they_are_switched_off(db: Database) -> None:
    assert uses_fits(db)
    before = read_revision(db)
    set_uses_fits(db, False)
    assert not uses_fits(db)
    assert read_revision(db) == before + 1
