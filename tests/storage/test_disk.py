"""What was deleted is given back to the disk."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

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


def test_a_migrated_registry_is_as_small_as_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "older" / "registry.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript(Path(__file__).with_name("registry_9.sql").read_text("utf-8"))
    with connection:
        connection.execute("CREATE TABLE large AS SELECT zeroblob(2000000)")
        connection.execute("DROP TABLE large")
    connection.close()
    open_database(path).close()
    [backup] = path.parent.glob("*.backup-*")
    assert backup.stat().st_size > 2_000_000
    assert path.stat().st_size < 600_000
