"""Write the files that people name on the command line, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rolecall.registry.core.errors import RegistryError


class FileNotWritable(RegistryError):
    """A file that cannot be written."""


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises FileNotWritable."""
    write_pieces(path, (text,))


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file piece by piece, whole or not at all. Raises FileNotWritable.

    What was at `path` stays as it was until the last piece is written.
    """
    _write(path, (piece.encode() for piece in pieces))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises FileNotWritable."""
    _write(path, (content,))


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    partial = path.with_name(f".{path.name}.partial")
    # A device such as /dev/stdout cannot be replaced by a file.
    target = path if path.exists() and not path.is_file() else partial
    try:
        with target.open("wb") as file:
            file.writelines(pieces)
        if target is partial:
            partial.replace(path)
    except OSError as error:
        _discard(target, partial)
        raise FileNotWritable(f"cannot write {path}: {(error.strerror or '').lower()}") from error
    except BaseException:
        _discard(target, partial)
        raise


def _discard(target: Path, partial: Path) -> None:
    if target is partial:
        # Where a folder of the path is a file, there is nothing to remove, and that fails too.
        with suppress(OSError):
            partial.unlink()
