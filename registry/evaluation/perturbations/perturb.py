"""Changes to a request that leave what it asks for: the right choice stays the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from rolecall.registry.evaluation.perturbations import edits, restatements
from rolecall.registry.evaluation.perturbations.prose import Prose

_FRAMES_OF_EDITS = ("please", "could you", "thanks", "greeting")
_FRAMES_OF_RESTATEMENTS = ("opening", "role", "aside", "letter", "template", "emoji")
_FRAMES = (*_FRAMES_OF_EDITS, *_FRAMES_OF_RESTATEMENTS)

# Small edits of words and characters, each of which a reader could undo.
EDITS: tuple[str, ...] = (
    *("synonyms", "lower first", "lower case", "upper word", "double spaces", "joined lines"),
    *("trailing newline", "trailing spaces", "end mark", *_FRAMES_OF_EDITS),
    *("blunt", "swapped letters", "dropped letter", "doubled letter"),
    *("contractions", "quotes", "sentence order", "spelling", "number words"),
)
# The same request put in another frame or form, which no reader undoes.
RESTATEMENTS: tuple[str, ...] = (
    *(*_FRAMES_OF_RESTATEMENTS, "bullets", "wrapped lines"),
    *("shorthand", "upper case", "option labels", "instruction last", "code fence"),
)
KINDS = EDITS + RESTATEMENTS


def _rule(kind: str) -> Callable[[Prose, Random], str | None]:
    if kind in _FRAMES:
        return partial(restatements.framed, kind)
    rule: Callable[[Prose, Random], str | None] = getattr(
        edits if kind in EDITS else restatements, kind.replace(" ", "_")
    )
    return rule


_RULES: Mapping[str, Callable[[Prose, Random], str | None]] = {kind: _rule(kind) for kind in KINDS}

# A request about the letters themselves is another request once they change.
_ABOUT_LETTERS = re.compile(
    r"\b(?:spell\w*|letters?|vowels?|consonants?|syllables?|typos?|proofread\w*|grammar|punctuation|"
    r"capitali[sz]\w*|upper-?case|lower-?case|anagrams?|palindromes?|rhym\w*|synonyms?|antonyms?|"
    r"abbreviat\w*|acronyms?|contractions?|pronounc\w*|how many words|word count|characters|"
    r"misspel\w*|verbatim|whitespace)\b",
    re.IGNORECASE,
)
_KEEP_LETTERS = {*_FRAMES} - {"letter"} | {
    *("trailing newline", "trailing spaces", "blunt", "instruction last", "code fence")
}


def perturb(text: str, kind: str, seed: int) -> str | None:
    """Return the text with one kind of change; `None` where the rule finds nothing to change.

    The same text, kind and seed give the same result, on any machine. Code, formulas, answer
    options and quotations keep their wording. Raises `KeyError` for a kind not in `KINDS`.
    """
    rule = _RULES[kind]
    if not text.strip() or (kind not in _KEEP_LETTERS and _ABOUT_LETTERS.search(text)):
        return None
    changed = rule(Prose.of(text), Random(f"{seed}\0{kind}\0{text}"))
    return None if changed is None or changed == text or not changed.strip() else changed
