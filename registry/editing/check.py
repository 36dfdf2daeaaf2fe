"""Check the registry file and back it up."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from rolecall.registry.core.suggestions import NOUNS
from rolecall.registry.editing.references import dangling
from rolecall.registry.storage.backup import back_up
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import unreadable_decisions
from rolecall.registry.storage.integrity import file_problems
from rolecall.registry.storage.registry import read_registry
from rolecall.registry.storage.turns import unreadable_conversations


def check_registry(db: Database) -> tuple[str, ...]:
    """Return what is wrong with the registry, one line each; nothing when all is well."""
    problems = list(file_problems(db))
    if problems:
        return tuple(problems)
    problems += [
        f'{one.who}: {one.path}: no {NOUNS[one.target]} "{one.name}"'
        for one in dangling(read_registry(db))
    ]
    problems += [f"decision {one} cannot be read back" for one in unreadable_decisions(db)]
    problems += [f"conversation {one} cannot be read back" for one in unreadable_conversations(db)]
    mode = db.path.stat().st_mode & 0o777
    if mode & 0o077:
        problems.append(
            f"{db.path} can be read by other users (mode {mode:o}): chmod 600 {db.path}"
        )
    return tuple(problems)


def backup_registry(db: Database, target: Path | None) -> Path:
    """Write a complete copy of the registry and return where it is, mode 0600.

    Without a target it goes beside the registry, named by the time. Raises UsageError when the
    target exists.
    """
    if target is None:
        target = db.path.with_name(f"{db.path.name}.backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    elif os.path.isdir(target):  # noqa: PTH112 - no error for a name that is too long
        target = target / db.path.name
    back_up(db.path, target)
    return target
