"""Every change of records can be taken back, and a backup put in the registry's place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Assignment, Model
from rolecall.registry.core.errors import RecordInUse, RegistryUnusable, UsageError
from rolecall.registry.core.suggestions import _STARTERS
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.add import add_endpoint, add_starter_endpoint
from rolecall.registry.editing.check import MOST_KEPT, backup_registry, restore_registry
from rolecall.registry.editing.edit import (
    apply_document,
    assign_endpoint,
    export_document,
    record_yaml,
    remove_record,
    replace_from_yaml,
    unassign_endpoint,
)
from rolecall.registry.editing.open import open_registry
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.editing.undo import undo_edit
from rolecall.registry.storage.calls import CallFilter, insert_call, recent_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.edits import MOST_EDITS
from rolecall.registry.storage.registry import names, write_record
from tests.storage.rights import held_to_modes

CODER, MINI = "coder", "openai/gpt-5.4-mini"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_registry(tmp_path / "r.db") as opened:
        yield opened


def edit(db: Database, collection: str, record: str, old: str, new: str) -> None:
    text = record_yaml(db, collection, record)  # type: ignore[arg-type]
    changed = text.replace(old, new)
    replace_from_yaml(db, collection, record, changed, original=text)  # type: ignore[arg-type]


CHANGES: list[Callable[[Database], object]] = [
    lambda db: remove_record(db, "roles", CODER),
    lambda db: remove_record(db, "strategies", "fast"),
    lambda db: remove_record(db, "endpoints", MINI),
    lambda db: add_endpoint(db, "vllm/x", {"base_url": "http://gpu/v1"}, {}),
    lambda db: assign_endpoint(db, CODER, Assignment(MINI, tasks=("code.edit",))),
    lambda db: edit(db, "roles", CODER, "worth: 4", "worth: 7"),
    lambda db: edit(db, "endpoints", MINI, f"id: {MINI}", "id: mini"),
    lambda db: edit(db, "tasks", "code", "id: code\n", "id: programming\n"),
    lambda db: apply_document(db, "strategies: [{id: balanced, quality_usd: 1}]", "f", prune=True),
    lambda db: apply_document(db, "roles: []\ntasks: []", "none.yaml", prune=True),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_taken_back_whole(change: Callable[[Database], object], db: Database) -> None:
    before = export_document(db)
    change(db)
    changed = export_document(db)
    assert changed != before
    shown = undo_edit(db, dry_run=True)
    assert export_document(db) == changed
    assert undo_edit(db).changes == shown.changes != ()
    assert export_document(db) == before
    with pytest.raises(UsageError, match="no change is left to undo"):
        undo_edit(db)


def test_changes_are_taken_back_one_after_the_other(db: Database) -> None:
    states = [export_document(db)]
    for change in CHANGES[:6]:
        try:
            change(db)
        except UsageError:  # what an earlier one removed
            continue
        states.append(export_document(db))
    assert len(states) > 4
    while len(states) > 1:
        assert export_document(db) == states.pop()
        undo_edit(db)
    assert export_document(db) == states[0]


def test_what_failed_or_changed_nothing_is_no_change(db: Database) -> None:
    with pytest.raises(RecordInUse):
        remove_record(db, "models", "gpt-5.5")
    apply_document(db, export_document(db), "same.yaml")
    apply_document(db, "roles: []", "r.yaml", prune=True, dry_run=True)
    with pytest.raises(UsageError):
        undo_edit(db)


def test_calls_since_then_stay_and_follow_an_undone_name(db: Database) -> None:
    edit(db, "endpoints", MINI, f"id: {MINI}", "id: mini")
    insert_call(db, Call("c", "2026-11-30T10:00:00.000+00:00", "mini"))
    undo_edit(db)
    [call] = recent_calls(db, CallFilter())
    assert (call.id, call.endpoint) == ("c", MINI)


def test_what_others_rely_on_by_now_is_not_taken_away(db: Database) -> None:
    add_endpoint(db, "vllm/x", {"base_url": "http://gpu/v1"}, {})
    apply_document(db, "roles: [{id: r, assignments: [{endpoint: vllm/x}]}]", "r.yaml")
    db.run("DELETE FROM edits WHERE what LIKE 'applied%'")
    before = export_document(db)
    with pytest.raises(RecordInUse, match="vllm/x cannot go again: role r uses it") as caught:
        undo_edit(db)
    assert caught.value.hint == "rolecall roles unassign r vllm/x"
    assert export_document(db) == before
    unassign_endpoint(db, "r", "vllm/x")
    undo_edit(db)
    assert export_document(db) == before


def test_only_the_latest_changes_are_kept(db: Database) -> None:
    for number in range(MOST_EDITS + 5):
        apply_document(db, f"models: [{{id: m{number}}}]", "m.yaml")
    assert db.rows("SELECT count(*) FROM edits") == [(MOST_EDITS,)]
    assert undo_edit(db).changes[0].id == f"m{MOST_EDITS + 4}"


def test_a_backup_comes_back_and_the_present_is_kept(db: Database, tmp_path: Path) -> None:
    copy = backup_registry(db, tmp_path / "copy.db")
    before = export_document(db)
    for number in range(MOST_KEPT + 2):
        write_record(db, Model(f"new{number}"))
        changed = export_document(db)
        kept = restore_registry(db.path, copy)
        assert export_document(db) == before
        assert kept is not None
        with open_registry(kept) as other:
            assert export_document(other) == changed
    assert len(list(tmp_path.glob("r.db.backup-before-restore-*Z"))) == MOST_KEPT
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_backup_comes_back_where_the_registry_is_gone_or_damaged(tmp_path: Path) -> None:
    path = tmp_path / "new" / "r.db"
    with open_registry(tmp_path / "first.db") as db:
        copy, text = backup_registry(db, tmp_path / "copy.db"), export_document(db)
    assert restore_registry(path, copy) is None
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    kept = restore_registry(path, copy)
    assert kept is not None
    assert kept.read_bytes().startswith(b"SQLite format 3\0xx")
    with open_registry(path) as db:
        assert export_document(db) == text


def test_a_file_that_is_no_sound_backup_changes_nothing(db: Database, tmp_path: Path) -> None:
    before = export_document(db)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    damaged = backup_registry(db, tmp_path / "damaged.db")
    data = bytearray(damaged.read_bytes())
    data[8192:40_000] = bytes(40_000 - 8192)
    damaged.write_bytes(data)
    for file in (other, damaged, tmp_path / "missing.db"):
        with pytest.raises(RegistryUnusable, match=file.name):
            restore_registry(db.path, file)
    assert export_document(db) == before
    assert not list(tmp_path.glob("*before-restore*"))


def test_nothing_is_restored_into_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "closed" / "r.db"
    with open_registry(path) as db:
        copy = backup_registry(db, tmp_path / "copy.db")
    path.parent.chmod(0o500)
    with held_to_modes(), pytest.raises(RegistryUnusable, match="permission denied"):
        restore_registry(path, copy)
    assert [one.name for one in path.parent.iterdir()] == ["r.db"]


def test_every_starter_is_known_by_name_and_comes_back(db: Database) -> None:
    seed = seed_registry()
    known = {noun: set(names) for noun, names in _STARTERS.items()}
    assert known["role"] == {one.id for one in seed.roles}
    assert known["task"] == {one.id for one in seed.tasks}
    assert known["strategy"] == {one.id for one in seed.strategies}
    before = export_document(db)
    remove_record(db, "endpoints", "ollama/gemma-3-4b")
    remove_record(db, "models", "gemma-3-4b")
    added = add_starter_endpoint(db, "ollama/gemma-3-4b", {})
    assert added.model is not None
    assert export_document(db) == before
    assert "gemma-3-4b" in names(db, "models")
