"""The lines of judged files: plain, packed by gzip, or piped in."""

from __future__ import annotations

import gzip
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from rolecall.registry.errors import InvalidDocument

STDIN = "-"
_PATTERNS = ("*.jsonl", "*.jsonl.gz")
_MARK = b"\xef\xbb\xbf"  # some editors begin a UTF-8 file with it


class BrokenFile(Exception):
    """A file that ends in the middle; `number` is the line at which it broke."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number
        self.problem = problem


def judged_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files that are meant: each path itself, or what judged files a folder holds.

    A folder's files come by name. Raises InvalidDocument for a path that is not there and for a
    folder without such files.
    """
    return tuple(file for path in paths for file in _files(path))


def shown(path: Path) -> str:
    """Return how messages call a file."""
    return "stdin" if str(path) == STDIN else str(path)


def dataset_of(path: Path) -> str:
    """Return the data set that a file is by itself: its name up to the first dot."""
    return shown(Path(path.name)).partition(".")[0] or path.name


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every line that is not blank with its number.

    Raises InvalidDocument where the file cannot be opened, BrokenFile where it breaks off.
    """
    number = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                text = line.removeprefix(_MARK) if number == 1 else line
                if text.strip():
                    yield number, text
        except EOFError as error:
            raise BrokenFile(number + 1, "the gzip data end too early") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            other = "this is no gzip file, or a damaged one"
            problem = "the gzip data are damaged" if number else other
            raise BrokenFile(number + 1, problem) from error
        except OSError as error:
            raise BrokenFile(number + 1, f"cannot be read: {_reason(error)}") from error


def _files(path: Path) -> list[Path]:
    if str(path) == STDIN:
        return [path]
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise InvalidDocument(f"cannot read {path}: {_reason(error)}") from error
    if not is_folder:
        return [path]
    found = sorted(file for pattern in _PATTERNS for file in path.glob(pattern) if file.is_file())
    if not found:
        raise InvalidDocument(
            f"{path}: no judged rows in this folder",
            hint=f"its files must be called {' or '.join(_PATTERNS)}",
        )
    return found


def _opened(path: Path) -> BinaryIO:
    try:
        if str(path) == STDIN:
            return _stdin()
        if path.suffix == ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as error:
        raise InvalidDocument(f"cannot read {shown(path)}: {_reason(error)}") from error


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise InvalidDocument("cannot read stdin: it is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def _reason(error: OSError) -> str:
    return (error.strerror or "it is not a file").lower()
