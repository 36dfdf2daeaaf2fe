"""Words that may stand for each other in a request, put in where the words around allow it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rolecall.registry.evaluation.perturbations.prose import Edit, Prose, cased

RULES_FILE = Path(__file__).with_name("perturbations.yaml")
PARTS = ("verbs", "adjectives", "nouns", "unchanging")

_LONGEST_PHRASE = 6
_AN = re.compile(r"(?:[aeio]|u(?!ni|se|su|ti)|hono|hour)", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(an?) \Z", re.IGNORECASE)
_NEXT_WORD = re.compile(r" ([A-Za-z']+)")


@cache
def rules() -> Mapping[str, Any]:
    """Return the tables of the rules, as they are written."""
    plain: Mapping[str, Any] = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    return plain


@cache
def words_of(name: str) -> frozenset[str]:
    """Return one of the rules' lists of words."""
    return frozenset(rules()[name].split())


def replacements(prose: Prose) -> list[tuple[Edit, ...]]:
    """Return, for each word or phrase that has synonyms where it stands, the edits that put one in.

    Places do not overlap: the longest phrase is taken. An article before the word is put right.
    """
    words, found, index = prose.words(), [], 0
    while index < len(words):
        step = 1
        for count in range(min(_LONGEST_PHRASE, len(words) - index), 0, -1):
            edits = _at(prose, words[index].start(), words[index + count - 1].end())
            if edits:
                found.append(edits)
                step = count
                break
        index += step
    return found


def _at(prose: Prose, start: int, end: int) -> tuple[Edit, ...]:
    phrase = prose.text[start:end]
    groups = _table().get(phrase.lower())
    if not groups or not prose.is_open(start, end) or prose.is_name(start):
        return ()
    for part, others in groups:
        if _fits(prose, part, start, end):
            return tuple(_edit(prose, start, end, other) for other in others)
    return ()


def _fits(prose: Prose, part: str, start: int, end: int) -> bool:
    """Tell whether the words around show this part of speech, and no fixed term."""
    last, following = prose.word_before(start), _NEXT_WORD.match(prose.text, end, end + 30)
    before = last[1].lower() if last else ""
    after = following[1].lower() if following else ""
    match part:
        case "verbs":  # those that take an object, in the form of an order
            leads = prose.starts_sentence(start) or before in words_of("before_verb")
            return leads and after in words_of("determiners")
        case "adjectives":
            return after != "" and after not in words_of("no_noun") | words_of("not_before")
        case "nouns":  # one by itself may be one of a list of given words
            return before != "" and before not in words_of("not_before_noun")
    return True


def _edit(prose: Prose, start: int, end: int, other: str) -> Edit:
    new = cased(prose.text[start:end], other)
    article = _ARTICLE.search(prose.text, max(start - 4, 0), start)
    if article is None:
        return start, end, new
    right = article[1][0] + ("n" if _AN.match(other) else "")
    return start - len(article[0]), end, f"{right} {new}"


@cache
def _table() -> Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return each word's groups: the part of speech, and the words that may stand for it."""
    table: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    for part in PARTS:
        for group in rules()[part]:
            for word in group:
                if not word.endswith("*"):
                    others = tuple(one.rstrip("*") for one in group if one != word)
                    table[word] = (*table.get(word, ()), (part, others))
    return table
