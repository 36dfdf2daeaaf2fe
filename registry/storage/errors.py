"""What the registry file refuses, as one clear line and what to do next."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from rolecall.registry.core.errors import RegistryUnusable

_LEAST_FREE_BYTES = 128 * 1024


def unusable(path: Path, error: sqlite3.DatabaseError) -> RegistryUnusable:
    """Return the refusal that an error of SQLite stands for."""
    name = getattr(error, "sqlite_errorname", "") or ""
    # A full disk also keeps SQLite from opening a file for more than reading.
    is_hindered = name.startswith("SQLITE_IOERR") or (
        name.startswith("SQLITE_READONLY") and os.access(path, os.W_OK)
    )
    if name.startswith("SQLITE_FULL") or (is_hindered and _is_full(path)):
        return RegistryUnusable(
            f"no space left to write the registry {path}",
            hint="free some disk space and try again; nothing was changed",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return RegistryUnusable(
            f"the registry {path} is locked by another program",
            hint="wait until it is done and try again",
        )
    if name.startswith("SQLITE_READONLY"):
        return _not_writable(path)
    if name.startswith("SQLITE_NOTADB"):
        return stranger(path)
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(path)
    if name.startswith("SQLITE_CANTOPEN"):
        return RegistryUnusable(
            f"cannot open the registry {path}",
            hint="make the file and its folder writable, or choose another with --registry PATH",
        )
    return RegistryUnusable(
        f"the registry {path} cannot be used: {error}", hint="rolecall registry check"
    )


def _is_full(path: Path) -> bool:
    """Whether too little disk is left for the files that SQLite puts beside the registry."""
    import shutil

    return shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES


def _not_writable(path: Path) -> RegistryUnusable:
    return RegistryUnusable(
        f"cannot write the registry {path}",
        hint="make the file and its folder writable, or choose another with --registry PATH",
    )


def stranger(path: Path) -> RegistryUnusable:
    """Return the refusal of a file that is no registry."""
    return RegistryUnusable(
        f"{path} is not a rolecall registry",
        hint="choose another file with --registry PATH; this one was left as it is",
    )


def missing(path: Path) -> RegistryUnusable:
    """Return the refusal where there is no file."""
    return RegistryUnusable(f"there is no registry at {path}", hint="rolecall endpoints list")


def outdated(path: Path) -> RegistryUnusable:
    """Return the refusal of a file that has to be migrated first."""
    return RegistryUnusable(
        f"the registry {path} was written by an older rolecall",
        hint="rolecall endpoints list brings it up to date",
    )


def damaged(path: Path) -> RegistryUnusable:
    """Return the refusal of a file that SQLite cannot make sense of."""
    return RegistryUnusable(
        f"the registry {path} is damaged",
        hint="move it away and put a backup in its place; without one, the next command "
        "starts a new registry",
    )


def unreadable(what: str) -> RegistryUnusable:
    """Return the refusal of a row that holds what was never written there."""
    return RegistryUnusable(
        f"the registry is damaged: {what} cannot be read back", hint="rolecall registry check"
    )


def is_about_writing(refused: RegistryUnusable) -> bool:
    """Tell whether SQLite refused a file since it could not write, be it beside it."""
    name = getattr(refused.__cause__, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR"))


def unfinished(path: Path, beside: Path) -> RegistryUnusable:
    """Return the refusal of a file whose latest changes stand in another, which cannot be read."""
    return RegistryUnusable(
        f"the latest changes of {path} stand in {beside}, and cannot be read "
        "where nothing can be written",
        hint="make the folder writable, or copy both files to one that is",
    )


def unmigratable(path: Path, why: str) -> RegistryUnusable:
    """Return the refusal of an older file that cannot be written."""
    return RegistryUnusable(
        f"the registry {path} was written by an older rolecall and cannot be brought up to date: "
        f"{why}",
        hint="make the file and its folder writable, or use a copy with --registry PATH",
    )


def system_refusal(path: Path, error: OSError) -> RegistryUnusable:
    """Return the refusal of a file that the system does not let be opened."""
    reason = (error.strerror or str(error)).lower()
    return RegistryUnusable(
        f"cannot open the registry {path}: {reason}",
        hint="make the file and its folder writable, or choose another with --registry PATH",
    )
