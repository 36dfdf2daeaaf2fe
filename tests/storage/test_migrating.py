"""An older registry is brought up to date, and kept beside itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlite_utils

from rolecall.registry.errors import RegistryUnusable
from rolecall.registry.records import Endpoint, Model, Role
from rolecall.registry.storage import schema
from rolecall.registry.storage.database import APPLICATION_ID, SCHEMA_VERSION, open_database
from rolecall.registry.storage.pool import read_pool, write_record

STEPS = [step.name for step in schema.steps._migrations]


def old_file(path: Path, version: int) -> None:
    """Write a registry as the rolecall of schema `version` left it, with two records."""
    connection = sqlite3.connect(path, isolation_level=None)
    old = sqlite_utils.Database(connection)
    schema.steps.apply(old, stop_before=STEPS[version])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT INTO models (id, capabilities, modalities) VALUES ('m', '[]', '[]')")
    connection.execute(
        "INSERT INTO roles (id, description, tasks, require, prefer, forbid, examples)"
        " VALUES ('r', 'old', '[\"code\"]', '[]', '[]', '[]', '[]')"
    )
    connection.close()


def schema_of(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_older_registry_becomes_a_current_one_and_keeps_its_rows(
    tmp_path: Path, version: int
) -> None:
    path, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    old_file(path, version)
    open_database(fresh).close()
    with open_database(path) as db:
        pool = read_pool(db)
    assert schema_of(path) == schema_of(fresh)
    assert pool.models == (Model("m", modalities=()),)
    assert pool.roles == (Role("r", description="old", tasks=("code",)),)


def test_the_older_file_is_kept_beside_the_migrated_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = schema_of(path)
    open_database(path).close()
    [backup] = tmp_path.glob("registry.db.backup-v1-*")
    assert schema_of(backup) == before
    assert backup.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(backup)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT id FROM models").fetchall() == [("m",)]
    connection.close()


def test_a_current_registry_is_not_backed_up_again(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    open_database(path).close()
    open_database(path).close()
    assert len(list(tmp_path.glob("*.backup-*"))) == 1


def test_who_may_not_create_a_registry_may_not_migrate_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = path.read_bytes()
    with pytest.raises(RegistryUnusable, match="was written by an older rolecall"):
        open_database(path, create=False)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup-*"))


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = path.read_bytes()
    monkeypatch.setattr(schema, "_EVIDENCE", ("CREATE TABLE decisions (id)",))
    with pytest.raises(RegistryUnusable, match="cannot be used: table decisions already exists"):
        open_database(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup-*"))


def test_the_first_content_of_a_new_registry_is_not_written_to_an_older_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 2)
    with open_database(path, fill=lambda db: write_record(db, Model("seeded"))) as db:
        assert [model.id for model in read_pool(db).models] == ["m"]


def test_references_are_enforced_after_a_migration(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    with open_database(path) as db, pytest.raises(sqlite3.IntegrityError):
        write_record(db, Endpoint("e", "nowhere"))
