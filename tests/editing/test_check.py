"""The registry file can be checked and copied while it is in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.registry.core.entities import (
    Assignment,
    Endpoint,
    Model,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.errors import RegistryUnusable, UsageError
from rolecall.registry.editing.check import backup_registry, check_registry
from rolecall.registry.storage import backup
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_registry, write_record


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        write_record(opened, Model("m"))
        yield opened


def test_every_kind_of_record_is_sound(db: Database) -> None:
    write_record(db, Endpoint("e", "m"))
    write_record(db, Role("r", assignments=(Assignment("e", tasks=("code",)),)))
    write_record(db, TaskKind("t", roles=("r",)))
    write_record(db, Strategy("s"))
    write_record(db, Scope(app="a", strategy="s"))
    assert check_registry(db) == ()


def test_a_name_that_points_at_nothing_is_a_problem(db: Database) -> None:
    db.run("PRAGMA foreign_keys = OFF")
    write_record(db, Role("r", strategy="gone"))
    assert check_registry(db) == ("table roles, row 1: names something missing from strategies",)


def test_an_endpoint_that_is_stated_local_at_another_address_is_a_problem(db: Database) -> None:
    write_record(db, Endpoint("e", "m", base_url="https://me:word@a.example/v1", locality="local"))
    write_record(db, Endpoint("f", "m", base_url="http://gpu-box:8000", locality="local"))
    problem, userinfo = check_registry(db)
    assert problem.startswith("endpoint e: locality: local, but https://[key]@a.example/v1 is")
    assert "write locality: remote" in problem
    assert userinfo.startswith("endpoint e: base_url: a URL may hold no user and no password")


def test_a_damaged_index_is_a_problem(db: Database) -> None:
    db.run("PRAGMA writable_schema = ON")
    db.run("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'endpoints_by_model'")
    other = open_database(db.path)
    assert check_registry(other) != ()
    other.close()


def test_a_decision_that_cannot_be_read_is_a_problem(db: Database) -> None:
    db.run(
        "INSERT INTO decisions (id, created_at, prompt_sha256, task_kind, strategy,"
        " registry_revision, scorer_version, elapsed_ms, document)"
        " VALUES ('0bad', '', '', '', '', 1, '', 1, '{}')"
    )
    assert check_registry(db) == ("decision 0bad cannot be read back",)


def test_a_conversation_that_cannot_be_read_is_a_problem(db: Database) -> None:
    db.run("INSERT INTO turns (conversation_id, created_at, turn) VALUES ('talk', '', '{}')")
    assert check_registry(db) == ("conversation talk cannot be read back",)


def test_a_backup_holds_everything_and_is_private(db: Database, tmp_path: Path) -> None:
    with db.snapshot():
        copy = backup_registry(db, tmp_path / "copy.db")
    assert copy == tmp_path / "copy.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with open_database(copy) as other:
        assert read_registry(other) == read_registry(db)


def test_a_backup_is_one_file_and_leaves_no_draft(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert backup_registry(db, folder) == folder / "registry.db"
    assert [one.name for one in folder.iterdir()] == ["registry.db"]
    # Bytes 18 and 19 are 2 in a file that needs a -wal file beside it to be opened.
    assert (folder / "registry.db").read_bytes()[18:20] == b"\x01\x01"
    connection = sqlite3.connect(f"file:{folder / 'registry.db'}?immutable=1", uri=True)
    assert connection.execute("SELECT id FROM models").fetchall() == [("m",)]
    connection.close()


def test_without_a_target_the_backup_goes_beside_the_registry(db: Database) -> None:
    copy = backup_registry(db, None)
    assert copy.parent == db.path.parent
    assert copy.name.startswith("registry.db.backup-20")


def test_a_backup_overwrites_nothing(db: Database, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="precious exists already"):
        backup_registry(db, tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_backup_does_not_overwrite_what_appears_meanwhile(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"
    monkeypatch.setattr(backup, "_copy", lambda *_: target.write_text("mine"))
    with pytest.raises(UsageError, match=r"copy\.db exists already"):
        backup_registry(db, target)
    assert target.read_text() == "mine"
    assert not list(tmp_path.glob(".copy.db*"))


def test_a_backup_is_made_where_there_are_no_hard_links(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_draft: Path, _target: Path) -> None:
        raise OSError

    monkeypatch.setattr("os.link", refusing)
    with open_database(backup_registry(db, tmp_path / "copy.db")) as other:
        assert read_registry(other) == read_registry(db)
    assert not list(tmp_path.glob(".copy.db*"))


def test_a_backup_that_cannot_be_written_is_named(db: Database, tmp_path: Path) -> None:
    with pytest.raises(RegistryUnusable, match=r"cannot write the backup .*: no such") as refused:
        backup_registry(db, tmp_path / "missing" / "copy.db")
    assert refused.value.hint == "name a place that can be written"
