"""Check the registry file and back it up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rolecall.registry.core.addresses import has_userinfo
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.suggestions import NOUNS
from rolecall.registry.core.value_types import USERINFO_PROBLEM
from rolecall.registry.documents.schema import misplaced
from rolecall.registry.editing.exposure import key_in_the_clear
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
