"""The words by which prompts in many languages ask for a length, from `asked_words.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("asked_words.json")
_WORD_SETS = ("verbs", "reductions", "prepositions", "before", "at_most", "at_least", "each")


@dataclass(frozen=True, slots=True)
class Language:
    """How a language that writes spaces asks for a length; words in lower case.

    `numbers` are the words for 1 to 12; in the file `; ` stands between numbers and `,` between
    forms of one. `scale` are those for 100 and 1,000. `units` names the unit of each word, and a
    word that ends in `dual` is of two. `verbs` ask for a list, `reductions` for another's text
    made shorter; `prepositions` introduce the length of an answer. What `before` says directly
    before a number makes it no request. `word_tokens` are those of one word. Where `has_articles`,
    the word for 1 is often none, and counts only where something introduces it.
    """

    numbers: Mapping[str, int]
    scale: Mapping[str, int]
    units: Mapping[str, str]
    verbs: frozenset[str]
    reductions: frozenset[str]
    prepositions: frozenset[str]
    before: frozenset[str]
    at_most: frozenset[str]
    at_least: frozenset[str]
    each: frozenset[str]
    yes_or_no: tuple[str, ...]
    word_tokens: float
    has_articles: bool
    dual: str


@cache
def languages() -> tuple[Language, ...]:
    """Return all languages, in the order in which a word is looked for."""
    return tuple(map(_language, json.loads(_FILE.read_text(encoding="utf-8")).values()))


def _language(plain: Mapping[str, Any]) -> Language:
    scale = {"thousand": 1_000, "hundred": 100}
    return Language(
        numbers={
            form: number
            for number, forms in enumerate(plain["numbers"].split("; "), start=1)
            for form in forms.split(",")
        },
        scale={word: value for key, value in scale.items() for word in plain[key].split()},
        units={form: unit for unit, forms in plain["units"].items() for form in forms.split()},
        yes_or_no=tuple(plain["yes_or_no"].split("|")),
        word_tokens=plain["word_tokens"],
        has_articles=plain["has_articles"],
        dual=plain.get("dual", ""),
        **{key: frozenset(plain[key].split()) for key in _WORD_SETS},
    )
