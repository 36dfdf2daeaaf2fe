"""Words that may stand for each other in a request, put in where the words around allow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import yaml

from rolecall.registry.scorer.prose import Edit, Prose

RULES_FILE = Path(__file__).with_name("perturbations.yaml")

_Part = Literal[
    "base",
    "object",
    "third",
    "past",
    "participle",
    "ing",
    "adjective",
    "noun",
    "unchanging",
]
_LONGEST_PHRASE = 6
_FORMS: tuple[_Part, ...] = ("base", "third", "past", "participle", "ing")

_AN = re.compile(r"(?:[aeio]|u(?!ni|se|su|ti)|hono|hour)", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(an?) \Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a word or phrase may become, as one part of speech."""

    part: _Part
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a phrase stands: what is before and after it in its sentence."""

    before: str
    after: str
    starts: bool
    is_last: bool


@cache
def rules() -> Mapping[str, Any]:
    """Return the tables of the rules, as they are written."""
    plain: Mapping[str, Any] = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    return plain


@cache
def words_of(name: str) -> frozenset[str]:
    """Return one of the rules' lists of words."""
    return frozenset(rules()[name].split())


def synonym_groups() -> list[list[str]]:
    """Return every group of synonyms; one that is only ever put in ends in `*`."""
    names = ("verbs", "verbs_and_nouns", "adjectives", "nouns", "unchanging")
    return [group for name in names for group in rules()[name]]


def replacements(prose: Prose) -> list[tuple[Edit, ...]]:
    """Return, for each word or phrase that has synonyms where it stands, the edits that put one in.

    Places do not overlap: the longest phrase is taken. An article before the word is put right.
    """
    words, found, index = prose.words(), [], 0
    while index < len(words):
        step = 1
        for count in range(min(_LONGEST_PHRASE, len(words) - index), 0, -1):
            edits = _at(prose, words, index, count)
            if edits:
                found.append(edits)
                step = count
                break
        index += step
    return found


def _at(prose: Prose, words: list[re.Match[str]], index: int, count: int) -> tuple[Edit, ...]:
    start, end = words[index].start(), words[index + count - 1].end()
    phrase = prose.text[start:end]
    entries = _table().get(phrase.lower())
    if not entries or not prose.is_open(start, end):
        return ()
    starts = prose.starts_sentence(start)
    # In the middle of a sentence a capital marks a name.
    if phrase[0].isupper() and not starts:
        return ()
    place = _Place(
        before=_word_before(prose, start),
        after=_word_after(prose, end),
        starts=starts,
        is_last=prose.text[end : end + 1] != " ",
    )
    entry = next((one for one in entries if _fits(one.part, place)), None)
    if entry is None:
        return ()
    return tuple(_edit(prose, start, end, other) for other in entry.others)


def _word_before(prose: Prose, start: int) -> str:
    found = re.search(r"([A-Za-z']+) \Z", prose.text[max(start - 30, 0) : start])
    return found[1].lower() if found else ""


def _word_after(prose: Prose, end: int) -> str:
    found = re.match(r" ([A-Za-z']+)", prose.text[end : end + 30])
    return found[1].lower() if found else ""


def _fits(part: _Part, place: _Place) -> bool:
    before, after = place.before, place.after
    if part == "unchanging":
        return True
    if part == "adjective":
        return (
            after != "" and after not in words_of("no_noun") and after not in words_of("not_before")
        )
    if part == "noun":
        # A noun by itself may be one of a list of given words.
        return before != "" and before not in words_of("not_before_noun")
    if after in words_of("particles"):
        return False
    match part:
        case "object":
            return after in words_of("determiners") and (
                place.starts or before in words_of("before_verb")
            )
        case "base":
            return (place.starts and not place.is_last) or before in words_of("before_verb")
        case "third":
            return before in words_of("before_third_person")
        case "past":
            return before in words_of("before_past")
        case "participle":
            return before in words_of("before_participle")
    return before in words_of("before_ing")


def _edit(prose: Prose, start: int, end: int, other: str) -> Edit:
    old = prose.text[start:end]
    new = other
    if old.isupper() and len(old) > 1:
        new = other.upper()
    elif old[0].isupper():
        new = other[0].upper() + other[1:]
    article = _ARTICLE.search(prose.text[max(start - 4, 0) : start])
    if article is None:
        return start, end, new
    begin = start - len(article[0])
    right = ("A" if article[1][0] == "A" else "a") + ("n" if _AN.match(other) else "")
    return begin, end, f"{right} {new}"


@cache
def _table() -> Mapping[str, tuple[_Entry, ...]]:
    table: dict[str, list[_Entry]] = {}
    for word, entry in _entries():
        table.setdefault(word, []).append(entry)
    return {word: tuple(entries) for word, entries in table.items()}


def _entries() -> Iterator[tuple[str, _Entry]]:
    plain = rules()
    for group in plain["verbs"]:
        for form, part in enumerate(_FORMS):
            yield from _in_form(group, part, partial(_verb, form=form))
    for group in plain["verbs_and_nouns"]:
        yield from _in_form(group, "object", str)
    for group in plain["adjectives"]:
        yield from _in_form(group, "adjective", str)
    for group in plain["nouns"]:
        yield from _in_form(group, "noun", str)
        yield from _in_form(group, "noun", _plural)
    for group in plain["unchanging"]:
        yield from _in_form(group, "unchanging", str)


def _in_form(
    group: list[str], part: _Part, form: Callable[[str], str]
) -> Iterator[tuple[str, _Entry]]:
    shown = [form(word.rstrip("*")) for word in group]
    for word, own in zip(group, shown, strict=True):
        if not word.endswith("*"):
            yield own, _Entry(part, tuple(other for other in shown if other != own))


def _verb(word: str, form: int) -> str:
    if form == 0:
        return word
    irregular = rules()["irregular"].get(word)
    if irregular is not None:
        return str(irregular[form - 1])
    if form == 1:
        return _plural(word)
    stem = word[:-1] if word.endswith("e") else word
    if form == 4:
        return stem + "ing"
    return word[:-1] + "ied" if _ends_in_y(word) else stem + "ed"


def _plural(word: str) -> str:
    known = rules()["plurals"].get(word)
    if known is not None:
        return str(known)
    if _ends_in_y(word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(?:s|x|z|ch|sh)\Z", word) else "s")


def _ends_in_y(word: str) -> bool:
    return re.search(r"[^aeiou]y\Z", word) is not None
