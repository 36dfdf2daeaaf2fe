"""What was deleted is given back to the disk."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Model
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.disk import free_disk
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import names, write_record
from rolecall.registry.telemetry.query import prune_evidence

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def fill(db: Database, kilobytes: int) -> None:
    with db.transaction():
        for _ in range(kilobytes):
            db.run(
                "INSERT INTO turns (conversation_id, created_at, turn)"
                " VALUES ('talk', '2026-11-22', hex(randomblob(500)))"
            )


def taken(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.iterdir())


def test_pruning_makes_the_file_smaller_each_time(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with open_database(path) as db, open_database(path) as other:
        write_record(db, Model("kept"))
        for _ in range(2):
            fill(db, 2_000)
            assert prune_evidence(db, LATER, dry_run=True).turns == 2_000
            assert taken(path) > 2_000_000
            assert prune_evidence(db, LATER).turns == 2_000
            assert taken(path) < 600_000
        assert names(other, "models") == ("kept",)


def test_what_others_still_read_is_freed_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with open_database(path) as db, open_database(path) as other:
        fill(db, 2_000)
        with other.snapshot():
            assert names(other, "models") == ()
            db.run("DELETE FROM turns")
            db.run("PRAGMA busy_timeout = 1")
            free_disk(db)
            assert other.rows("SELECT count(*) FROM turns") == [(2_000,)]
        free_disk(db)
    assert taken(path) < 600_000


def test_a_migrated_registry_is_as_small_as_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    with open_database(path) as db:
        fill(db, 2_000)
        db.run("DELETE FROM turns")
        db.run("PRAGMA user_version = 10")
    monkeypatch.setattr("rolecall.registry.storage.migrate._apply_steps", mark_as_current)
    with open_database(path):
        backup = next(tmp_path.glob("*.backup-*"))
        shutil.move(backup, tmp_path.parent / backup.name)
        assert taken(path) < 600_000


def mark_as_current(db: Database) -> None:
    db.run("PRAGMA user_version = 11")
