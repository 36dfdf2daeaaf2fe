"""Choose which scorer is in use: the shipped one, or one trained on own data."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolecall.registry.errors import RegistryUnusable, ScorerUnusable
from rolecall.registry.naming import unknown
from rolecall.registry.paths import registry_path
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.integrity import check
from rolecall.registry.versions import (
    NAME,
    POINTER,
    PRETRAINED,
    USE_HINT,
    folder_of,
    name_in_use,
    scorers_folder,
)


@dataclass(frozen=True, slots=True)
class Version:
    """One scorer that may be used; its card is null where it cannot be read."""

    name: str
    in_use: bool
    card: dict[str, Any] | None


def list_versions(given: Path | None = None) -> tuple[Version, ...]:
    """Return the shipped scorer and then the versions trained on own data, by name.

    Raises ScorerUnusable and RegistryUnusable.
    """
    registry = registry_path(given)
    used = name_in_use(registry)
    return tuple(
        Version(name, name == used, _card(folder_of(registry, name)))
        for name in (PRETRAINED, *version_names(registry))
    )


def use_version(given: Path | None, name: str) -> str | None:
    """Put a version in use, from the next command on; return what was in use before.

    That is null where it could not be told. The version is read through first. Raises
    UnknownRecord for one that is not there and ScorerUnusable for one that is damaged; then
    everything stays as it was. Raises RegistryUnusable where nothing can be written.
    """
    registry = registry_path(given)
    folder = known_folder(registry, name)
    try:
        check(folder)
    except ScorerUnusable as error:
        if folder is None:
            raise
        raise ScorerUnusable(error.message, hint=USE_HINT) from error
    before: str | None = None
    with suppress(ScorerUnusable):  # whatever that was, this is the way out of it
        before = name_in_use(registry)
    point_to(registry, name)
    return before


def known_folder(registry: Path, name: str) -> Path | None:
    """Return the folder of a version, null for the shipped one; raises UnknownRecord."""
    names = (PRETRAINED, *version_names(registry))
    if name not in names:
        raise unknown("scorer", name, names)
    return folder_of(registry, name)


def version_names(registry: Path) -> tuple[str, ...]:
    """Return the versions trained on own data, by name. Raises RegistryUnusable."""
    try:
        places = list(scorers_folder(registry).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise _unusable(registry, error, "read") from error
    named = [place.name for place in places if NAME.fullmatch(place.name) and place.is_dir()]
    return tuple(sorted(named))


def known_names(given: Path | None) -> tuple[str, ...]:
    """Return the names that `use_version` takes, for a shell to offer; never raises."""
    try:
        return (PRETRAINED, *version_names(registry_path(given)))
    except RegistryUnusable:
        return (PRETRAINED,)


def point_to(registry: Path, name: str) -> None:
    """Name the scorer in use, whole or not at all. Raises RegistryUnusable."""
    folder = scorers_folder(registry)
    pointer = folder / POINTER
    try:
        if name == PRETRAINED:
            with suppress(FileNotFoundError, NotADirectoryError):
                pointer.unlink()
            return
        fresh = folder / f".{POINTER}.{os.getpid()}"
        fresh.write_text(f"{name}\n", "utf-8")
        fresh.replace(pointer)
    except OSError as error:
        raise _unusable(registry, error, "write in") from error


def _card(folder: Path | None) -> dict[str, Any] | None:
    try:
        return card(folder)
    except ScorerUnusable:
        return None


def _unusable(registry: Path, error: OSError, what: str) -> RegistryUnusable:
    reason = (error.strerror or "it is not a folder").lower()
    return RegistryUnusable(f"cannot {what} {scorers_folder(registry)}: {reason}")
