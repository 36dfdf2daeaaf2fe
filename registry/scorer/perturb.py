"""Small changes to a request that leave what it asks for: a steady scorer answers the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from rolecall.registry.scorer import rewording, surface
from rolecall.registry.scorer.prose import Prose

Rule = Callable[[Prose, Random], str | None]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "synonyms": rewording.synonyms,
        "lower first": surface.lower_first,
        "lower case": surface.lower_case,
        "upper word": surface.upper_word,
        "double spaces": surface.double_spaces,
        "joined lines": surface.joined_lines,
        "trailing newline": surface.trailing_newline,
        "trailing spaces": surface.trailing_spaces,
        "end mark": surface.end_mark,
        "please": rewording.please,
        "could you": rewording.could_you,
        "thanks": rewording.thanks,
        "greeting": rewording.greeting,
        "blunt": rewording.blunt,
        "swapped letters": surface.swapped_letters,
        "dropped letter": surface.dropped_letter,
        "doubled letter": surface.doubled_letter,
        "contractions": rewording.contractions,
        "quotes": surface.quotes,
        "sentence order": rewording.sentence_order,
        "spelling": rewording.spelling,
        "number words": rewording.number_words,
    }
)
KINDS: tuple[str, ...] = tuple(RULES)

# A request about the letters themselves is another request once they change.
_ABOUT_LETTERS = re.compile(
    r"\b(?:spell\w*|letters?|vowels?|consonants?|syllables?|typos?|proofread\w*|grammar|punctuation|"
    r"capitali[sz]\w*|upper-?case|lower-?case|anagrams?|palindromes?|rhym\w*|synonyms?|antonyms?|"
    r"abbreviat\w*|acronyms?|contractions?|pronounc\w*|how many words|word count|characters|"
    r"misspel\w*|verbatim|whitespace)\b",
    re.IGNORECASE,
)
_LETTER_KINDS = frozenset(KINDS) - {
    "trailing newline",
    "trailing spaces",
    "please",
    "could you",
    "thanks",
    "greeting",
    "blunt",
}
_MOST_AT_ONCE = 3
_ATTEMPTS = 4


def perturb(text: str, kind: str, seed: int) -> str | None:
    """Return the text with one kind of change; `None` where the rule finds nothing to change.

    The same text, kind and seed give the same result, on any machine. Code, formulas, answer
    options and quotations keep their wording. Raises `KeyError` for a kind not in `KINDS`.
    """
    rule = RULES[kind]
    if not text.strip() or (kind in _LETTER_KINDS and _ABOUT_LETTERS.search(text)):
        return None
    changed = rule(Prose.of(text), Random(f"{seed}\0{kind}\0{text}"))
    return None if changed is None or changed == text or not changed.strip() else changed


def variants(text: str, seed: int, count: int) -> tuple[str, ...]:
    """Return at most `count` different texts, each with one to three kinds of change at once.

    For teaching a scorer that they mean the same. They differ in more than the blanks around
    them, which no scorer reads; few are found where little can be changed.
    """
    rng = Random(f"{seed}\0variants\0{text}")
    found: dict[str, None] = {}
    for _ in range(count * _ATTEMPTS):
        if len(found) == count:
            break
        changed = text
        for kind in rng.sample(KINDS, rng.randint(1, _MOST_AT_ONCE)):
            changed = perturb(changed, kind, rng.randrange(2**32)) or changed
        if changed.strip() != text.strip():
            found[changed] = None
    return tuple(found)
