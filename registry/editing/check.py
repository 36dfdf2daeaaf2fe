"""Check the registry file and back it up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rolecall.registry.core.addresses import has_userinfo
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.suggestions import NOUNS
from rolecall.registry.core.value_types import USERINFO_PROBLEM
from rolecall.registry.documents.schema import misplaced
from rolecall.registry.editing.exposure import key_in_the_clear
from rolecall.registry.editing.references import dangling
from rolecall.registry.storage.backup import back_up, restore
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import unreadable_decisions
from rolecall.registry.storage.errors import system_refusal
from rolecall.registry.storage.integrity import file_problems
from rolecall.registry.storage.open import open_database, refuse_strangers
from rolecall.registry.storage.registry import read_registry
from rolecall.registry.storage.turns import unreadable_conversations

MOST_KEPT = 3
_ANOTHER = "name another backup"
_KEPT_SUFFIX = ".backup-before-restore-"


def check_registry(db: Database) -> tuple[str, ...]:
    """Return what is wrong with the registry, one line each; nothing when all is well."""
    problems = list(file_problems(db))
    if problems:
        return tuple(problems)
    registry = read_registry(db)
    problems += [
        f'{one.who}: {one.path}: no {NOUNS[one.target]} "{one.name}"' for one in dangling(registry)
    ]
    problems += [line for one in registry.endpoints for line in _endpoint_problems(one)]
    problems += [f"decision {one} cannot be read back" for one in unreadable_decisions(db)]
    problems += [f"conversation {one} cannot be read back" for one in unreadable_conversations(db)]
    mode = db.path.stat().st_mode & 0o777
    if mode & 0o077:
        problems.append(
            f"{db.path} can be read by other users (mode {mode:o}): chmod 600 {db.path}"
        )
    return tuple(problems)


def _endpoint_problems(endpoint: Endpoint) -> Iterator[str]:
    """Yield what no document may say of an endpoint any more, and what gives its key away."""
    if endpoint.locality == "local" and not endpoint.is_local:
        wrong, hint = misplaced(endpoint)
        yield f"endpoint {endpoint.id}: locality: {wrong}: {hint}"
    if has_userinfo(endpoint.base_url):
        yield f"endpoint {endpoint.id}: base_url: {USERINFO_PROBLEM}"
    in_the_clear = key_in_the_clear(endpoint)
    if in_the_clear is not None:
        yield f"endpoint {endpoint.id}: {in_the_clear}"


def restore_registry(path: Path, file: Path) -> Path | None:
    """Replace the registry at `path` by the backup `file`; return where the present one was kept.

    A copy of the file is checked and brought up to date first; the file stays as it is. Null where
    there was no registry. Of the copies that this keeps, the latest three stay. Raises
    RegistryUnusable for a file that is no registry or is damaged.
    """
    try:
        refuse_strangers(file, create=False)
    except RegistryUnusable as error:
        raise RegistryUnusable(error.message, hint=_ANOTHER) from error
    kept = None
    try:
        beside = TemporaryDirectory(dir=path.parent if path.parent.is_dir() else None)
    except OSError as error:
        raise system_refusal(path, error) from error
    with beside as folder:
        draft = Path(folder, "restored.db")
        back_up(file, draft)
        try:
            with open_database(draft) as database:
                problems = check_registry(database)
        except RegistryUnusable as error:
            said = error.message.replace(str(draft), str(file))
            raise RegistryUnusable(said, hint=_ANOTHER) from error
        if problems:
            raise RegistryUnusable(f"{file} is damaged: {problems[0]}", hint=_ANOTHER)
        if path.exists():
            now = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
            kept = path.with_name(f"{path.name}{_KEPT_SUFFIX}{now}")
            _keep(path, kept)
        open_database(path).close()  # creates it and its folder where it is missing
        restore(draft, path)
    for older in sorted(path.parent.glob(f"{path.name}{_KEPT_SUFFIX}*"))[:-MOST_KEPT]:
        older.unlink()
    return kept


def _keep(path: Path, kept: Path) -> None:
    """Copy the registry; one that is damaged is moved away as it is."""
    try:
        back_up(path, kept)
    except RegistryUnusable:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))


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
