"""Lines kept in a file beside a registry that could not be written, until it can be.

The file is private, follows no symlink and is bounded. Whoever appends or takes lines holds its
lock, so that several processes do not mix theirs.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import Database

MAX_SPOOL_BYTES = 64 * 1024 * 1024
_SUFFIX, _DAMAGED_SUFFIX = ".spool", ".spool-damaged"
_FOLDED = "folded"  # the key in `meta` of the lines that were folded in last


def spool_path(registry: Path) -> Path:
    """Return where the spool file of a registry is: beside the file that its path leads to."""
    real = Path(os.path.realpath(registry))
    return real.with_name(real.name + _SUFFIX)


def append_line(registry: Path, line: str) -> Path:
    """Add one line to the registry's spool file, whole or not at all; return where it is.

    Raises RegistryUnusable where the file cannot be written, is no file, or would be too large.
    """
    path = spool_path(registry)
    _append(path, line.encode() + b"\n")
    return path


def has_lines(registry: Path) -> bool:
    """Tell whether a spool file is there."""
    return os.path.lexists(spool_path(registry))


@contextmanager
def held_lines(registry: Path) -> Iterator[tuple[bytes, ...]]:
    """Give the lines of the spool file, and remove it at the end, unless an error is raised.

    Gives nothing where another process holds it. Raises RegistryUnusable.
    """
    path = spool_path(registry)
    try:
        handle = _locked(path, create=False)
    except FileNotFoundError:
        handle = None
    except OSError as error:
        raise _refusal(path, error) from error
    if handle is None:
        yield ()
        return
    try:
        yield tuple(_content(handle).splitlines())
        with suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        os.close(handle)


def keep_damaged(registry: Path, lines: tuple[bytes, ...]) -> Path:
    """Put lines that cannot be read into a file of their own; return where it is."""
    path = spool_path(registry)
    path = path.with_name(path.name.removesuffix(_SUFFIX) + _DAMAGED_SUFFIX)
    _append(path, b"".join(line + b"\n" for line in lines))
    return path


def read_folded(db: Database) -> frozenset[str]:
    """Return the ids of the lines that were folded in last; their file may still be there."""
    rows = db.rows("SELECT value FROM meta WHERE key = ?", (_FOLDED,))
    return frozenset(json.loads(rows[0][0])) if rows else frozenset()


def write_folded(db: Database, ids: frozenset[str]) -> None:
    """Keep the ids of the lines that are folded in by this transaction."""
    db.run(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_FOLDED, json.dumps(sorted(ids)))
    )


def _append(path: Path, content: bytes) -> None:
    try:
        handle = _locked(path, create=True)
    except OSError as error:
        raise _refusal(path, error) from error
    assert handle is not None
    try:
        size = os.fstat(handle).st_size
        if size + len(content) > MAX_SPOOL_BYTES:
            limit = MAX_SPOOL_BYTES // (1024 * 1024)
            raise RegistryUnusable(f"{path} would be over {limit} MiB")
        if size and os.pread(handle, 1, size - 1) != b"\n":
            content = b"\n" + content  # a process ended within its line
        try:
            written = os.write(handle, content)
            while written < len(content):
                written += os.write(handle, content[written:])
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, size)
            raise
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        os.close(handle)


def _locked(path: Path, *, create: bool) -> int | None:
    """Open a file and take its lock: to append, waiting for it; else null where it is taken."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        handle = os.open(path, flags | (os.O_CREAT if create else 0), 0o600)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "it is not a file")
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if create else fcntl.LOCK_NB))
            if _is_at(handle, path):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # it was removed while its lock was waited for


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _content(handle: int) -> bytes:
    """Return what the file holds, up to what it may hold; a longer one was not written by us."""
    content = bytearray()
    while piece := os.pread(handle, 1 << 20, len(content)):
        content += piece
        if len(content) > MAX_SPOOL_BYTES:
            raise OSError(0, f"it is over {MAX_SPOOL_BYTES // (1024 * 1024)} MiB")
    return bytes(content)


def _refusal(path: Path, error: OSError) -> RegistryUnusable:
    reason = (error.strerror or str(error)).lower()
    return RegistryUnusable(f"cannot keep anything in {path}: {reason}")
