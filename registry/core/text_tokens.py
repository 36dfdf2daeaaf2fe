"""How many tokens a text is: what is expected, and the most that a public tokenizer makes of it.

No tokenizer is loaded, which would take 0.1 to 3 s. Words, other letters, digits, punctuation and
spaces are counted, each at what it costs in the worst of the tokenizers of GPT-4, GPT-4o, Llama 3
and 4, Gemma 3, DeepSeek 3, Mistral (Tekken) and Qwen. Claude's are bounded apart: from Opus 4.7 on
they make some 1.6 tokens of what is one elsewhere.
"""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

_LOWER, _UPPER = b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PUNCTUATION = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class TextTokens(NamedTuple):
    """Tokens of a text: `expected`, at most, and at most by a Claude tokenizer."""

    expected: float
    most: float
    most_of_claude: float


class _Word(NamedTuple):
    """The tokens of a word after a space, after anything else, and of Claude."""

    spaced: int
    glued: int
    claude: int


def _table(start: bytes, kinds: dict[str, bytes]) -> bytes:
    """Return a table for bytes.translate that gives each byte the letter of its kind."""
    table = bytearray(start)
    for kind, found in kinds.items():
        for byte in found:
            table[byte] = ord(kind)
    return bytes(table)


# Letters, digits, punctuation, space, newline, tab; the rest: control characters (x) and bytes of
# characters outside ASCII (w).
_KINDS = _table(
    b"x" * 128 + b"w" * 128,
    {"a": _LOWER + _UPPER, "d": b"0123456789", "p": _PUNCTUATION, "s": b" "}
    | {"n": b"\n", "t": b"\t"},
)
_LETTERS = bytes(byte if byte in _LOWER + _UPPER else 32 for byte in range(256))
# Of words: consonants that make a token with each vowel, vowels, other letters, capitals, spaces.
_SOUNDS = _table(bytes(256), {"c": _LOWER, "C": _UPPER, "s": b" "})
_SOUNDS = _table(_SOUNDS, {"v": b"aeiou", "q": b"qx"})
# What a further character costs in a run of the same one.
_REPEATED = {b"s": 1 / 12, b"n": 1 / 4, b"t": 1 / 4}
_ONLY = {kind: _table(b"0" * 256, {"1": kind}) for kind in _REPEATED}


@lru_cache(maxsize=64)
def text_tokens(text: str) -> TextTokens:
    """Count the tokens of `text`; 1 MB takes some 50 ms."""
    coded = text.encode("utf-8", "surrogatepass")
    kinds = coded.translate(_KINDS)
    spaced, before_signs = _lone_spaces(kinds, b"a"), _lone_spaces(kinds, b"p")
    words = _words(coded, spaced)
    # A single space before a word or a sign is part of it.
    spaces = sum(_runs(kinds, kind, further) for kind, further in _REPEATED.items())
    spaces -= spaced + before_signs
    signs, digits, controls = kinds.count(b"p"), kinds.count(b"d"), kinds.count(b"x")
    other = 0.0 if text.isascii() else _outside_ascii(text)
    return TextTokens(
        words.expected + spaces + controls + 0.7 * signs + 0.7 * digits + 0.5 * other,
        words.most + spaces + controls + signs + digits + other,
        words.most_of_claude + spaces + before_signs + controls + signs + digits + 1.25 * other,
    )


def _words(coded: bytes, spaced: int) -> TextTokens:
    """Count runs of ASCII letters, of which `spaced` come after a single space."""
    words = coded.translate(_LETTERS).split()
    groups, known = _known_words()
    counts = Counter(map(known.get, words))
    rest = [word for word in words if word not in known]
    titles = Counter(known.get(word.lower()) for word in rest if word.istitle())
    if len(titles) > (None in titles):
        rest = [word for word in rest if not (word.istitle() and word.lower() in known)]
    number = most = glued = claude = 0
    for group, word in enumerate(groups):
        number += counts[group] + titles[group]
        most += word.spaced * counts[group] + 2 * titles[group]
        glued += (word.glued - word.spaced) * counts[group]
        claude += word.claude * counts[group] + (word.claude + 1) * titles[group]
    unknown = _unknown_words(b" ".join(rest).translate(_SOUNDS))
    return TextTokens(
        1.15 * number + unknown.expected,
        most + min(glued, len(words) - spaced) + unknown.most,
        claude + unknown.most_of_claude,
    )


def _unknown_words(kinds: bytes) -> TextTokens:
    """Count words by their letters; `kinds` are those of the words, parted by spaces.

    In byte-pair encoding two neighbours that are a token together are never left apart. Nearly
    every small consonant with a vowel after it is one, so that such a pair saves most of a token.
    """
    letters, capitals = len(kinds) - kinds.count(b"s"), kinds.count(b"C")
    heads = kinds.count(b"sC") + kinds.startswith(b"C")
    pairs = kinds.count(b"cv")
    return TextTokens(
        0.42 * letters + 0.4 * (capitals - heads),
        letters - 0.75 * pairs,
        letters - 0.3 * pairs + heads,
    )


def _lone_spaces(kinds: bytes, following: bytes) -> int:
    """Count the single spaces that stand before the kind `following`."""
    return kinds.count(b"s" + following) - sum(
        kinds.count(before + b"s" + following) for before in _REPEATED
    )


def _runs(kinds: bytes, kind: bytes, further: float) -> float:
    """Count the runs of one kind of character, each further one of a run at the price given."""
    only = kinds.translate(_ONLY[kind])
    runs = only.count(b"01") + only.startswith(b"1")
    return runs + further * (only.count(b"1") - runs)


def _outside_ascii(text: str) -> float:
    """Return the tokens at most of the characters outside ASCII: their bytes, or what is known."""
    whole, halved = _known_characters()
    return sum(
        count * (1 if char in whole else 2 if char in halved else _utf8_bytes(char))
        for char, count in Counter(text).items()
        if char > "\x7f"
    )


def _utf8_bytes(char: str) -> int:
    return 2 if char < "\u0800" else 3 if char < "\U00010000" else 4


@cache
def _known_words() -> tuple[tuple[_Word, ...], dict[bytes, int]]:
    """Return the words that all of the tokenizers hold in one or two pieces, by what they cost.

    A line of the file gives the tokens of its words after a space, elsewhere, and of Claude.
    """
    groups: list[_Word] = []
    known: dict[bytes, int] = {}
    for line in _file("whole_words.txt").splitlines():
        spaced, glued, claude, *words = line.split()
        known |= dict.fromkeys(words, len(groups))
        groups.append(_Word(int(spaced), int(glued), int(claude)))
    return tuple(groups), known


@cache
def _known_characters() -> tuple[frozenset[str], frozenset[str]]:
    """Return the characters that cost one token and two in all of the tokenizers."""
    whole, halved = _file("whole_characters.txt").decode().splitlines()
    return frozenset(whole), frozenset(halved)


def _file(name: str) -> bytes:
    return resources.files("rolecall.registry.core").joinpath(name).read_bytes()
