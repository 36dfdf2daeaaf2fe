"""The lines of judged files one by one: of JSON, plain or packed by gzip, and of CSV."""

from __future__ import annotations

import csv
import gzip
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

from rolecall.registry.core.errors import InvalidDocument

STDIN = "-"
_PATTERNS = ("*.jsonl", "*.jsonl.gz")
_MARK = b"\xef\xbb\xbf"  # some editors begin a UTF-8 file with it
MAX_LINE_BYTES = 64 * 1024 * 1024
_CSV_FORM = "a CSV has a column `prompt` and a column of scores for each model"
_MORE = "a cell past the last column"
_CSV_WORDS = ("prompt", "id", "dataset", "task", "group", "model")


class BrokenFile(Exception):
    """A file that cannot be read on; `number` is the line at which it broke."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


def judged_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files that are meant: each path itself, or what judged files a folder holds.

    A folder's files come by name. Raises InvalidDocument for a path that is not there and for a
    folder without such files.
    """
    return tuple(file for path in paths for file in _files(path))


def shown(path: Path) -> str:
    """Return how messages call a file."""
    return "stdin" if str(path) == STDIN else str(path)


def numbered_rows(path: Path) -> Iterator[tuple[int, bytes | dict[str, Any]]]:
    """Yield each row of a file, a line of JSON or what a line of CSV says, with its number.

    Raises InvalidDocument where the file cannot be opened, BrokenFile where it breaks off.
    """
    lines = _numbered_lines(path)
    filled = (pair for pair in lines if pair[1].strip())
    first = next(filled, None)
    if first is None:
        return
    if path.name.lower().endswith((".csv", ".csv.gz")) or _is_header(first[1]):
        yield from _csv_rows(first[0], (line for _, line in chain([first], lines)))
    else:
        yield from chain([first], filled)


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
    if found:
        return found
    hint = f"its files must be called {' or '.join(_PATTERNS)}"
    raise InvalidDocument(f"{path}: no judged rows in this folder", hint=hint)


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    with _opened(path) as file:
        try:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    limit = MAX_LINE_BYTES // (1024 * 1024)
                    raise BrokenFile(number, f"a line of over {limit} MiB")
                yield number, line.removeprefix(_MARK) if number == 1 else line
        except (EOFError, zlib.error, OSError) as error:
            raise BrokenFile(number + 1, _damage(error, number)) from error


def _damage(error: Exception, number: int) -> str:
    """Say what is wrong with a file that could be read up to this line."""
    if isinstance(error, EOFError):
        return "the gzip data end too early"
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return f"cannot be read: {_reason(error)}"
    return "the gzip data are damaged" if number else "this is no gzip file, or a damaged one"


def _opened(path: Path) -> BinaryIO:
    try:
        if str(path) == STDIN:
            if sys.stdin is None:
                raise InvalidDocument("cannot read stdin: it is closed")
            return open(sys.stdin.fileno(), "rb", closefd=False)
        return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise InvalidDocument(f"cannot read {shown(path)}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return (error.strerror or "it is not a file").lower()


def _is_header(line: bytes) -> bool:
    """Whether a line names the columns of a CSV."""
    names = line.decode(errors="replace").strip().split(",")
    return len(names) > 1 and any(name.strip('" ') == "prompt" for name in names)


def _csv_rows(first: int, lines: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader((line.decode() for line in lines), strict=True, restkey=_MORE)
    try:
        if "prompt" not in (reader.fieldnames or ()):
            raise BrokenFile(first, f"a CSV without a column `prompt`: {_CSV_FORM}")
        for cells in reader:
            yield first - 1 + reader.line_num, _of_csv(cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenFile(first + reader.line_num, f"not CSV in UTF-8: {error}") from error


def _of_csv(cells: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a row of CSV as JSON would have it; an empty cell is unknown, a bare index nothing."""
    known = {name: text for name, text in cells.items() if text and name}
    plain: dict[str, Any] = {name: known.pop(name) for name in _CSV_WORDS if name in known}
    if "fold" in known:
        plain["fold"] = _number(known.pop("fold"))
    figures = {name: _number(text) for name, text in known.items()}
    return plain | (figures if "model" in plain else {"scores": figures})


def _number(text: Any) -> Any:
    for kind in (int, float):
        with suppress(ValueError, TypeError):
            return kind(text)
    return text
