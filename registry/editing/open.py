"""Open the registry a command works on, filling a new one with the starter content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from rolecall.registry.core.entities import Collection
from rolecall.registry.core.errors import RegistryError, RegistryUnusable, UsageError
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import names

_FIRST_WITH_TIERS = 13


def open_registry(given: Path | None, *, must_exist: bool = False) -> Database:
    """Return the registry at `given` (else the environment's, else the user's own), open.

    One that does not exist is created with the starter models, endpoints, roles, tasks and
    strategies, in one transaction, unless it `must_exist`. Raises RegistryUnusable.
    """
    path = registry_path(given)
    if must_exist and not os.path.lexists(path):
        raise RegistryUnusable(f"there is no registry at {path}", hint="rolecall registry path")
    return open_database(path, fill=_seed, after_migration=_catch_up)


@contextmanager
def open_starter() -> Iterator[Database]:
    """Open a new registry with the starter content, in a temporary folder that is removed after."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, open_registry(Path(folder, "starter.db")) as db:
        yield db


@contextmanager
def open_or_starter(given: Path | None) -> Iterator[Database]:
    """Open the registry at `given`; where there is none, a starter that is not kept."""
    with open_registry(given) if has_registry(given) else open_starter() as db:
        yield db


def has_registry(given: Path | None) -> bool:
    """Return whether there is a file to open, be it a registry or not; an empty one is none."""
    try:
        return registry_path(given).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, UsageError):
        return True


def _seed(db: Database) -> None:
    from rolecall.registry.editing.edit import write_registry
    from rolecall.registry.editing.seed import seed_registry

    write_registry(db, seed_registry())


def _catch_up(db: Database, version: int) -> None:
    """Take from the catalog what a registry of an older schema had no place for."""
    if version < _FIRST_WITH_TIERS:
        from rolecall.registry.editing.edit import complete_prices

        complete_prices(db)


def known_names(given: Path | None, collection: str) -> tuple[str, ...]:
    """Return the ids of one collection; nothing where there is no usable registry."""
    try:
        with open_database(registry_path(given), create=False) as db:
            return names(db, cast(Collection, collection))
    except RegistryError:
        return ()


def registry_path(given: Path | None) -> Path:
    """Return `given`, else `$ROLECALL_REGISTRY`, else the file in the user's data folder.

    Raises UsageError where it begins with the home of a user whom nobody knows.
    """
    named = os.environ.get("ROLECALL_REGISTRY")
    if given is None and named:
        given = Path(named)
    if given is not None:
        try:
            return given.expanduser()
        except RuntimeError as error:
            said = f"{given}: there is no such user's home"
            raise UsageError(said, hint="write the whole path") from error
    from platformdirs import user_data_path

    return user_data_path("rolecall", appauthor=False) / "registry.db"
