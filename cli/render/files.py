"""Write the files that people name on the command line, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rolecall.registry.core.errors import RegistryError

_LONGEST_START = 40  # of a temporary name, which the system bounds


class FileNotWritable(RegistryError):
    """A file that cannot be written."""


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises FileNotWritable."""
    write_pieces(path, (text,))


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file piece by piece, whole or not at all. Raises FileNotWritable.

    What was at `path` stays as it was until the last piece is written.
    """
    _write(path, (piece.encode("utf-8", "backslashreplace") for piece in pieces))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises FileNotWritable."""
    _write(path, (content,))


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    try:
        mode = _mode(path)
        if mode is None:
            with path.open("wb") as file:
                file.writelines(pieces)
        else:
            # A link stays one: what it leads to is written.
            _replace(Path(os.path.realpath(path)), pieces, mode)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileNotWritable(f"cannot write {path}: {reason}") from error


def _replace(target: Path, pieces: Iterable[bytes], mode: int) -> None:
    start = f".{target.name[:_LONGEST_START]}."
    handle, name = tempfile.mkstemp(prefix=start, dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _mode(path: Path) -> int | None:
    """Return the mode that a written file gets: that of the one before it, if there is one.

    Null for a device such as /dev/stdout, in whose place no file can be put.
    """
    try:
        found = path.stat().st_mode
    except FileNotFoundError:
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    is_file = stat.S_ISREG(found) and path.parent != Path("/dev")
    return stat.S_IMODE(found) if is_file else None
