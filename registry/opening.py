"""Open the registry a command works on, filling a new one with the starter pool."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.paths import registry_path
from rolecall.registry.storage.database import Database, open_database


def open_registry(given: Path | None, *, must_exist: bool = False) -> Database:
    """Return the registry at `given` (else the environment's, else the user's own), open.

    One that does not exist is created with the starter pool, roles, tasks and strategies, in
    one transaction, unless it `must_exist`. Raises RegistryUnusable.
    """
    path = registry_path(given)
    if must_exist and not path.exists():
        raise RegistryUnusable(f"there is no registry at {path}", hint="rolecall registry path")
    return open_database(path, fill=_seed)


def has_registry(given: Path | None) -> bool:
    """Return whether there is a file to open, be it a registry or not; an empty one is none."""
    try:
        return registry_path(given).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _seed(db: Database) -> None:
    from rolecall.registry.seeding import write_seed

    write_seed(db)
