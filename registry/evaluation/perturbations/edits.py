"""Edits of a request that a reader could undo: case, spacing, typing, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random

from rolecall.registry.evaluation.perturbations.prose import Edit, Prose, cased
from rolecall.registry.evaluation.perturbations.synonyms import replacements, rules, words_of

_FIRST = re.compile(r"\s*([A-Z])(?:[a-z]+\b|\b(?= [a-z]))")
_CAPITAL = re.compile(r"(?<![\w\\/@#$&-])(?:[A-Z][a-z]+|I)(?![\w-])")
_SPACE = re.compile(r"(?<=\S) (?=\S)")
ITEM = re.compile(r"\s*(?:[-*•#>]|\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,4})[.)])\s")
_QUESTION = re.compile(
    r"(?:what|who|whose|when|where|why|how|which|is|are|was|were|do|does|did|can|could|should|"
    r"would|will|has|have)\b",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:\A|[.!?:]\s+)(?=\S)")
_ANY_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_WORDS = 3
_LEAST_LETTERS = 5
_SHARE = 0.3
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])'(?=[A-Za-z])")
# A mark after a digit may be inches.
_STRAIGHT = re.compile(r"(?<!\d)\"")
_CURLY = re.compile(r"[“”‘’]")
_STRAIGHTENED = {"“": '"', "”": '"', "‘": "'", "’": "'"}

_MOST_SYNONYMS = 3

# What is said for courtesy, and what stays without it.
_GREETED = re.compile(
    r"\A\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[ \w]{0,20}[,!.]?\s+", re.I
)
_THANKED = re.compile(
    r"\s*\b(?:many thanks|thanks|thank you)(?: in advance| so much| very much| a lot)?[.!]*\s*\Z",
    re.I,
)
_ASKED = re.compile(
    r"\A\s*(?:(?:could|would|can|will) you|i(?: would|'d) like you to|i want you to)"
    r"(?: please| kindly)? ([a-z])",
    re.I,
)
_PLEASE = re.compile(r"\b(please|kindly),? (\w)|,? please(?=[.!?]*\s*\Z)", re.I)

SENTENCE = re.compile(r"(?<!\S)[A-Z][^\n]*?[.!?](?= +[A-Z\"“$\\(]|\s*$)", re.M)
ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|al|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Eq|[A-Z])\.\Z")
_LEANS = re.compile(
    r"\b(?:it|its|he|she|they|them|their|his|her|hers|him|this|that|these|those|such|then|next|"
    r"after|afterwards|before|later|also|so|thus|therefore|hence|however|but|finally|first|firstly|"
    r"second|third|last|former|latter|above|below|following|same|other|others|another|each|both|"
    r"instead|now|let|if|when|while|again|still|too|one|ones|respectively|remaining|rest|more)\b",
    re.I,
)

_CONTENT = re.compile(r"[a-z]{4,}|\b[b-z]\b")

_BEFORE_COUNT = r"(?<![\w.,$€£%^_/*+=<>():-])(?<![-+*/=<>^$] )"
_DIGITS = re.compile(_BEFORE_COUNT + r"([2-9]|1[0-2])(?= ([a-z]{3,})\b)")
_PRONOUN = r"(?:you|i|we|they|he|she|it)\b"


def lower_first(prose: Prose, _rng: Random) -> str | None:
    """Begin without a capital."""
    found = _FIRST.match(prose.text)
    if found is None or not prose.is_open(found.start(1), found.end()):
        return None
    return prose.edited([(found.start(1), found.end(1), found[1].lower())])


def lower_case(prose: Prose, _rng: Random) -> str | None:
    """Type all prose without the shift key; abbreviations and single letters keep their case."""
    return prose.edited([(*word.span(), word[0].lower()) for word in prose.find(_CAPITAL)])


def upper_word(prose: Prose, rng: Random) -> str | None:
    """Shout one word."""
    words = _plain_words(prose, least=4)
    if not words:
        return None
    word = rng.choice(words)
    return prose.edited([(*word.span(), word[0].upper())])


def double_spaces(prose: Prose, rng: Random) -> str | None:
    """Double some of the spaces between words."""
    spaces = prose.find(_SPACE)
    chosen = [space for space in spaces if rng.random() < _SHARE] or spaces[:1]
    return prose.edited([(*space.span(), "  ") for space in chosen])


def joined_lines(prose: Prose, _rng: Random) -> str | None:
    """Put a space for each break between two lines of prose."""
    lines = prose.lines()
    edits: list[Edit] = []
    for (start, end), (following, last) in pairwise(lines):
        ends = start + len(prose.text[start:end].rstrip())
        begins = last - len(prose.text[following:last].lstrip())
        # Code or options may stand between two lines of prose.
        if (
            not prose.text[ends:begins].strip()
            and ITEM.match(prose.text, following, last) is None
            and _is_wordy(prose.text[start:end])
            and _is_wordy(prose.text[following:last])
        ):
            edits.append((ends, begins, " "))
    return prose.edited(edits)


def trailing_newline(prose: Prose, rng: Random) -> str | None:
    """End in a newline or two, as a pipe does."""
    return prose.text + "\n" * rng.randint(1, 2)


def trailing_spaces(prose: Prose, rng: Random) -> str | None:
    """Leave spaces at the end of some lines of prose, and of the whole."""
    ends = [end for _, end in prose.lines() if end < len(prose.text) and rng.random() < _SHARE]
    edits = [(end, end, " " * rng.randint(1, 2)) for end in [*ends, len(prose.text)]]
    return prose.edited(edits)


def end_mark(prose: Prose, _rng: Random) -> str | None:
    """Drop the mark that ends the last line of prose, or put one where none is."""
    lines = prose.lines()
    if not lines:
        return None
    start, end = lines[-1]
    line = prose.text[start:end].rstrip()
    last = start + len(line)
    if line[-1] in ".?!" and prose.is_open(last - 1, last) and len(line) > 1:
        return None if line[-2] in ".?!" else prose.edited([(last - 1, last, "")])
    if not line[-1].isalpha() or not prose.is_open(last - 1, last):
        return None
    starts = [0, *(found.end() for found in _SENTENCE_START.finditer(line))]
    return prose.edited([(last, last, "?" if _QUESTION.match(line, starts[-1]) else ".")])


def swapped_letters(prose: Prose, rng: Random) -> str | None:
    """Swap two letters inside one long word."""
    return _typo(prose, rng, lambda one, two: two + one if one != two else None)


def dropped_letter(prose: Prose, rng: Random) -> str | None:
    """Leave out one letter inside one long word."""
    return _typo(prose, rng, lambda one, two: two)  # noqa: ARG005


def doubled_letter(prose: Prose, rng: Random) -> str | None:
    """Type one letter inside one long word twice."""
    return _typo(prose, rng, lambda one, two: one + one + two)


def quotes(prose: Prose, _rng: Random) -> str | None:
    """Turn straight quotation marks and apostrophes into curly ones, or back."""
    whole = Prose.of(prose.text, quoted=True)
    apostrophes = whole.find(_APOSTROPHE)
    marks = whole.find(_STRAIGHT)
    if len(marks) % 2:
        marks = []
    edits = [(*mark.span(), "’") for mark in apostrophes]
    edits += [(*mark.span(), "“”"[number % 2]) for number, mark in enumerate(marks)]
    if not edits:
        edits = [(*mark.span(), _STRAIGHTENED[mark[0]]) for mark in whole.find(_CURLY)]
    return whole.edited(edits)


def _is_wordy(line: str) -> bool:
    return len(_ANY_WORD.findall(line)) >= _LEAST_WORDS


def _plain_words(prose: Prose, least: int = _LEAST_LETTERS) -> list[re.Match[str]]:
    return [word for word in prose.words() if len(word[0]) >= least and word[0].islower()]


def _typo(prose: Prose, rng: Random, typed: Callable[[str, str], str | None]) -> str | None:
    """Put what is typed for two letters that are neither the first nor the last of a word."""
    edits = [
        (start, start + 2, letters)
        for word in _plain_words(prose)
        for start in range(word.start() + 1, word.end() - 2)
        if (letters := typed(*prose.text[start : start + 2])) is not None
    ]
    return prose.edited([rng.choice(edits)]) if edits else None


def synonyms(prose: Prose, rng: Random) -> str | None:
    """Put synonyms for one to three words."""
    places = replacements(prose)
    if not places:
        return None
    count = rng.randint(1, min(_MOST_SYNONYMS, len(places)))
    return prose.edited([rng.choice(edits) for edits in rng.sample(places, count)])


def spelling(prose: Prose, _rng: Random) -> str | None:
    """Spell as Americans do what is spelt as Britons do, or else the other way round."""
    american: Mapping[str, str] = rules()["british"]
    british = {new: old for old, new in american.items()}
    return with_words(prose, american) or with_words(prose, british)


def contractions(prose: Prose, _rng: Random) -> str | None:
    """Contract (do not: don't) whatever can be, or else write contractions out."""
    short: Mapping[str, str] = rules()["contractions"]
    return _with_phrases(prose, short) or _with_phrases(
        prose, {new: old for old, new in short.items()}
    )


def number_words(prose: Prose, _rng: Random) -> str | None:
    """Write small counts as words, or else number words as digits."""
    names = dict(enumerate(rules()["numbers"], start=2))
    counts = [match for match in prose.find(_DIGITS) if _counts(prose, match)]
    if counts:
        return prose.edited([(*match.span(1), names[int(match[1])]) for match in counts])
    digits = {name: str(number) for number, name in names.items()}
    spelt = re.compile(rf"\b({'|'.join(digits)})(?= ([a-z]{{3,}})\b)")
    counts = [match for match in prose.find(spelt) if _counts(prose, match)]
    return prose.edited([(*match.span(1), digits[match[1]]) for match in counts])


def blunt(prose: Prose, _rng: Random) -> str | None:
    """Leave out greeting, please, thanks and whether it could be done."""
    text = _ASKED.sub(
        lambda asked: asked[1].upper(), _GREETED.sub("", _THANKED.sub("", prose.text))
    )
    rest = Prose.of(text)
    edits = [
        (*one.span(), "" if one[1] is None else cased(one[1], one[2])) for one in rest.find(_PLEASE)
    ]
    return rest.edited(edits) or text


def sentence_order(prose: Prose, rng: Random) -> str | None:
    """Swap two statements of the preamble that do not lean on each other."""
    found = [one for one in SENTENCE.finditer(prose.text) if not prose.is_block(*one.span())]
    places = [
        (one, two)
        for number, (one, two) in enumerate(pairwise(found), start=2)
        if set(prose.text[one.end() : two.start()]) == {" "}
        and _stands_alone(prose, one)
        and _stands_alone(prose, two)
        and number < len(found)
        and _are_apart(prose, one, two)
    ]
    if not places:
        return None
    one, two = rng.choice(places)
    return prose.edited([(*one.span(), two[0]), (*two.span(), one[0])])


def _stands_alone(prose: Prose, sentence: re.Match[str]) -> bool:
    end = sentence.end()
    return (
        sentence[0].endswith(".")
        and prose.is_open(end - 1, end)
        and not ABBREVIATED.search(sentence[0])
        and not _LEANS.search(sentence[0])
        and len(sentence[0].split()) > 2
    )


def _are_apart(prose: Prose, one: re.Match[str], two: re.Match[str]) -> bool:
    """Tell whether two statements share no subject; what sets the scene stays in front."""
    opens = not prose.text[: one.start()].strip()
    return (
        prose.is_open(*one.span())
        and prose.is_open(*two.span())
        and ":" not in one[0] + two[0]
        and not (opens and two[0].startswith("The "))
        and not set(_CONTENT.findall(one[0].lower())) & set(_CONTENT.findall(two[0].lower()))
    )


def with_words(prose: Prose, table: Mapping[str, str]) -> str | None:
    """Put the table's words for its keys wherever they are no names."""
    return prose.edited(
        (*word.span(), cased(word[0], table[word[0].lower()]))
        for word in prose.words()
        if word[0].lower() in table and not prose.is_name(word.start())
    )


def _counts(prose: Prose, match: re.Match[str]) -> bool:
    """Tell whether a number counts the word after it, and is no name such as `type 2`."""
    if match[2] in words_of("not_counted"):
        return False
    before = prose.word_before(match.start())
    if before is None:
        return True
    return before[1].lower() not in words_of("numbered") and not prose.is_name(before.start())


def _with_phrases(prose: Prose, table: Mapping[str, str]) -> str | None:
    new = {old.lower(): text for old, text in table.items()}
    longest = "|".join(sorted(new, key=len, reverse=True)).replace("'", "['’]")
    followed = rf"(?= \w)(?! (?:{_PRONOUN}|(?:been|got|had|become)\b))"
    return prose.edited(
        (*match.span(), cased(match[0], new[match[0].lower().replace("’", "'")]))
        for match in prose.find(re.compile(rf"\b(?:{longest}){followed}", re.I))
        # A question that begins with "Isn't" would turn into "Is not it".
        if not (match[0][0].isupper() and match[0].endswith("n't") and match[0] != "Don't")
    )
