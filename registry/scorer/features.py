"""What a prompt's text shows without understanding it: length, digits, code, options, wording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log1p
from statistics import fmean, pstdev

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.text import clip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Marks far inside a long paste say little; reading them would cost more than encoding.
_HEAD_CHARS = 4000
_TAIL_CHARS = 4000

_SYMBOLS = frozenset("{}[]()<>=+-*/\\^_|&%$#@~`;:")
_HAN, _KANA = "[\u4e00-\u9fff]", "[\u3040-\u30ff]"  # take long to compile: only where needed
_WORD = re.compile(r"[A-Za-z']+")
_SENTENCE_END = re.compile(r"[.!?]\s+")
_OPTION = re.compile(r"^\s*\(?[A-J][.):]\s+(.*)$", re.MULTILINE)
_AMOUNT = re.compile(r"[-+$£€]?\s*\d|\\\(|\$")
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LONG_WORD, _SHORT_WORD = 9, 3
_LONGEST_NUMBER = 15  # digits; more are an identifier

# How often these occur in the whole text, as the logarithm of 1 + the count.
_MARKS = {
    "log_numbers": re.compile(r"\d+(?:[.,]\d+)*"),
    "log_questions": re.compile(r"\?"),
    "log_latex": re.compile(r"\\[a-zA-Z]+|\$[^$\n]{1,80}\$|\^\{|_\{"),
    "log_code": re.compile(
        r"\b(?:def|class|return|import|function|const|public|void|SELECT|assert|elif|lambda)\b"
        r"|[{};]\s*$|==|!=|->|=>|\(\)",
        re.MULTILINE,
    ),
}
# Whether these occur in the whole text.
_SIGNS = {
    "is_fenced": re.compile(r"```"),
    "asks_proof": re.compile(r"\b(?:prove|proof|show that|derive|theorem|lemma)\b", re.IGNORECASE),
    "asks_code": re.compile(
        r"\b(?:python|java|javascript|typescript|rust|golang|sql|c\+\+|code|function|script|regex|"
        r"program|implement|refactor|debug)\b",
        re.IGNORECASE,
    ),
    "asks_steps": re.compile(
        r"step[- ]by[- ]step|explain your|show your work|reasoning", re.IGNORECASE
    ),
}
# How often these occur in what stands before the answer options: words, then other marks.
_COUNTED_WORDS = {
    "log_conditions": _words("if given assume suppose let when such where"),
    "log_functions": _words("def return"),
    "log_parts": _words("average mean total each every twice half double remaining left"),
    "log_units": _words(
        "cm kg km mol joule joules volt volts meter meters mile miles hour hours minute minutes "
        "degree degrees dollar dollars ft lb inches"
    ),
    "log_function_words": _words("the of and"),
}
_COUNTED = {
    "log_decimals": re.compile(r"\d\.\d"),
    "log_percents": re.compile(r"%|percent"),
    "log_dollars": re.compile(r"\$\d"),
    "log_commas": re.compile(r","),
    "log_equations": re.compile(r"="),
    "log_loops": re.compile(r"\b(?:for|while)\b.*:"),
    "log_strings": re.compile(r"""['"][^'"\n]{2,}['"]"""),
    "log_lists": re.compile(r"\[\d"),
}
# Whether any of these occurs there: words, then phrases.
_WORDS = {
    "is_negated": _words("not except least incorrect false never cannot"),
    "asks_true": _words("statement true"),
    "asks_why": _words("why"),
    "asks_how": _words("how"),
    "asks_when": _words("when"),
    "asks_where": _words("where"),
    "asks_who": _words("who whose whom"),
    "asks_value": _words("calculate compute find determine evaluate"),
    "asks_mathematics": _words("probability integral matrix derivative polynomial triangle modulo"),
}
_PHRASES = {
    "asks_how_many": ("how many", "how much", "what is the value"),
    "asks_which": ("which of the following", "best describes", "most likely", "according to"),
    "has_passage": ("passage", "context:", "paragraph", "article"),
    "has_blank": ("__", "blank"),
}
_WHETHER = _words("is are was does do did can")
FEATURES = (
    "log_chars",
    "log_lines",
    "digit_share",
    "upper_share",
    "non_ascii_share",
    "han_share",
    "kana_share",
    "bytes_per_char",
    "symbol_share",
    "word_chars",
    "log_options",
    "log_option_chars",
    "log_option_spread",
    "number_option_share",
    "log_question_chars",
    "log_sentences",
    "log_sentence_words",
    "distinct_word_share",
    "long_word_share",
    "short_word_share",
    "log_distinct_numbers",
    "log_largest_number",
    *_MARKS,
    *_SIGNS,
    *_COUNTED_WORDS,
    *_COUNTED,
    *_WORDS,
    *_PHRASES,
    "asks_whether",
)


def measure(text: str) -> NDArray[np.float32]:
    """Return the numbers named in `FEATURES`, not yet standardised.

    Only `log_chars` counts all of a long text; the others read its beginning and its end.
    """
    seen = clip(text, _HEAD_CHARS, _TAIL_CHARS)
    options = list(_OPTION.finditer(seen))
    question = seen[: options[0].start()] if options else seen
    lowered = question.lower()
    words = _WORD.findall(lowered)
    often = Counter(words)
    values = [
        log1p(len(text)),
        *_shares(seen),
        *_of_options([option[1] for option in options]),
        *_of_words(question, words),
        *_of_numbers(_PLAIN_NUMBER.findall(question)),
        *(log1p(len(pattern.findall(seen))) for pattern in _MARKS.values()),
        *(float(pattern.search(seen) is not None) for pattern in _SIGNS.values()),
        *(log1p(sum(often[word] for word in some)) for some in _COUNTED_WORDS.values()),
        *(log1p(len(pattern.findall(question))) for pattern in _COUNTED.values()),
        *(float(not some.isdisjoint(often)) for some in _WORDS.values()),
        *(float(any(one in lowered for one in some)) for some in _PHRASES.values()),
        float(bool(words) and words[0] in _WHETHER),
    ]
    return np.array(values, dtype=np.float32)


def _shares(seen: str) -> Sequence[float]:
    """Return `log_lines` to `word_chars`."""
    size = max(len(seen), 1)
    words = seen.split()
    return (
        log1p(seen.count("\n")),
        sum(map(str.isdigit, seen)) / size,
        sum(map(str.isupper, seen)) / size,
        (len(seen) - sum(map(str.isascii, seen))) / size,
        _count(_HAN, seen) / size,
        _count(_KANA, seen) / size,
        len(seen.encode("utf-8", "replace")) / size,
        sum(map(_SYMBOLS.__contains__, seen)) / size,
        min(sum(map(len, words)) / max(len(words), 1), 20.0),
    )


def _count(pattern: str, text: str) -> int:
    return 0 if text.isascii() else len(re.findall(pattern, text))


def _of_options(options: Sequence[str]) -> Sequence[float]:
    """Return `log_options` to `number_option_share`."""
    if not options:
        return (0.0, 0.0, 0.0, 0.0)
    sizes = [len(option) for option in options]
    return (
        log1p(len(options)),
        log1p(fmean(sizes)),
        log1p(pstdev(sizes)),
        fmean(_AMOUNT.match(option) is not None for option in options),
    )


def _of_words(question: str, words: Sequence[str]) -> Sequence[float]:
    """Return `log_question_chars` to `short_word_share`."""
    count = max(len(words), 1)
    sentences = sum(1 for one in _SENTENCE_END.split(question) if one.strip())
    return (
        log1p(len(question)),
        log1p(sentences),
        log1p(len(words) / max(sentences, 1)),
        len(set(words)) / count,
        sum(len(word) >= _LONG_WORD for word in words) / count,
        sum(len(word) <= _SHORT_WORD for word in words) / count,
    )


def _of_numbers(numbers: Sequence[str]) -> Sequence[float]:
    """Return `log_distinct_numbers` and `log_largest_number`."""
    amounts = [float(number) for number in numbers if len(number) <= _LONGEST_NUMBER]
    return (log1p(len(set(numbers))), log1p(max(amounts, default=0.0)))
