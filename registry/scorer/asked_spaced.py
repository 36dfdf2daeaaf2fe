"""The lengths asked for in languages that write spaces between words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rolecall.registry.scorer.asked_units import MOST, Ask

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


_ELISION = re.compile(r"\b(?:qu|jusqu|[lds])['’]")
_LETTER = r"(?:[^\W\d_]|[\u0900-\u0963\u064b-\u065f\u0300-\u036f])"
TOKEN = re.compile(
    rf"{_LETTER}+(?:['’ʼ]{_LETTER}+)*|\d{{1,3}}(?:[.,'’ \u00a0\u202f]\d{{3}})+|\d+|[^\w\s]|\n"
)
STOPS = frozenset(".!?;:\n")
_SKIPPED = 2  # words that may stand between a number and its unit
_WINDOW = 3  # tokens around both that say how strict it is


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What turns a comparative round: "no more than" is at most, "au moins" at least.
_TURNS = _set("no not nicht pas au al lo pelo ao não non nie не niet không नहीं")
_COMPARATIVES = _set(
    "more less fewer mehr weniger plus moins más menos mais più meno meer minder więcej mniej "
    "более больше менее меньше більше менше hơn अधिक"
)
_RANGES = _set("- – — to bis à a até до do đến إلى tot")
# What a number before them measures is no list.
_MEASURED = _set(
    "percent dollars euros euro minutes hours seconds years days weeks months people times points "
    "degrees prozent jahre minuten ans minutes años minutos anni лет минут"
)
CODE_CUES = _set(
    "code function program script python javascript typescript java rust sql regex print prints "
    "returns string strings file files log array query bash html css"
)


@cache
def _units() -> Mapping[str, Sequence[tuple[Language, str]]]:
    """Return the languages and units that each word names."""
    found = defaultdict(list)
    for language in languages():
        for word, unit in language.units.items():
            found[word].append((language, unit))
    return dict(found)


@cache
def _verbs() -> Mapping[str, Sequence[Language]]:
    """Return the languages in which each word asks for a list."""
    found = defaultdict(list)
    for language in languages():
        for verb in language.verbs:
            found[verb].append(language)
    return dict(found)


def spaced_asks(own: str) -> Iterator[Ask]:
    """Yield what is asked in the languages that write spaces."""
    tokens = TOKEN.findall(_ELISION.sub(" ", own))
    code = not CODE_CUES.isdisjoint(tokens)
    taken: set[int] = set()
    for place, token in enumerate(tokens):
        for words, unit in _units().get(token, ()):
            if code and unit in ("word", "line", "character", "page"):
                continue
            found = _counted(tokens, place, words)
            if found and found[0] not in taken and _is_asked(tokens, *found, unit, words):
                taken.add(found[0])
                yield _ask(tokens, (*found, place), unit, words)
                break
    if not code:
        yield from _lists(tokens, taken)


def _counted(tokens: Sequence[str], place: int, words: Language) -> tuple[int, float] | None:
    """Return where the number of the unit at `place` stands, and the number; null without one."""
    after = _at(tokens, place + 1)
    if words.dual and (after in words.numbers or tokens[place].endswith(words.dual)):
        return place, float(words.numbers.get(after, 2))
    skipped, scale = 0, 1
    for at in range(place - 1, max(place - 8, -1), -1):
        token = tokens[at]
        value = _value(tokens, at, words)
        if value is not None:
            return at, value * scale
        if token in words.scale:
            scale *= words.scale[token]
            if at == 0 or _value(tokens, at - 1, words) is None:
                return at, float(scale)
        elif token != "-":
            skipped += 1
            if skipped > _SKIPPED or token in STOPS or token in words.prepositions | words.before:
                return None
    return None


def _at(tokens: Sequence[str], place: int) -> str:
    """Return the token at a place; nothing past the end."""
    return tokens[place] if place < len(tokens) else ""


def _value(tokens: Sequence[str], at: int, words: Language) -> float | None:
    token = tokens[at]
    if token[0].isdecimal():
        return float(re.sub(r"\D", "", token))
    pair = f"{tokens[at - 1]} {token}" if at else ""
    found = words.numbers.get(pair, words.numbers.get(token))
    return None if found is None else float(found)


def _is_asked(tokens: Sequence[str], at: int, value: float, unit: str, words: Language) -> bool:
    """Return whether the number at `at` is the answer's and not that of a text spoken of."""
    before = [one for one in tokens[max(at - 2, 0) : at] if one not in ("-", ",")]
    if not 1 <= value <= MOST[unit] or not words.before.isdisjoint(before):
        return False
    nearest, after = before[-1] if before else ".", _at(tokens, at + 1)
    introduced = not words.prepositions or nearest in STOPS
    introduced = introduced or not words.prepositions.isdisjoint((nearest, tokens[at]))
    if unit == "line" and (value == 1 or not (after == "-" or after in _units())):
        return False
    if introduced or not (words.at_most | words.at_least).isdisjoint(before):
        return True
    if not words.reductions.isdisjoint(tokens[:at]):
        return False
    if words.has_articles and value == 1 and tokens[at].isalpha() and after != "-":
        return not words.verbs.isdisjoint(before)
    clause = _clause(tokens, at)
    if unit in ("word", "character") or len(clause) < _SKIPPED:
        return True
    asking = words.verbs | words.prepositions if after == "-" else words.verbs
    return not asking.isdisjoint(clause)


def _clause(tokens: Sequence[str], at: int) -> Sequence[str]:
    """Return the tokens of a sentence that stand before `at`."""
    start = next((i + 1 for i in range(at - 1, -1, -1) if tokens[i] in STOPS), 0)
    return tokens[start:at]


def _ask(tokens: Sequence[str], found: tuple[int, float, int], unit: str, words: Language) -> Ask:
    """Return what is asked, with what the words around it say of how strictly."""
    start, count, end = min(found[0], found[2]), found[1], found[2]
    low = None
    if start >= 2 and tokens[start - 1] in _RANGES:
        low = _value(tokens, start - 2, words)
    around = [*tokens[max(start - _WINDOW, 0) : start], *tokens[end + 1 : end + 1 + _WINDOW]]
    at_most, at_least = (not some.isdisjoint(around) for some in (words.at_most, words.at_least))
    compared = not _COMPARATIVES.isdisjoint(around)
    if compared and not _TURNS.isdisjoint(around):
        at_most, at_least = at_least, at_most
    return Ask(
        unit=unit,
        count=count,
        word_tokens=words.word_tokens,
        at_least=at_least and not at_most,
        at_most=at_most,
        each=not words.each.isdisjoint(around),
        low=low if low is not None and 0 < low < count else None,
    )


def _lists(tokens: Sequence[str], taken: set[int]) -> Iterator[Ask]:
    """Yield the lists asked for: "list 50 birds", "nenne mir zehn Gründe", "10 şehir say"."""
    for place, token in enumerate(tokens):
        for words in _verbs().get(token, ()):
            at = _number_of_list(tokens, place, words)
            if at is not None and at not in taken:
                taken.add(at)
                yield Ask("item", _value(tokens, at, words) or 0.0, words.word_tokens)


def _number_of_list(tokens: Sequence[str], verb: int, words: Language) -> int | None:
    """Return where the number of the list stands that the verb asks for, where it asks for one.

    It follows the verb; where verbs end the sentence, it stands before.
    """
    places = range(verb + 1, min(verb + 2 + _SKIPPED, len(tokens) - 1))
    if verb and tokens[verb - 1] in words.before:
        return None
    if not words.prepositions:
        if tokens[verb + 1 : verb + 2] and tokens[verb + 1] not in STOPS:
            return None
        places = range(verb - 2, max(verb - 6, -1), -1)
    for at in places:
        value = _value(tokens, at, words)
        if tokens[at] in STOPS or tokens[at] in words.before:
            return None
        if value is not None:
            things = tokens[at + 1]
            is_list = 1 < value <= MOST["item"] and len(things) > 2 and things not in _MEASURED
            return at if is_list and re.match(_LETTER, things) else None
    return None
