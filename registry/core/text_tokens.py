"""How many tokens a text is: what is expected, and the most that a public tokenizer makes of it.

No tokenizer is loaded, which would take 0.1 to 3 s. Words, other letters, digits, punctuation and
spaces are counted, each at what it costs in the worst of the tokenizers of GPT-4, GPT-4o, Llama 3
and 4, Gemma 3, DeepSeek 3, Mistral (Tekken) and Qwen. Claude's are bounded apart: from Opus 4.7 on
they make some 1.6 tokens of what is one elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
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
# A text of more words is held against the table of all known ones, which takes 3 ms to make.
_FEW_WORDS = 500
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
    # No digit takes the space before it: of several, the last is apart.
    spaces += sum(kinds.count(run + digit) for run in (b"ss", b"tt") for digit in (b"d", b"w"))
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
    known = _known(words)
    counts = Counter(map(known.get, words))
    rest = [word for word in words if word not in known]
    titles = Counter(known.get(word.lower()) for word in rest if word.istitle())
    if len(titles) > (None in titles):
        rest = [word for word in rest if not (word.istitle() and word.lower() in known)]
    number = most = glued = claude = 0
    for group, word in enumerate(_word_list()[0]):
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
def _word_list() -> tuple[tuple[_Word, ...], bytes, list[bytes]]:
    """Return the words that all of the tokenizers hold in one or two pieces, sorted.

    The first line of the file is what words cost: three digits each, the fields of a _Word. The
    second has a letter for each word, which says what it costs: `a` the first of them.
    """
    costs, letters, words = _file("whole_words.txt").splitlines()
    groups = tuple(_Word(*(digit - 48 for digit in one)) for one in costs.split())
    return groups, letters, words.split()


@cache
def _all_known() -> dict[bytes, int]:
    """Return each known word's place among what words cost."""
    _, letters, words = _word_list()
    return dict(zip(words, (letter - 97 for letter in letters), strict=True))


def _known(words: list[bytes]) -> dict[bytes, int]:
    """Return what words of a text cost, in small letters too; few are looked up one by one."""
    if len(words) > _FEW_WORDS:
        return _all_known()
    _, letters, every = _word_list()
    found: dict[bytes, int] = {}
    for word in {*words, *(word.lower() for word in words)}:
        place = bisect_left(every, word)
        if place < len(every) and every[place] == word:
            found[word] = letters[place] - 97
    return found


@cache
def _known_characters() -> tuple[frozenset[str], frozenset[str]]:
    """Return the characters that cost one token and two in all of the tokenizers."""
    whole, halved = _file("whole_characters.txt").decode().splitlines()
    return frozenset(whole), frozenset(halved)


def _file(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()
