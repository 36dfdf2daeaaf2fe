"""Answers to stdout, as text or one JSON object; notes to stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

GAP = "  "
NARROWEST_COLUMN = 12
NARROWEST_SCREEN = 20
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]+")
# What may steer a terminal or show a text in another order; a text's own lines and tabs may stay.
_STEERING = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; where room is short, the one with the highest `drop` goes first.

    A column with `drop` 0 is never left out.
    """

    title: str
    drop: int = 0
    is_number: bool = False


def print_text(text: str) -> None:
    """Print a plain answer and end its line; to a terminal without what could steer it."""
    write(text if text.endswith("\n") else f"{text}\n")


def write(text: str) -> None:
    """Write text to stdout: to a file or a pipe as it is, to a terminal what cannot steer it."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)


def harmless(text: str) -> str:
    """Return text without control characters, but for tab and line feed, and bidi controls."""
    return _STEERING.sub("", text)


def print_folded(text: str) -> None:
    """Print a sentence in lines of at most 80 characters, broken between words."""
    from textwrap import wrap

    for line in wrap(one_line(text), 80, break_on_hyphens=False, break_long_words=False):
        print_text(line)


def print_json(answer: Mapping[str, Any], *, indent: int | None = 2, flush: bool = False) -> None:
    """Print one JSON object; `indent` None keeps it on a line, `flush` sends it off at once."""
    print_text(json_text(answer, indent=indent))
    if flush:
        sys.stdout.flush()


def json_text(answer: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """Return one JSON object, as UTF-8 where stdout takes it, else as ASCII."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(answer, ensure_ascii=not is_utf8, indent=indent, allow_nan=False)
    # JSON's own escapes say the same, and steer no terminal.
    text = _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return _without_surrogates(text)


def note(text: str, *, is_dim: bool = False) -> None:
    """Tell the person something that is not the answer, on stderr; `is_dim` in a faint colour."""
    text = harmless(text)
    say(f"{dim(text) if is_dim else text}\n")


def dim(text: str) -> str:
    """Return text in a faint colour, where stderr is a terminal that may show one."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if is_plain or not sys.stderr.isatty():
        return text
    return f"\x1b[2m{text}\x1b[0m"


def say(text: str) -> None:
    """Write to stderr at once; one that is closed or full costs nobody the answer."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        forget(sys.stderr)


def forget(stream: TextIO) -> None:
    """Let the interpreter flush into nothing at exit, once nobody reads a stream."""
    handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, stream.fileno())
    os.close(handle)


def one_line(text: str) -> str:
    """Drop control characters: a name that someone typed must not steer the terminal."""
    return _CONTROL.sub(" ", text).strip()


def console(width: int | None = None) -> Console:
    """Return the console through which everything coloured goes to stdout.

    Colour only on a terminal, and not where NO_COLOR is set. `width` in columns; by default the
    terminal's, or 80 in a pipe, and at least 20.
    """
    from rich.console import Console

    screen = Console(
        file=sys.stdout, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )
    screen.width = max(screen.width, NARROWEST_SCREEN)
    return screen


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their titles, each id in full.

    A pipe gets every column, a record a line. A terminal too narrow for that gets fewer columns,
    and where even those do not fit, the widest one is folded.
    """
    from rich.text import Text

    screen = console()
    limit = screen.width if sys.stdout.isatty() else None
    lines = table_lines(columns, [[_CONTROL.sub(" ", cell) for cell in row] for row in rows], limit)
    for number, line in enumerate(lines):
        screen.print(Text(line, style="bold" if number == 0 else ""), soft_wrap=True)


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], limit: int | None
) -> list[str]:
    """Lay a table out in lines of at most `limit` columns (null: as wide as it gets)."""
    kept = list(range(len(columns)))
    cells = [[column.title for column in columns], *rows]
    widths = [max(_width(row[index]) for row in cells) for index in kept]
    while limit is not None and _total(widths, kept) > limit:
        spare = max(kept, key=lambda index: (columns[index].drop, index))
        if columns[spare].drop == 0:
            widest = max(kept, key=lambda index: widths[index])
            over = _total(widths, kept) - limit
            widths[widest] = max(widths[widest] - over, NARROWEST_COLUMN)
            break
        kept.remove(spare)
    return [
        line
        for row in cells
        for line in _row_lines([(row[i], widths[i], columns[i].is_number) for i in kept])
    ]


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[index] for index in kept) + len(GAP) * (len(kept) - 1)


def _row_lines(cells: Sequence[tuple[str, int, bool]]) -> list[str]:
    folded = [_fold(text, width) for text, width, _ in cells]
    lines = []
    for level in range(max(map(len, folded))):
        parts = []
        for pieces, (_, width, is_number) in zip(folded, cells, strict=True):
            piece = pieces[level] if level < len(pieces) else ""
            space = " " * (width - _width(piece))
            parts.append(space + piece if is_number else piece + space)
        lines.append(GAP.join(parts).rstrip())
    return lines


def _fold(text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    pieces, piece = [], ""
    for character in text:
        if _width(piece + character) > width:
            whole, gap, begun = piece.rpartition(" ")  # between words, where there are some
            pieces.append(whole if gap and whole else piece)
            piece = begun if gap and whole else ""
        piece += character
    return [*pieces, piece]


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _without_surrogates(text: str) -> str:
    """Keep bytes that were never UTF-8 (an odd file name) from breaking the output."""
    return text.encode(errors="backslashreplace").decode()
