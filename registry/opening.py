"""Open the registry a command works on, filling a new one with the starter pool."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.paths import registry_path
from rolecall.registry.storage.database import Database, open_database


def open_registry(given: Path | None) -> Database:
    """Return the registry at `given` (else the environment's, else the user's own), open.

    One that does not exist is created with the starter pool, roles, tasks and strategies, in
    one transaction. Raises RegistryUnusable.
    """
    return open_database(registry_path(given), fill=_seed)


def _seed(db: Database) -> None:
    from rolecall.registry.seeding import write_seed

    write_seed(db)
