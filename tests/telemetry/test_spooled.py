"""What a registry refuses is kept in a file beside it, bounded, and folded in exactly once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.chat import Text, Turn
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.telemetry import Call, Outcome, Pending, Said
from rolecall.registry.storage import spool as files
from rolecall.registry.storage.calls import CallFilter, read_call, recent_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.storage.spending import spent
from rolecall.registry.storage.turns import read_turns
from rolecall.registry.telemetry import spooled
from rolecall.registry.telemetry.record import begin_call
from rolecall.registry.telemetry.recorder import Recorder
from rolecall.registry.telemetry.spooled import fold_spool, spool
from tests.storage.test_decisions import DECISION
from tests.telemetry.calls import START, at

DAY = START.date().isoformat()
ODD = "half \ud83d of it,\nand a line"
CALL = Call(
    "c1",
    at(0),
    "p/m",
    decision_id=DECISION.id,
    app="desk",
    finish_reasons=("stop",),
    cost_usd=0.25,
    finished_at=at(2),
    time_to_first_chunk_s=0.5,
)
SAID = Said("talk", at(2), (Turn("user", (Text(ODD),)), Turn("assistant", (Text("hi"),))))
OUTCOME = Outcome(at(3), "p/m", 1.0, "check", DECISION.id, "code")
PENDING = Pending("line1", replace(DECISION, prompt=ODD), (CALL,), SAID, (OUTCOME,))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def db(place: Path) -> Iterator[Database]:
    with open_database(place) as opened:
        yield opened


def test_what_is_folded_in_is_what_was_spooled(db: Database, place: Path) -> None:
    spool(place, PENDING)
    assert fold_spool(db) is None
    assert read_decision(db, DECISION.id).candidates == DECISION.candidates
    assert read_call(db, "c1") == CALL
    assert read_turns(db, "talk")[1] == SAID.turns[1]
    assert outcomes_of_decision(db, DECISION.id) == (OUTCOME,)
    assert spent(db, "app:desk", DAY) == pytest.approx(0.25)
    assert not files.has_lines(place)


def test_a_call_whose_beginning_is_stored_gives_back_what_it_held(
    db: Database, place: Path
) -> None:
    begin_call(db, replace(CALL, decision_id=None, finished_at=None, reserved_usd=0.75), ())
    assert spent(db, "all", DAY) == pytest.approx(0.75)
    spool(place, PENDING)
    fold_spool(db)
    assert spent(db, "all", DAY) == pytest.approx(0.25)


def test_lines_of_a_process_that_ended_before_it_removed_them_are_not_folded_in_again(
    db: Database, place: Path, tmp_path: Path
) -> None:
    path = spool(place, PENDING)
    shutil.copy(path, tmp_path / "kept")
    fold_spool(db)
    shutil.copy(tmp_path / "kept", path)
    spool(place, replace(PENDING, id="line2", calls=(replace(CALL, id="c2"),), said=None))
    fold_spool(db)
    assert spent(db, "all", DAY) == pytest.approx(0.5)
    assert len(outcomes_of_decision(db, DECISION.id)) == 2
    assert len(read_turns(db, "talk")) == 2


def test_a_fold_that_fails_half_way_changes_nothing_and_keeps_the_file(
    db: Database, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool(place, PENDING)

    def full(*_: object) -> None:
        raise RegistryUnusable("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(spooled, "write_folded", full)
        assert fold_spool(db) is None
    assert recent_calls(db, CallFilter()) == ()
    assert files.has_lines(place)
    fold_spool(db)
    assert spent(db, "all", DAY) == pytest.approx(0.25)


def test_two_processes_that_fold_at_once_count_each_call_once(place: Path) -> None:
    with open_database(place):
        pass
    spawning = get_context("spawn")
    with spawning.Pool(2) as pool:
        pool.starmap(_spool_and_fold, [(place, number) for number in range(4)])
    with open_database(place) as db:
        fold_spool(db)
        assert len(recent_calls(db, CallFilter(limit=None))) == 20
        assert spent(db, "all", DAY) == pytest.approx(20 * 0.25)


def _spool_and_fold(place: Path, number: int) -> None:
    for count in range(5):
        call = replace(CALL, id=f"c{number}{count}")
        spool(place, replace(PENDING, id=f"line{number}{count}", calls=(call,)))
        with open_database(place) as db:
            fold_spool(db)


def _with(*, decision: dict[str, Any] | None = None, call: dict[str, Any] | None = None) -> bytes:
    """Return a line of which some values are others."""
    plain = json.loads(spooled._to_line(replace(PENDING, id="odd", said=None)))
    plain["decision"] |= decision or {}
    plain["calls"][0] |= {"id": "c9", **(call or {})}
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    "damaged",
    [
        b"{",
        b"[" * 100_000,
        b"null",
        b'{"id": 3, "decision": null, "calls": [], "said": null, "outcomes": []}',
        b'{"id": "x", "decision": null, "calls": [{"id": "c9"}], "said": null, "outcomes": []}',
        b'{"id": "x", "decision": null, "calls": [{"id": "c9", "created_at": "noon", '
        b'"endpoint": "p/m", "finished_at": "noon"}], "said": null, "outcomes": []}',
        b'{"id": "x", "decision": null, "calls": [{"id": "c9", "created_at": [1], '
        b'"endpoint": "p/m"}], "said": null, "outcomes": []}',
        b'{"id": "x", "decision": null, "calls": [], "said": null, "outcomes": [{"created_at": '
        b'"2026-01-01", "endpoint": "p/m", "score": 7, "source": "check"}]}',
        b"\xff\xfe",
        _with(decision={"elapsed_ms": {}}),
        _with(decision={"prompt": [[]]}),
        _with(decision={"names": ["a/x", "\ud83d", "c/z", "d/w", "x"]}),
        _with(call={"input_tokens": "many"}),
        _with(call={"finished_at": "noon"}),
        _with(call={"sample_source": 0.5}),
    ],
)
def test_a_damaged_line_is_kept_aside_and_said_and_the_rest_is_folded_in(
    db: Database, place: Path, damaged: bytes
) -> None:
    path = spool(place, PENDING)
    path.write_bytes(damaged + b"\n" + path.read_bytes())
    aside = place.with_name("registry.db.spool-damaged")
    assert fold_spool(db) == f"1 spooled call cannot be read: see {aside}"
    assert aside.read_bytes() == damaged + b"\n"
    assert [call.id for call in recent_calls(db, CallFilter())] == ["c1"]
    assert not path.exists()


def test_a_line_that_was_cut_does_not_spoil_the_next(db: Database, place: Path) -> None:
    path = files.spool_path(place)
    path.write_bytes(b'{"id": "cut')
    spool(place, PENDING)
    fold_spool(db)
    assert [call.id for call in recent_calls(db, CallFilter())] == ["c1"]


def test_a_spool_file_is_bounded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spool(place, PENDING)
    before = path.read_bytes()
    monkeypatch.setattr(files, "MAX_SPOOL_BYTES", len(before) + 10)
    with pytest.raises(RegistryUnusable, match="would be over"):
        spool(place, PENDING)
    assert path.read_bytes() == before


def test_a_text_too_long_for_a_line_is_left_out_and_the_money_kept(
    db: Database, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooled, "MAX_LINE_BYTES", 6_000)
    long = Said("talk", at(2), (Turn("user", (Text("x" * 10_000),)),))
    spool(place, replace(PENDING, said=long))
    fold_spool(db)
    assert read_call(db, "c1").cost_usd == 0.25
    assert read_turns(db, "talk") == ()
    assert read_decision(db, DECISION.id).prompt is None


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_refused(place: Path, kind: str) -> None:
    path = files.spool_path(place)
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(RegistryUnusable, match="cannot keep anything in"):
        spool(place, PENDING)


def test_a_full_registry_refuses_and_the_call_is_spooled(db: Database, place: Path) -> None:
    recorder = Recorder(db)
    recorder.begin(replace(CALL, decision_id=None, finished_at=None), ())
    [(pages,)] = db.rows("PRAGMA page_count")
    db.rows(f"PRAGMA max_page_count = {pages}")
    recorder.end(replace(CALL, decision_id=None, detail="x" * 200_000))
    said = recorder.flush()
    assert said is not None
    assert said.startswith(f"no space left to write the registry {place}: the call is kept in ")
    db.rows(f"PRAGMA max_page_count = {pages + 1000}")
    fold_spool(db)
    assert read_call(db, "c1").cost_usd == 0.25
    assert read_call(db, "c1").detail == "x" * 200_000
