"""The names a shell may offer, read without ever creating or changing a registry."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from rolecall.registry.core.errors import RegistryError
from rolecall.registry.paths import registry_path
from rolecall.registry.storage.database import open_database
from rolecall.registry.storage.pool import Collection, names


def known_names(given: Path | None, collection: str) -> tuple[str, ...]:
    """Return the ids of one collection; nothing where there is no usable registry."""
    try:
        with open_database(registry_path(given), create=False) as db:
            return names(db, cast(Collection, collection))
    except RegistryError:
        return ()
