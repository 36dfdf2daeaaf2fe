"""Which parts of a request are prose, and which keep their wording: code, formulas, options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BLOCKS = (
    re.compile(r"^[ \t]*(```|~~~)[^\n]*\n.*?(?:^[ \t]*\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL),
    re.compile(r"\[([A-Z]{3,})\].*?\[/\1\]", re.DOTALL),
    re.compile(r"(\"\"\"|''').*?(?:\1|\Z)", re.DOTALL),
)
_INLINE = (
    re.compile(r"`+[^`\n]+`+"),
    re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)", re.DOTALL),
    re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL),
    # A dollar sign followed by an amount and a blank before the next one is money, not a formula.
    re.compile(r"(?<![\\\w])\$(?!\s)[^$\n]{0,300}?(?<!\s)\$(?!\d)"),
    re.compile(r"\\[A-Za-z]+\*?(?:\{[^{}\n]*\})*"),
    re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|(?<!\S)[\w.~-]*(?:/[\w.~-]+){2,}"),
    re.compile(r"</?[A-Za-z][^<>\n]*>"),
)
_QUOTED = re.compile(r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|(?<!\w)'[^'\n]{1,300}'(?!\w)")
_CODE_LINE = re.compile(
    r"(?: {4,}|\t)\S|\s*(?:>>>|\.\.\.\s|#include|@\w+\s*$|@@|\||[{}\[\]]|//|/\*)|"
    r"\s*[\"'][\w -]+[\"']\s*:|\s*\w+\(.*\);?\s*$|"
    r"\s*(?:async )?def \w+\(|\s*class \w+\s*[(:{]|\s*(?:import [\w.]+|from [\w.]+ import\b)|"
    r"\s*(?:return|assert|elif|else:|try:|except\b)|.*[;{}]\s*$|.*(?:==|!=|->|=>|:=)|"
    r"\s*(?:for|while|if|with)\b.*:\s*$|\s*[\w.\[\]]+ [-+*/]?= |"
    r"\s*(?:const|let|var|public|private|static|function|func|fn) \w+|"
    r"\s*(?:SELECT|INSERT|UPDATE|CREATE|DELETE|FROM|WHERE|GROUP BY|ORDER BY|JOIN)\b"
)
_OPTION = re.compile(r"\s*(?:[-*•]\s+)?\(?(?:[A-Za-z]|\d{1,2}|[ivx]{1,4})[).:](?:\s|$)")
_OPTIONS_TITLE = re.compile(r"\s*(?:options|(?:answer )?choices)\s*:", re.IGNORECASE)
_INLINE_OPTIONS = re.compile(r"\(A\)(?=.*\(B\))[^\n]*|\bA\)(?=.*\bB\))[^\n]*", re.IGNORECASE)
_LAST_WORD = re.compile(r"([A-Za-z']+) \Z")
# A word that stands alone: no part of a name, a path, a call, a hyphenated or shortened word.
_WORD = re.compile(r"(?<![\w\\/@#$&^*+=<>'’.-])[A-Za-z]+(?![\w\\/@(\[^*+=<>-]|['’.:]\w)")

_BLOCK, _PIECE = 2, 1

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Prose:
    """A text, and for each of its characters whether its wording may change.

    `closed` has a byte per character: 0 for prose, 1 for a piece inside a line (a formula, a
    quotation, an address), 2 for whole lines of code or of answer options.
    """

    text: str
    closed: bytes

    @classmethod
    def of(cls, text: str, *, quoted: bool = False) -> Prose:
        """Read a text; with `quoted`, what stands in quotation marks counts as prose too."""
        closed = bytearray(len(text))
        for pattern in _INLINE if quoted else (*_INLINE, _QUOTED):
            _close(closed, (match.span() for match in pattern.finditer(text)), _PIECE)
        for pattern in (*_BLOCKS, _INLINE_OPTIONS):
            _close(closed, (match.span() for match in pattern.finditer(text)), _BLOCK)
        _close(closed, code_lines(text), _BLOCK)
        _close(closed, _options(text), _BLOCK)
        return cls(text, bytes(closed))

    def is_open(self, start: int, end: int) -> bool:
        """Tell whether every character from `start` to `end` is prose."""
        return not any(self.closed[start:end])

    def is_block(self, start: int, end: int) -> bool:
        """Tell whether any character from `start` to `end` is in lines of code or options."""
        return _BLOCK in self.closed[start:end]

    def find(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Return the pattern's matches that lie in prose as a whole."""
        return [match for match in pattern.finditer(self.text) if self.is_open(*match.span())]

    def words(self) -> list[re.Match[str]]:
        """Return the plain words of the prose."""
        return self.find(_WORD)

    def lines(self) -> list[tuple[int, int]]:
        """Return where each line starts and ends, blank ones and blocks left out."""
        return [
            (start, end)
            for start, end in _lines(self.text)
            if self.text[start:end].strip() and not self.is_block(start, end)
        ]

    def starts_sentence(self, start: int) -> bool:
        """Tell whether a sentence, a line or an item of a list begins at `start`."""
        lead = self.text[max(start - 80, 0) : start].rstrip(" \t")
        return not lead or lead[-1] in ".!?:;\n*-•>…"

    def is_name(self, start: int) -> bool:
        """Tell whether a capital at `start` marks a name: one in the middle of a sentence does."""
        return self.text[start].isupper() and not self.starts_sentence(start)

    def word_before(self, start: int) -> re.Match[str] | None:
        """Return the word before `start` if one space parts them."""
        return _LAST_WORD.search(self.text, max(start - 30, 0), start)

    def edited(self, edits: Iterable[Edit]) -> str | None:
        """Return the text with pieces replaced, `None` if that changes nothing.

        The edits, (start, end, new text), must not overlap.
        """
        parts, done = [], 0
        for start, end, new in sorted(edits):
            parts += [self.text[done:start], new]
            done = end
        result = "".join([*parts, self.text[done:]])
        return None if result == self.text else result


def cased(old: str, new: str) -> str:
    """Return the new words with the capitals of the old ones."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return (new[0].upper() if old[0].isupper() else new[0].lower()) + new[1:]


def code_lines(text: str) -> list[tuple[int, int]]:
    """Return where each line of code starts and ends."""
    return [span for span in _lines(text) if _CODE_LINE.match(text, *span)]


def _close(closed: bytearray, spans: Iterable[tuple[int, int]], mark: int) -> None:
    for start, end in spans:
        closed[start:end] = bytes([mark]) * (end - start)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def _options(text: str) -> list[tuple[int, int]]:
    """Return the lines of every list of at least two options, up to the next blank line."""
    found: list[tuple[int, int]] = []
    block: list[tuple[int, int]] = []
    items = 0
    for start, end in [*_lines(text), (len(text), len(text))]:
        line = text[start:end]
        if not line.strip():
            found += block if items > 1 else []
            block, items = [], 0
        elif _OPTIONS_TITLE.match(line):
            found.append((start, end))
        elif block or _OPTION.match(line):
            block.append((start, end))
            items += _OPTION.match(line) is not None
    return found
