"""The length that a prompt's own words ask for, in tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log

from rolecall.registry.scorer.asked_words import (
    CODE_CUES,
    COMPARATIVES,
    DENSE_AT_LEAST,
    DENSE_AT_MOST,
    DENSE_BEFORE,
    DENSE_EACH,
    DENSE_LISTS,
    DENSE_NUMBER,
    DENSE_THOUSANDS,
    DENSE_UNITS,
    DENSE_YES_OR_NO,
    HAN_NUMBERS,
    KOREAN_NUMBERS,
    LANGUAGES,
    MEASURED,
    RANGES,
    REASON_CUES,
    TURNS,
    UNITS,
    Language,
)

_FENCED = re.compile(r"```.*?(?:```|$)|<(\w+)[^<>]*>.*?</\1>", re.DOTALL)
_QUOTED = re.compile(r"“[^”]{30,}”|\"[^\"]{30,}\"|«[^»]{30,}»|„[^“”]{30,}[“”]|「[^」]{20,}」")
_ELISION = re.compile(r"\b(?:qu|jusqu|[lds])['’]")
_LETTER = r"(?:[^\W\d_]|[\u0900-\u0963\u064b-\u065f\u0300-\u036f])"
_TOKEN = re.compile(
    rf"{_LETTER}+(?:['’ʼ]{_LETTER}+)*|\d{{1,3}}(?:[.,'’ \u00a0\u202f]\d{{3}})+|\d+|[^\w\s]|\n"
)
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_STOPS = frozenset(".!?;:\n")
_HEAD_CHARS, _TAIL_CHARS, _LAST_LINE_CHARS = 400, 160, 240
_MOST_TOKENS = 32_000.0
_SKIPPED = 2  # words that may stand between a number and its unit
_WINDOW = 3  # tokens around both that say how strict it is
# Of each unit: words in it, share of the prediction it decides, usual range as factors.
_MEASURES = {
    "word": (1.0, 0.9, 0.6, 1.6),
    "character": (0.18, 0.9, 0.5, 1.6),
    "page": (420.0, 0.8, 0.5, 1.8),
    "sentence": (17.0, 0.75, 0.5, 2.0),
    "paragraph": (75.0, 0.7, 0.4, 2.5),
    "line": (8.0, 0.7, 0.5, 2.5),
    "bullet": (16.0, 0.6, 0.3, 3.0),
    "item": (10.0, 0.6, 0.35, inf),
}
# More than these no prompt asks for: the number is of something else.
_MOST = {
    "word": 50_000,
    "character": 200_000,
    "page": 60,
    "sentence": 200,
    "paragraph": 60,
    "line": 300,
    "bullet": 40,
    "item": 1_000,
}
_EXACT = ("word", "character", "page")
_DENSE_WORDS = {"character": 0.5, "word": 1.0}  # else as in `_MEASURES`
_DENSE_WORD_TOKENS = 1.7


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
class _Ask:
    """`count` of a unit, whose words are of so many tokens each."""

    unit: str
    count: float
    word_tokens: float
    at_least: bool = False
    at_most: bool = False
    each: bool = False
    low: float | None = None

    @property
    def tokens(self) -> float:
        words = _MEASURES[self.unit][0]
        if self.word_tokens == _DENSE_WORD_TOKENS:
            words = _DENSE_WORDS.get(self.unit, words)
        return self.count * words * self.word_tokens

    def length(self, times: float = 1.0) -> AskedLength:
        """Return the length of `times` such answers."""
        _, share, lower, upper = _MEASURES[self.unit]
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


def asked_tokens(text: str) -> AskedLength | None:
    """Return the length that a prompt asks for; null where it asks for none.

    Only its own words count: the beginning and the end, without fenced, quoted or pasted text.
    """
    own = unicodedata.normalize("NFKC", _instruction(text)).lower()
    if _asks_yes_or_no(own):
        return AskedLength(2.0, 1.0, 6.0, 0.9)
    asks = [*_spaced(own), *(_dense(own) if _DENSE.search(own) else ())]
    if not asks:
        return None
    return _together(asks)


def _together(asks: Sequence[_Ask]) -> AskedLength | None:
    """Return the length of all that is asked: words say more than sentences.

    What each of unknown many parts should have says nothing.
    """
    parts = [one for one in asks if one.each]
    wholes = [one for one in asks if not one.each]
    if parts and not wholes:
        return None
    if parts:
        times = max(one.count for one in wholes)
        exact = [one for one in wholes if one.unit in _EXACT]
        return exact[0].length() if exact else max(parts, key=_tokens_of).length(times)
    exact = [one for one in wholes if one.unit in _EXACT]
    return max(exact or wholes, key=_tokens_of).length()


def _tokens_of(ask: _Ask) -> float:
    return ask.tokens


def _instruction(text: str) -> str:
    """Return the prompt's own words: what stands before, after and outside of a paste."""
    bare = _QUOTED.sub(" … ", _FENCED.sub("\n\n", text)).strip()
    blocks = [block.strip() for block in re.split(r"\n\s*\n", bare) if block.strip()]
    if not blocks:
        return ""
    first, last = _before_paste(blocks[0]), blocks[-1]
    if len(blocks) == 1 and len(last) <= _HEAD_CHARS + _TAIL_CHARS and first == last:
        return last
    end = last.splitlines()[-1] if len(last) > _LAST_LINE_CHARS else last
    if len(blocks) == 1 and "\n" not in last:
        end = last[-_TAIL_CHARS:] if first == last else ""
    return f"{first[:_HEAD_CHARS]}\n{end if len(end) <= _LAST_LINE_CHARS else ''}"


def _before_paste(block: str) -> str:
    """Return a block up to the colon after which another's text stands."""
    before, colon, after = block.partition(":")
    if not colon or after[:1] not in ("", " ", "\n"):
        return block
    words = frozenset(_TOKEN.findall(before.lower()))
    handled = any(not words.isdisjoint(_words(one).reductions) for one in LANGUAGES)
    return before if handled or len(after) > max(_HEAD_CHARS, 3 * len(before)) else block


def _asks_yes_or_no(own: str) -> bool:
    phrases = DENSE_YES_OR_NO.split("|")
    for one in LANGUAGES.values():
        phrases += one.yes_or_no.split("|")
    return any(phrase in own for phrase in phrases) and not any(cue in own for cue in REASON_CUES)


@dataclass(frozen=True, slots=True)
class _Words:
    """A language's words, ready to be looked up."""

    numbers: dict[str, int]
    verbs: frozenset[str]
    reductions: frozenset[str]
    prepositions: frozenset[str]
    before: frozenset[str]
    at_most: frozenset[str]
    at_least: frozenset[str]
    each: frozenset[str]
    scale: dict[str, int]
    tokens: float
    articles: bool


@cache
def _words(name: str) -> _Words:
    one: Language = LANGUAGES[name]
    numbers = {
        form: number
        for number, forms in enumerate(one.numbers.split(";"), start=1)
        for form in forms.split(",")
    }
    scale = dict.fromkeys(one.thousand.split(), 1_000) | dict.fromkeys(one.hundred.split(), 100)
    sets = (
        frozenset(getattr(one, field).split())
        for field in (
            "verbs",
            "reductions",
            "prepositions",
            "before",
            "at_most",
            "at_least",
            "each",
        )
    )
    return _Words(numbers, *sets, scale, one.tokens, one.articles)


@cache
def _units() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the languages and units that each word names."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, one in LANGUAGES.items():
        for unit, forms in zip(UNITS, one.units, strict=True):
            for form in forms.split():
                found[form] = (*found.get(form, ()), (name, unit))
    return found


@cache
def _verbs() -> dict[str, tuple[str, ...]]:
    """Return the languages in which each word asks for a list."""
    found: dict[str, tuple[str, ...]] = {}
    for name in LANGUAGES:
        for verb in _words(name).verbs:
            found[verb] = (*found.get(verb, ()), name)
    return found


def _spaced(own: str) -> Iterator[_Ask]:
    """Yield what is asked in the languages that write spaces."""
    tokens = _TOKEN.findall(_ELISION.sub(" ", own))
    code = not CODE_CUES.isdisjoint(tokens)
    taken: set[int] = set()
    for place, token in enumerate(tokens):
        for name, unit in _units().get(token, ()):
            if code and unit in ("word", "line", "character", "page"):
                continue
            words = _words(name)
            found = _counted(tokens, place, words)
            if found and found[0] not in taken and _is_asked(tokens, *found, unit, words):
                taken.add(found[0])
                yield _ask(tokens, (*found, place), unit, words)
                break
    if not code:
        yield from _lists(tokens, taken)


def _counted(tokens: Sequence[str], place: int, words: _Words) -> tuple[int, float] | None:
    """Return where the number of the unit at `place` stands, and the number; null without one."""
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    if words is _words("ar") and (after in words.numbers or tokens[place].endswith("تين")):
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
            if skipped > _SKIPPED or token in _STOPS or token in words.prepositions | words.before:
                return None
    return None


def _value(tokens: Sequence[str], at: int, words: _Words) -> float | None:
    token = tokens[at]
    if token[0].isdigit():
        return float(re.sub(r"\D", "", token))
    pair = f"{tokens[at - 1]} {token}" if at else ""
    found = words.numbers.get(pair, words.numbers.get(token))
    return None if found is None else float(found)


def _is_asked(tokens: Sequence[str], at: int, value: float, unit: str, words: _Words) -> bool:
    """Return whether the number at `at` is the answer's and not that of a text spoken of."""
    before = [one for one in tokens[max(at - 2, 0) : at] if one not in ("-", ",")]
    if not 1 <= value <= _MOST[unit] or not words.before.isdisjoint(before):
        return False
    nearest = before[-1] if before else "."
    introduced = not words.prepositions or nearest in _STOPS
    introduced = introduced or not words.prepositions.isdisjoint((nearest, tokens[at]))
    if introduced or not (words.at_most | words.at_least).isdisjoint(before):
        return True
    if not words.reductions.isdisjoint(tokens[:at]):
        return False
    if words.articles and value == 1 and tokens[at].isalpha() and tokens[at + 1] != "-":
        return not words.verbs.isdisjoint(before)
    told = unit in ("word", "character") or tokens[at + 1] == "-"
    return told or not words.verbs.isdisjoint(_clause(tokens, at))


def _clause(tokens: Sequence[str], at: int) -> Sequence[str]:
    """Return the tokens of a sentence that stand before `at`."""
    start = next((i + 1 for i in range(at - 1, -1, -1) if tokens[i] in _STOPS), 0)
    return tokens[start:at]


def _ask(tokens: Sequence[str], found: tuple[int, float, int], unit: str, words: _Words) -> _Ask:
    """Return what is asked, with what the words around it say of how strictly."""
    start, count, end = min(found[0], found[2]), found[1], found[2]
    low = None
    if start >= 2 and tokens[start - 1] in RANGES:
        low = _value(tokens, start - 2, words)
    around = [*tokens[max(start - _WINDOW, 0) : start], *tokens[end + 1 : end + 1 + _WINDOW]]
    at_most, at_least = (not some.isdisjoint(around) for some in (words.at_most, words.at_least))
    compared = not COMPARATIVES.isdisjoint(around)
    if compared and not TURNS.isdisjoint(around):
        at_most, at_least = at_least, at_most
    return _Ask(
        unit=unit,
        count=count,
        word_tokens=words.tokens,
        at_least=at_least and not at_most,
        at_most=at_most,
        each=not words.each.isdisjoint(around),
        low=low if low is not None and 0 < low < count else None,
    )


def _lists(tokens: Sequence[str], taken: set[int]) -> Iterator[_Ask]:
    """Yield the lists asked for: "list 50 birds", "nenne mir zehn Gründe", "10 şehir say"."""
    for place, token in enumerate(tokens):
        for name in _verbs().get(token, ()):
            at = _number_of_list(tokens, place, _words(name))
            if at is not None and at not in taken:
                taken.add(at)
                yield _Ask("item", _value(tokens, at, _words(name)) or 0.0, _words(name).tokens)


def _number_of_list(tokens: Sequence[str], verb: int, words: _Words) -> int | None:
    """Return where the number of the list stands that the verb asks for, where it asks for one.

    It follows the verb; where verbs end the sentence, it stands before.
    """
    places = range(verb + 1, min(verb + 2 + _SKIPPED, len(tokens) - 1))
    if verb and tokens[verb - 1] in words.before:
        return None
    if not words.prepositions:
        if tokens[verb + 1 : verb + 2] and tokens[verb + 1] not in _STOPS:
            return None
        places = range(verb - 2, max(verb - 6, -1), -1)
    for at in places:
        value = _value(tokens, at, words)
        if tokens[at] in _STOPS or tokens[at] in words.before:
            return None
        if value is not None:
            things = tokens[at + 1]
            is_list = 1 < value <= _MOST["item"] and len(things) > 2 and things not in MEASURED
            return at if is_list and re.match(_LETTER, things) else None
    return None


@cache
def _dense_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    units = [(unit, f"{DENSE_NUMBER}(?:{names})") for unit, names in DENSE_UNITS.items()]
    lists = [("item", one.replace("NUMBER", DENSE_NUMBER)) for one in DENSE_LISTS]
    return tuple((unit, re.compile(pattern)) for unit, pattern in (*units, *lists))


def _dense(own: str) -> Iterator[_Ask]:
    """Yield what is asked in Chinese, Japanese and Korean."""
    if not CODE_CUES.isdisjoint(re.findall("[a-z]+", own)):
        return
    for unit, pattern in _dense_patterns():
        for found in pattern.finditer(own):
            before = own[max(found.start() - 4, 0) : found.start()]
            around = before + own[found.end() : found.end() + 5]
            if re.search(f"(?:{DENSE_BEFORE})$", before):
                continue
            yield _Ask(
                unit=unit,
                count=_dense_value(*found.groups()[:2]),
                word_tokens=_DENSE_WORD_TOKENS,
                at_least=re.search(DENSE_AT_LEAST, around) is not None,
                at_most=re.search(DENSE_AT_MOST, around) is not None,
                each=re.search(DENSE_EACH, around) is not None,
            )


def _dense_value(number: str, scale: str) -> float:
    if number[0].isdigit():
        value = int(number.replace(",", ""))
    elif number in KOREAN_NUMBERS:
        value = KOREAN_NUMBERS.index(number) + 1
    else:
        plain = number.replace("两", "二")
        value = sum(HAN_NUMBERS.index(digit) + 1 for digit in plain)
    return float(value * DENSE_THOUSANDS.get(scale, 1))
