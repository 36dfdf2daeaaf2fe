"""Open the registry file, keep it current, and turn its failures into clear lines."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rolecall.registry.core.errors import RegistryUnusable

APPLICATION_ID = 0x726F6C63  # "rolc", in the file's header
SCHEMA_VERSION = 9  # the number of steps in schema.py
BUSY_TIMEOUT_S = 10.0
_LEAST_FREE_BYTES = 128 * 1024

Row = tuple[Any, ...]
Parameters = Iterable[Any] | Mapping[str, Any]


class Database:
    """One open registry file. Use it as a context manager, or close it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self._changed = False

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Hold the write lock; commit at the end, roll back on any error.

        Inside another transaction it joins that one. If content was marked by `touch`, the
        registry's revision grows by one, once per transaction.
        """
        if self.connection.in_transaction:
            yield
            return
        with self._ending("BEGIN IMMEDIATE"):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Generator[None]:
        """Let every read inside see the registry at one moment."""
        if self.connection.in_transaction:
            yield
            return
        with self._ending("BEGIN DEFERRED"):
            yield

    @contextlib.contextmanager
    def rehearsal(self) -> Generator[None]:
        """Hold the write lock and undo everything at the end. Not inside a transaction."""
        with translating(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                self._changed = False
                self.connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _ending(self, begin: str) -> Generator[None]:
        with translating(self.path):
            self.connection.execute(begin)
            try:
                yield
                if self._changed:
                    self.connection.execute(
                        "UPDATE meta SET value = value + 1 WHERE key = 'revision'"
                    )
                self.connection.execute("COMMIT")
            finally:
                self._changed = False
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def touch(self) -> None:
        """Mark the registry's content as changed in the open transaction."""
        self._changed = True

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows of a query."""
        with translating(self.path):
            return self.connection.execute(sql, _bound(parameters)).fetchall()

    def stream(self, sql: str, parameters: Parameters = ()) -> Iterator[Row]:
        """Yield the rows of a query one by one, for tables too long to hold."""
        with translating(self.path):
            # `yield from` would close the cursor at the end, which a closed database refuses.
            for row in self.connection.execute(sql, _bound(parameters)):  # noqa: UP028
                yield row

    def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Execute one statement; return how many rows it changed."""
        with translating(self.path):
            return self.connection.execute(sql, _bound(parameters)).rowcount

    def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Execute one statement for each row."""
        with translating(self.path):
            self.connection.executemany(sql, map(_bound, rows))

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _bound(parameters: Parameters) -> Row | dict[str, Any]:
    """Return the values of `?` (a sequence) or of `:name` (a mapping) as SQLite takes them."""
    if isinstance(parameters, Mapping):
        return {name: _storable(value) for name, value in parameters.items()}
    return tuple(map(_storable, parameters))


def _storable(value: Any) -> Any:
    """Return a text without lone surrogates, which JSON or a file name may hold but SQLite not."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


Fill = Callable[[Database], None]


def open_database(path: Path, *, create: bool = True, fill: Fill | None = None) -> Database:
    """Open the registry at `path`, migrating an older file after a backup beside it.

    A file that is not there (or is empty) is created; `fill` then writes the first content in
    the creating transaction, so that nobody sees it half done. With `create` false a file is
    neither created nor migrated. Raises RegistryUnusable, leaving the file as it was.
    """
    _refuse_strangers(path, create=create)
    if create:
        _make_room(path)
    with translating(path):
        connection = sqlite3.connect(path.absolute(), timeout=BUSY_TIMEOUT_S, isolation_level=None)
    database = Database(path, connection)
    try:
        if schema_version(database) != SCHEMA_VERSION:
            if not create:
                raise _missing(path) if is_blank(database) else _outdated(path)
            from rolecall.registry.storage.migrating import migrate

            migrate(database, fill)
        _set_pragmas(database)
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


@contextlib.contextmanager
def translating(path: Path) -> Generator[None]:
    """Raise SQLite's and the system's refusals of the file at `path` as RegistryUnusable."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: sqlite3.DatabaseError) -> RegistryUnusable:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(path)):
        return RegistryUnusable(
            f"no space left to write the registry {path}",
            hint="free some disk space and try again; nothing was changed",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return RegistryUnusable(
            f"the registry {path} is locked by another program",
            hint="wait until it is done and try again",
        )
    if name.startswith("SQLITE_READONLY"):
        return _not_writable(path)
    if name.startswith("SQLITE_NOTADB"):
        return _stranger(path)
    if name.startswith("SQLITE_CORRUPT"):
        return RegistryUnusable(
            f"the registry {path} is damaged",
            hint="move it away and put a backup in its place; without one, the next command "
            "starts a new registry",
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return RegistryUnusable(
            f"cannot open the registry {path}",
            hint="make the file and its folder writable, or choose another with --registry PATH",
        )
    return RegistryUnusable(
        f"the registry {path} cannot be used: {error}", hint="rolecall registry check"
    )


def _is_full(path: Path) -> bool:
    """Whether too little disk is left for the files that SQLite puts beside the registry."""
    import shutil

    return shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES


def _not_writable(path: Path) -> RegistryUnusable:
    return RegistryUnusable(
        f"cannot write the registry {path}",
        hint="make the file and its folder writable, or choose another with --registry PATH",
    )


def _stranger(path: Path) -> RegistryUnusable:
    return RegistryUnusable(
        f"{path} is not a rolecall registry",
        hint="choose another file with --registry PATH; this one was left as it is",
    )


def _missing(path: Path) -> RegistryUnusable:
    return RegistryUnusable(f"there is no registry at {path}", hint="rolecall endpoints list")


def _outdated(path: Path) -> RegistryUnusable:
    return RegistryUnusable(
        f"the registry {path} was written by an older rolecall",
        hint="rolecall endpoints list brings it up to date",
    )


def _refuse_strangers(path: Path, *, create: bool) -> None:
    """Look at the header first: opening for good may write to a foreign database."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            hint = f"--registry {path / 'registry.db'}"
            raise RegistryUnusable(f"{path} is a folder, not a registry file", hint=hint)
        if not stat.S_ISREG(status.st_mode):
            raise _stranger(path)
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        if create:
            return
        raise _missing(path) from None
    except OSError as error:
        raise _system_refusal(path, error) from error
    if status.st_size and _application_id(path) not in (APPLICATION_ID, None):
        raise _stranger(path)


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


def _system_refusal(path: Path, error: OSError) -> RegistryUnusable:
    reason = (error.strerror or str(error)).lower()
    return RegistryUnusable(
        f"cannot open the registry {path}: {reason}",
        hint="make the file and its folder writable, or choose another with --registry PATH",
    )


def _make_room(path: Path) -> None:
    """Create the folder (0700) and an empty file (0600): SQLite's own would be readable."""
    if path.exists():
        return
    try:
        _make_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _system_refusal(path, error) from error


def _make_folder(folder: Path) -> None:
    """Create the folder and its missing parents, all private."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def schema_version(database: Database) -> int:
    """Return the file's schema version; raise if it is another program's or a newer one."""
    [(application_id, version)] = database.rows(
        "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    )
    if application_id != APPLICATION_ID and not is_blank(database):
        raise _stranger(database.path)
    if version > SCHEMA_VERSION:
        raise RegistryUnusable(
            f"{database.path} was written by a newer rolecall "
            f"(schema {version}, this one knows {SCHEMA_VERSION})",
            hint="pipx upgrade rolecall",
        )
    return int(version)


def is_blank(database: Database) -> bool:
    """Whether the file holds nothing at all, so that it may become a registry."""
    return database.rows("SELECT count(*) FROM sqlite_master") == [(0,)]
