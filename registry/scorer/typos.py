"""Slips of the keyboard, mended where the encoder's vocabulary holds what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from string import ascii_lowercase

# A word that the tokenizer breaks into fewer pieces may well be a rare word, the more so a short
# one.
_SHATTERED, _BROKEN = 3, 2
_LEAST_LETTERS, _MANY_LETTERS = 5, 7
# Beyond this a text is no request with a slip or two, and looking costs more than it gives.
_MOST_WORDS = 24
_PIECE = "##"
# Beside these a word is part of a path, a name in code or a formula.
_JOINTS = frozenset("_./\\@#$%&=<>^`~+*|{}[]-'’")

Span = tuple[int, int]
Rank = Callable[[str], int | None]
Slip = Callable[[str], Iterator[str]]


def mended(text: str, tokens: Sequence[str], spans: Sequence[Span], rank: Rank) -> str:
    """Return the text with mistyped words as they were meant.

    `tokens` are the pieces the text was broken into and `spans` their places in it. A plain word
    broken into several pieces becomes the commonest word of the vocabulary that is one slip away:
    two letters swapped, one doubled, or one left out, never the first. `rank` tells how common a
    word is, 0 the commonest, and `None` where the vocabulary lacks it.
    """
    found = []
    doubtful = (word for word in _broken(tokens, spans) if _is_plain(text, *word[:2]))
    for start, end, pieces in islice(doubtful, _MOST_WORDS):
        is_shattered = pieces >= _SHATTERED
        if is_shattered or end - start >= _MANY_LETTERS:
            slips = (_swapped, _doubled, _left_out) if is_shattered else (_swapped, _doubled)
            meant = _meant(text[start:end], slips, rank)
            if meant is not None:
                found.append((start, end, meant))
    for start, end, meant in reversed(found):
        text = text[:start] + meant + text[end:]
    return text


def _broken(tokens: Sequence[str], spans: Sequence[Span]) -> Iterator[tuple[int, int, int]]:
    """Yield the start and end of words that were broken, and into how many pieces."""
    first = 0
    for index in range(1, len(tokens) + 1):
        if index < len(tokens) and tokens[index].startswith(_PIECE):
            continue
        if index - first >= _BROKEN:
            yield spans[first][0], spans[index - 1][1], index - first
        first = index


def _is_plain(text: str, start: int, end: int) -> bool:
    word = text[start:end]
    around = text[max(start - 1, 0) : start] + text[end : end + 1]
    is_word = word.isascii() and word.isalpha() and word.islower()
    # A full stop may end the sentence.
    ends = text[end : end + 2] in (".", ". ", ".\n")
    return (
        is_word
        and end - start >= _LEAST_LETTERS
        and not any(mark in _JOINTS for mark in (around[:-1] if ends else around))
    )


def _meant(word: str, slips: Sequence[Slip], rank: Rank) -> str | None:
    """Return the commonest word one slip away, by the first of the slips that leads to any."""
    for slip in slips:
        ranked = [(place, one) for one in set(slip(word)) if (place := rank(one)) is not None]
        if ranked:
            return min(ranked)[1]
    return None


def _swapped(word: str) -> Iterator[str]:
    for i in range(1, len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _doubled(word: str) -> Iterator[str]:
    for i in range(1, len(word)):
        if word[i] == word[i - 1]:
            yield word[:i] + word[i + 1 :]


def _left_out(word: str) -> Iterator[str]:
    for i in range(1, len(word)):
        for letter in ascii_lowercase:
            yield word[:i] + letter + word[i:]
