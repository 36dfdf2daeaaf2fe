"""Changes to a request that leave what it asks for: the right choice stays the same."""

from __future__ import annotations

import re
from random import Random

from rolecall.registry.evaluation.perturbations import restating, rewording, surface
from rolecall.registry.evaluation.perturbations.frames import framed
from rolecall.registry.evaluation.perturbations.prose import Prose

# Small edits of words and characters, each of which a reader could undo.
EDITS: tuple[str, ...] = (
    *("synonyms", "lower first", "lower case", "upper word", "double spaces", "joined lines"),
    *("trailing newline", "trailing spaces", "end mark", "please", "could you", "thanks"),
    *("greeting", "blunt", "swapped letters", "dropped letter", "doubled letter"),
    *("contractions", "quotes", "sentence order", "spelling", "number words"),
)
# The same request put in another frame or form, which no reader undoes.
RESTATEMENTS: tuple[str, ...] = (
    *("opening", "role", "aside", "letter", "template", "emoji", "bullets", "wrapped lines"),
    *("shorthand", "upper case", "option labels", "instruction last", "code fence"),
)
KINDS = EDITS + RESTATEMENTS


FRAMES = frozenset({"please", "could you", "thanks", "greeting", *RESTATEMENTS[:6]})

# A request about the letters themselves is another request once they change.
_ABOUT_LETTERS = re.compile(
    r"\b(?:spell\w*|letters?|vowels?|consonants?|syllables?|typos?|proofread\w*|grammar|punctuation|"
    r"capitali[sz]\w*|upper-?case|lower-?case|anagrams?|palindromes?|rhym\w*|synonyms?|antonyms?|"
    r"abbreviat\w*|acronyms?|contractions?|pronounc\w*|how many words|word count|characters|"
    r"misspel\w*|verbatim|whitespace)\b",
    re.IGNORECASE,
)
_KEEP_LETTERS = (FRAMES - {"letter"}) | {
    *("trailing newline", "trailing spaces", "blunt", "instruction last", "code fence")
}


def perturb(text: str, kind: str, seed: int) -> str | None:
    """Return the text with one kind of change; `None` where the rule finds nothing to change.

    The same text, kind and seed give the same result, on any machine. Code, formulas, answer
    options and quotations keep their wording. Raises `KeyError` for a kind not in `KINDS`.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    if not text.strip() or (kind not in _KEEP_LETTERS and _ABOUT_LETTERS.search(text)):
        return None
    prose, rng = Prose.of(text), Random(f"{seed}\0{kind}\0{text}")
    if kind in FRAMES:
        changed = framed(prose, rng, kind)
    else:
        name, rooms = kind.replace(" ", "_"), (restating, rewording, surface)
        changed = next(vars(room)[name] for room in rooms if name in vars(room))(prose, rng)
    return None if changed is None or changed == text or not changed.strip() else changed
