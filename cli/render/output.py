"""Answers to stdout, as text or one JSON object; notes to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

GAP = "  "
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
NARROWEST_COLUMN = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; where room is short, the one with the highest `drop` goes first.

    A column with `drop` 0 is never left out.
    """

    title: str
    drop: int = 0
    is_number: bool = False


def print_text(text: str) -> None:
    """Print a plain answer and end its line."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


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
    return _without_surrogates(text)


def note(text: str) -> None:
    """Tell the person something that is not the answer, on stderr."""
    sys.stderr.write(f"{text}\n")


def one_line(text: str) -> str:
    """Drop control characters: a name that someone typed must not steer the terminal."""
    return _CONTROL.sub(" ", text).strip()


def console(width: int | None = None) -> Console:
    """Return the console through which everything coloured goes to stdout.

    Colour only on a terminal, and not where NO_COLOR is set. `width` in columns; by default the
    terminal's, or 80 in a pipe.
    """
    from rich.console import Console

    return Console(
        file=sys.stdout, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their titles, each id in full.

    A pipe gets every column, a record a line. A terminal too narrow for that gets fewer columns,
    and where even those do not fit, the widest one is folded.
    """
    from rich.text import Text

    screen = console()
    limit = screen.width if sys.stdout.isatty() else None
    lines = table_lines(columns, rows, limit)
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
