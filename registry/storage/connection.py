"""One open registry file: transactions, queries, and whose file it is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.errors import damaged, stranger, unusable

APPLICATION_ID = 0x726F6C63  # "rolc", in the file's header
SCHEMA_VERSION = 17  # the number of the last step in schema.py

DISPENSABLE_WAIT_S = 1.0
_LARGEST_INTEGER = 2**63

Row = tuple[Any, ...]
Parameters = Iterable[Any] | Mapping[str, Any]


@contextlib.contextmanager
def translating(path: Path) -> Generator[None]:
    """Raise SQLite's and the system's refusals of the file at `path` as RegistryUnusable."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error
    except UnicodeDecodeError as error:  # an error whose words quote a damaged page
        raise damaged(path) from error


class Database:
    """One open registry file. Use it as a context manager, or close it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self._changed = False
        self._identity = _identity(path)

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is open."""
        return self.connection.in_transaction

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
    def savepoint(self) -> Generator[None]:
        """Undo what is done inside, and no more, where it raises; inside a transaction.

        A row that breaks a rule of the tables raises ValueError.
        """
        self.run("SAVEPOINT inner_part")
        try:
            yield
        except BaseException as error:
            # A full disk may have ended the whole transaction.
            if self.connection.in_transaction:
                self.run("ROLLBACK TO inner_part")
            if isinstance(error, sqlite3.IntegrityError):
                raise ValueError(str(error)) from error
            raise
        self.run("RELEASE inner_part")

    @contextlib.contextmanager
    def dispensable(self) -> Generator[None]:
        """Pass over a registry that cannot be written soon, for what can be worked out again.

        Inside a transaction, all of which is done or nothing, it is raised as ever.
        """
        if self.connection.in_transaction:
            yield
            return
        with contextlib.suppress(RegistryUnusable), self.patience(DISPENSABLE_WAIT_S):
            yield

    @contextlib.contextmanager
    def patience(self, seconds: float) -> Generator[None]:
        """Wait at most so long for the locks of other programs."""
        [(before,)] = self.rows("PRAGMA busy_timeout")
        self.rows(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            self.rows(f"PRAGMA busy_timeout = {int(before)}")

    def is_in_place(self) -> bool:
        """Tell whether the file at the path is still the one that was opened."""
        return self._identity is not None and self._identity == _identity(self.path)

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


def ids_starting(db: Database, table: Literal["calls", "decisions"], start: str) -> tuple[str, ...]:
    """Return the id that is `start`, else up to four ids that begin so, sorted."""
    rows = db.rows(f"SELECT id FROM {table} WHERE id = ?", (start,))
    if not rows and start:
        rows = db.rows(
            f"SELECT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id LIMIT 4",
            (start, start + "\U0010ffff"),
        )
    return tuple(row[0] for row in rows)


def _bound(parameters: Parameters) -> Row | dict[str, Any]:
    """Return the values of `?` (a sequence) or of `:name` (a mapping) as SQLite takes them."""
    if isinstance(parameters, Mapping):
        return {name: storable(value) for name, value in parameters.items()}
    return tuple(map(storable, parameters))


def storable(value: Any) -> Any:
    """Return a value that SQLite takes: text without lone surrogates, integers of 64 bits.

    JSON or a file name may hold such halves of characters; a larger integer is taken for unknown.
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int) and not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        return None
    return value


def _identity(path: Path) -> tuple[int, int] | None:
    """Return by what the system knows a file; null where there is none, or none can be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


Fill = Callable[[Database], None]
CatchUp = Callable[[Database, int], None]


def schema_version(database: Database) -> int:
    """Return the file's schema version; raise if it is another program's or a newer one."""
    [(application_id, version)] = database.rows(
        "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    )
    if application_id != APPLICATION_ID and not is_blank(database):
        raise stranger(database.path)
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
