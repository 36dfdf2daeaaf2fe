"""How many tokens a number of words, sentences or list items is."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log

_MOST_TOKENS = 32_000.0
# Of each unit: words in it, share of the prediction it decides, usual range as factors, and the
# most that a prompt asks for: a larger number is of something else.
_MEASURES = {
    "word": (1.0, 0.9, 0.6, 1.6, 1_000_000),
    "character": (0.18, 0.9, 0.5, 1.6, 1_000_000),
    "page": (420.0, 0.8, 0.5, 1.8, 60),
    "sentence": (17.0, 0.75, 0.5, 2.0, 200),
    "paragraph": (75.0, 0.7, 0.4, 2.5, 60),
    "line": (8.0, 0.7, 0.5, 2.5, 300),
    "bullet": (16.0, 0.6, 0.3, 3.0, 40),
    "item": (10.0, 0.6, 0.35, inf, 1_000),
}
MOST = {unit: measure[-1] for unit, measure in _MEASURES.items()}
EXACT = ("word", "character", "page")
DENSE_WORD_TOKENS = 1.7
_DENSE_CHARACTER_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class AskedLength:
    """A length in tokens: the usual answer to it, its range, and the `share` it decides (0–1)."""

    tokens: float
    lower: float
    upper: float
    share: float

    def blend(self, log_tokens: float) -> float:
        """Return the logarithm of the tokens expected, from that of an answer as usual."""
        mixed = self.share * log(self.tokens) + (1 - self.share) * log_tokens
        return log(min(max(exp(mixed), self.lower), self.upper))


@dataclass(frozen=True, slots=True)
class Ask:
    """`count` of a unit, whose words are of so many tokens each.

    In scripts that `is_dense` (Chinese, Japanese, Korean) a character is half a word.
    """

    unit: str
    count: float
    word_tokens: float
    at_least: bool = False
    at_most: bool = False
    each: bool = False
    low: float | None = None
    is_dense: bool = False

    @property
    def tokens(self) -> float:
        """Return the tokens of the count."""
        is_dense_character = self.is_dense and self.unit == "character"
        words = _DENSE_CHARACTER_WORDS if is_dense_character else _MEASURES[self.unit][0]
        return self.count * words * self.word_tokens

    def length(self, times: float = 1.0) -> AskedLength:
        """Return the length of `times` such answers."""
        _, share, lower, upper, _ = _MEASURES[self.unit]
        tokens = min(self.tokens * times, _MOST_TOKENS)
        if self.unit == "item":
            share *= self.count / (self.count + 10)
        if self.low is not None:
            low = tokens * self.low / self.count
            return AskedLength((low + tokens) / 2, low * 0.8, tokens * 1.2, share)
        if self.at_most:
            return AskedLength(tokens * 0.7, 1.0, max(tokens * 1.15, 4.0), share * 0.6)
        if self.at_least:
            return AskedLength(tokens * 1.2, tokens * 0.9, inf, share * 0.8)
        return AskedLength(tokens, max(tokens * lower, 1.0), max(tokens * upper, 4.0), share)
