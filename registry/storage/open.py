"""Open the registry file: created where it is missing, brought up to date where it is older."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from pathlib import Path

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    CatchUp,
    Database,
    Fill,
    is_blank,
    schema_version,
    translating,
)
from rolecall.registry.storage.errors import (
    is_about_writing,
    missing,
    outdated,
    stranger,
    system_refusal,
    unfinished,
    unmigratable,
)

BUSY_TIMEOUT_S = 10.0


def open_database(
    path: Path,
    *,
    create: bool = True,
    fill: Fill | None = None,
    after_migration: CatchUp | None = None,
) -> Database:
    """Open the registry at `path`, migrating an older file after a backup beside it.

    A file that is not there (or is empty) is created; `fill` then writes the first content in
    the creating transaction, so that nobody sees it half done. So does `after_migration` with
    what an older file had no place for; it is told that file's schema. With `create` false a file
    is neither created nor migrated. One that cannot be written, nor the files that SQLite puts
    beside it, is opened for reading. Raises RegistryUnusable, leaving the file as it was.
    """
    refuse_strangers(path, create=create)
    if create:
        _make_room(path)
    try:
        return _opened(path, create, fill, after_migration)
    except RegistryUnusable as error:
        if not is_about_writing(error):
            raise
        return _opened_to_read(path, error)


def _opened(
    path: Path, create: bool, fill: Fill | None, after_migration: CatchUp | None
) -> Database:
    with translating(path):
        connection = sqlite3.connect(path.absolute(), timeout=BUSY_TIMEOUT_S, isolation_level=None)
    database = Database(path, connection)
    try:
        if schema_version(database) != SCHEMA_VERSION:
            if not create:
                raise missing(path) if is_blank(database) else outdated(path)
            # Imported here: sqlite_utils takes longer than all the rest of opening a file.
            from rolecall.registry.storage.migrate import migrate

            migrate(database, fill, after_migration)
        _set_pragmas(database)
    except BaseException:
        connection.close()
        raise
    return database


def _opened_to_read(path: Path, refused: RegistryUnusable) -> Database:
    """Open a file without the files beside it, through which SQLite shares it with writers.

    Raises `refused` where it is empty, and RegistryUnusable where it is not all there is.
    """
    if not path.exists() or not path.stat().st_size:
        raise refused
    real = os.path.realpath(path)
    for beside in (Path(f"{real}-wal"), Path(f"{real}-journal")):
        if beside.exists() and beside.stat().st_size:
            raise unfinished(path, beside) from refused
    with translating(path):
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True, isolation_level=None)
    database = Database(path, connection)
    try:
        if schema_version(database) != SCHEMA_VERSION:
            raise unmigratable(path, "it cannot be written")
        database.run("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return database


def _set_pragmas(database: Database) -> None:
    [(journal,)] = database.rows("PRAGMA journal_mode")
    if journal != "wal":
        # Two processes creating the file may both try; the loser meets the winner's WAL later.
        with contextlib.suppress(sqlite3.OperationalError):
            database.connection.execute("PRAGMA journal_mode = WAL")
    database.run("PRAGMA foreign_keys = ON")
    database.run("PRAGMA synchronous = NORMAL")


def refuse_strangers(path: Path, *, create: bool) -> None:
    """Raise RegistryUnusable for a file that is no registry, after a look at its header alone.

    Opening it for good may write to a foreign database.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            hint = f"--registry {path / 'registry.db'}"
            raise RegistryUnusable(f"{path} is a folder, not a registry file", hint=hint)
        if not stat.S_ISREG(status.st_mode):
            raise stranger(path)
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        if create:
            return
        raise missing(path) from None
    except OSError as error:
        raise system_refusal(path, error) from error
    if status.st_size and _application_id(path) not in (APPLICATION_ID, None):
        raise stranger(path)


def _application_id(path: Path) -> int | None:
    """Read whose database a file is through SQLite, which so neither writes nor locks it.

    Opened and closed without SQLite, the file would lose the locks by which other connections of
    this process keep their write-ahead log from being deleted. Null where it cannot be told,
    since another process is just now growing the file.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with translating(path):
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            try:
                [(application_id,)] = connection.execute("PRAGMA application_id")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname == "SQLITE_CORRUPT":
                    return None
                raise
        return int(application_id)


def _make_room(path: Path) -> None:
    """Create the folder (0700) and an empty file (0600): SQLite's own would be readable."""
    try:
        if path.exists():
            return
        _make_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise system_refusal(path, error) from error


def _make_folder(folder: Path) -> None:
    """Create the folder and its missing parents, all private."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
