"""SQLite's own checks of the registry file."""

from __future__ import annotations

from rolecall.registry.storage.connection import Database


def file_problems(db: Database) -> tuple[str, ...]:
    """Return what SQLite finds wrong with the file's pages and foreign keys, one line each."""
    found = [str(row[0]) for row in db.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
    for table, row, parent, _ in db.rows("PRAGMA foreign_key_check"):
        found.append(f"table {table}, row {row}: names something missing from {parent}")
    return tuple(found)
