"""Create a registry file or bring an older one up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlite_utils

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage import schema
from rolecall.registry.storage.backup import back_up
from rolecall.registry.storage.connection import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    CatchUp,
    Database,
    Fill,
    is_blank,
    schema_version,
)
from rolecall.registry.storage.disk import free_disk
from rolecall.registry.storage.errors import unmigratable


def migrate(database: Database, fill: Fill | None, after_migration: CatchUp | None = None) -> None:
    """Apply the missing steps in one transaction; back an older file up beside it first.

    Another process doing the same goes first, and its work is then taken as it is. `fill`
    writes the first content of a new file, `after_migration` completes that of an older one.
    """
    saved: list[Path] = []
    try:
        with database.transaction():
            version = schema_version(database)
            if version == SCHEMA_VERSION:
                return
            is_new = is_blank(database)
            if not is_new:
                target = backup_path(database.path, version, datetime.now(UTC))
                try:
                    back_up(database.path, target)
                except RegistryUnusable as error:
                    raise unmigratable(database.path, error.message) from error
                saved.append(target)
            _apply_steps(database)
            if is_new and fill is not None:
                fill(database)
            if not is_new and after_migration is not None:
                after_migration(database, version)
    except BaseException:
        for target in saved:
            target.unlink(missing_ok=True)
        raise
    if saved:
        free_disk(database)


def backup_path(path: Path, version: int, now: datetime) -> Path:
    """Return where the copy of a file of schema `version` goes before it is migrated."""
    return path.with_name(f"{path.name}.backup-v{version}-{now:%Y%m%dT%H%M%S%fZ}")


def _apply_steps(database: Database) -> None:
    schema.steps.apply(sqlite_utils.Database(database.connection))
    database.run(f"PRAGMA application_id = {APPLICATION_ID}")
    database.run(f"PRAGMA user_version = {SCHEMA_VERSION}")
