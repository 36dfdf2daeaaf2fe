"""Perturbations of how a request looks: case, spacing, punctuation and typing."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random

from rolecall.registry.evaluation.perturbations.prose import Edit, Prose

_FIRST = re.compile(r"\s*([A-Z])(?:[a-z]+\b|\b(?= [a-z]))")
_CAPITAL = re.compile(r"(?<![\w\\/@#$&-])(?:[A-Z][a-z]+|I)(?![\w-])")
_SPACE = re.compile(r"(?<=\S) (?=\S)")
ITEM = re.compile(r"\s*(?:[-*•#>]|\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,4})[.)])\s")
_QUESTION = re.compile(
    r"(?:what|who|whose|when|where|why|how|which|is|are|was|were|do|does|did|can|could|should|"
    r"would|will|has|have)\b",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:\A|[.!?:]\s+)(?=\S)")
_ANY_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_WORDS = 3
_LEAST_LETTERS = 5
_SHARE = 0.3


def lower_first(prose: Prose, rng: Random) -> str | None:  # noqa: ARG001
    """Begin without a capital."""
    found = _FIRST.match(prose.text)
    if found is None or not prose.is_open(found.start(1), found.end()):
        return None
    return prose.edited([(found.start(1), found.end(1), found[1].lower())])


def lower_case(prose: Prose, rng: Random) -> str | None:  # noqa: ARG001
    """Type all prose without the shift key; abbreviations and single letters keep their case."""
    return prose.edited([(*word.span(), word[0].lower()) for word in prose.find(_CAPITAL)])


def upper_word(prose: Prose, rng: Random) -> str | None:
    """Shout one word."""
    words = _plain_words(prose, least=4)
    if not words:
        return None
    word = rng.choice(words)
    return prose.edited([(*word.span(), word[0].upper())])


def double_spaces(prose: Prose, rng: Random) -> str | None:
    """Double some of the spaces between words."""
    spaces = prose.find(_SPACE)
    chosen = [space for space in spaces if rng.random() < _SHARE] or spaces[:1]
    return prose.edited([(*space.span(), "  ") for space in chosen])


def joined_lines(prose: Prose, rng: Random) -> str | None:  # noqa: ARG001
    """Put a space for each break between two lines of prose."""
    lines = prose.lines()
    edits: list[Edit] = []
    for (start, end), (following, last) in pairwise(lines):
        ends = start + len(prose.text[start:end].rstrip())
        begins = last - len(prose.text[following:last].lstrip())
        # Code or options may stand between two lines of prose.
        if (
            not prose.text[ends:begins].strip()
            and ITEM.match(prose.text, following, last) is None
            and _is_wordy(prose.text[start:end])
            and _is_wordy(prose.text[following:last])
        ):
            edits.append((ends, begins, " "))
    return prose.edited(edits)


def trailing_newline(prose: Prose, rng: Random) -> str | None:
    """End in a newline or two, as a pipe does."""
    return prose.text + "\n" * rng.randint(1, 2)


def trailing_spaces(prose: Prose, rng: Random) -> str | None:
    """Leave spaces at the end of some lines of prose, and of the whole."""
    ends = [end for _, end in prose.lines() if end < len(prose.text) and rng.random() < _SHARE]
    edits = [(end, end, " " * rng.randint(1, 2)) for end in [*ends, len(prose.text)]]
    return prose.edited(edits)


def end_mark(prose: Prose, rng: Random) -> str | None:  # noqa: ARG001
    """Drop the mark that ends the last line of prose, or put one where none is."""
    lines = prose.lines()
    if not lines:
        return None
    start, end = lines[-1]
    line = prose.text[start:end].rstrip()
    last = start + len(line)
    if line[-1] in ".?!" and prose.is_open(last - 1, last) and len(line) > 1:
        return None if line[-2] in ".?!" else prose.edited([(last - 1, last, "")])
    if not line[-1].isalpha() or not prose.is_open(last - 1, last):
        return None
    sentence = line[[found.end() for found in _SENTENCE_START.finditer(line)][-1] :]
    return prose.edited([(last, last, "?" if _QUESTION.match(sentence) else ".")])


def swapped_letters(prose: Prose, rng: Random) -> str | None:
    """Swap two letters inside one long word."""
    return _typo(prose, rng, lambda one, two: two + one if one != two else None)


def dropped_letter(prose: Prose, rng: Random) -> str | None:
    """Leave out one letter inside one long word."""
    return _typo(prose, rng, lambda one, two: two)  # noqa: ARG005


def doubled_letter(prose: Prose, rng: Random) -> str | None:
    """Type one letter inside one long word twice."""
    return _typo(prose, rng, lambda one, two: one + one + two)


def quotes(prose: Prose, rng: Random) -> str | None:  # noqa: ARG001
    """Turn straight quotation marks and apostrophes into curly ones, or back."""
    whole = Prose.of(prose.text, quoted=True)
    apostrophes = whole.find(_APOSTROPHE)
    marks = whole.find(_STRAIGHT)
    if len(marks) % 2:
        marks = []
    edits = [(*mark.span(), "’") for mark in apostrophes]
    edits += [(*mark.span(), "“”"[number % 2]) for number, mark in enumerate(marks)]
    if not edits:
        edits = [(*mark.span(), _STRAIGHTENED[mark[0]]) for mark in whole.find(_CURLY)]
    return whole.edited(edits)


_APOSTROPHE = re.compile(r"(?<=[A-Za-z])'(?=[A-Za-z])")
# A mark after a digit may be inches.
_STRAIGHT = re.compile(r"(?<!\d)\"")
_CURLY = re.compile(r"[“”‘’]")
_STRAIGHTENED = {"“": '"', "”": '"', "‘": "'", "’": "'"}


def _is_wordy(line: str) -> bool:
    return len(_ANY_WORD.findall(line)) >= _LEAST_WORDS


def _plain_words(prose: Prose, least: int = _LEAST_LETTERS) -> list[re.Match[str]]:
    return [word for word in prose.words() if len(word[0]) >= least and word[0].islower()]


def _typo(prose: Prose, rng: Random, typed: Callable[[str, str], str | None]) -> str | None:
    """Put what is typed for two letters that are neither the first nor the last of a word."""
    edits = [
        (start, start + 2, letters)
        for word in _plain_words(prose)
        for start in range(word.start() + 1, word.end() - 2)
        if (letters := typed(*prose.text[start : start + 2])) is not None
    ]
    return prose.edited([rng.choice(edits)]) if edits else None
