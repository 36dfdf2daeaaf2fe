"""Copy a registry file safely while others use it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from errno import ENOSPC
from pathlib import Path

from rolecall.registry.core.errors import RegistryUnusable, UsageError
from rolecall.registry.storage.connection import translating

_BUSY_S = 10.0


def back_up(source: Path, target: Path) -> None:
    """Write a complete copy of the registry `source` to `target`, mode 0600, all or nothing.

    Raises UsageError when `target` exists and RegistryUnusable when it cannot be written.
    """
    try:
        if os.path.lexists(target):
            raise _already_there(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(handle)
    draft = Path(name)
    try:
        _copy(source, draft, target)
        _move_into_place(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def restore(source: Path, target: Path) -> None:
    """Replace the content of the registry `target` by that of `source`, all or nothing.

    Both stay open to others. Raises RegistryUnusable.
    """
    with (
        translating(target),
        contextlib.closing(sqlite3.connect(source)) as origin,
        contextlib.closing(sqlite3.connect(target, timeout=_BUSY_S)) as copy,
    ):
        origin.backup(copy)


def _copy(source: Path, draft: Path, target: Path) -> None:
    with (
        translating(source),
        contextlib.closing(sqlite3.connect(source)) as origin,
        contextlib.closing(sqlite3.connect(draft)) as copy,
    ):
        try:
            origin.backup(copy)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            raise _unwritable(target, OSError(ENOSPC, os.strerror(ENOSPC))) from error
        copy.execute("PRAGMA journal_mode = DELETE")


def _move_into_place(draft: Path, target: Path) -> None:
    try:
        os.link(draft, target)
    except FileExistsError:
        raise _already_there(target) from None
    except OSError:
        # A file system without hard links: renaming is the best it can do.
        try:
            draft.rename(target)
        except OSError as error:
            raise _unwritable(target, error) from error


def _already_there(target: Path) -> UsageError:
    return UsageError(f"{target} exists already", hint="name a file that does not exist yet")


def _unwritable(target: Path, error: OSError) -> RegistryUnusable:
    reason = (error.strerror or str(error)).lower()
    return RegistryUnusable(
        f"cannot write the backup {target}: {reason}", hint="name a place that can be written"
    )
