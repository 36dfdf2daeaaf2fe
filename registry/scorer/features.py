"""What a prompt's text shows without understanding it: length, digits, code, options."""

from __future__ import annotations

import re
from math import log1p

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.canonical import canonical

FEATURES = (
    "log_chars",
    "log_lines",
    "digit_share",
    "upper_share",
    "non_ascii_share",
    "symbol_share",
    "word_chars",
    "log_numbers",
    "log_questions",
    "log_options",
    "log_latex",
    "log_code",
    "is_fenced",
    "asks_proof",
    "asks_code",
    "asks_steps",
)

# Marks far inside a long paste say little; reading them would cost more than encoding.
_HEAD_CHARS = 4000
_TAIL_CHARS = 4000

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_OPTION = re.compile(r"^\s*\(?[A-J][.):]\s", re.MULTILINE)
_LATEX = re.compile(r"\\[a-zA-Z]+|\$[^$\n]{1,80}\$|\^\{|_\{")
_CODE = re.compile(
    r"\b(?:def|class|return|import|function|const|public|void|SELECT|assert|elif|lambda)\b"
    r"|[{};]\s*$|==|!=|->|=>|\(\)",
    re.MULTILINE,
)
_PROOF = re.compile(r"\b(?:prove|proof|show that|derive|theorem|lemma)\b", re.IGNORECASE)
_ASKS_CODE = re.compile(
    r"\b(?:python|java|javascript|typescript|rust|golang|sql|c\+\+|code|function|script|regex|"
    r"program|implement|refactor|debug)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(r"step[- ]by[- ]step|explain your|show your work|reasoning", re.IGNORECASE)
_SYMBOLS = frozenset("{}[]()<>=+-*/\\^_|&%$#@~`;:")


def clip(text: str, head: int, tail: int) -> str:
    """Return `text`, or its first `head` and last `tail` characters where it is longer."""
    if len(text) <= head + tail:
        return text
    return f"{text[:head]}\n{text[-tail:]}"


def measure(text: str, *, as_typed: bool = False) -> NDArray[np.float32]:
    """Return the numbers named in `FEATURES`, not yet standardised.

    Only `log_chars` counts all of a long text; the others read its beginning and its end. Text
    is read in its canonical form, or just `as_typed`.
    """
    clipped = clip(text, _HEAD_CHARS, _TAIL_CHARS)
    seen = clipped if as_typed else canonical(clipped)
    size = max(len(seen), 1)
    words = seen.split()
    values = (
        log1p(len(text) - len(clipped) + len(seen)),
        log1p(seen.count("\n")),
        sum(map(str.isdigit, seen)) / size,
        sum(map(str.isupper, seen)) / size,
        (len(seen) - sum(map(str.isascii, seen))) / size,
        sum(map(_SYMBOLS.__contains__, seen)) / size,
        min(sum(map(len, words)) / max(len(words), 1), 20.0),
        log1p(len(_NUMBER.findall(seen))),
        log1p(seen.count("?")),
        log1p(len(_OPTION.findall(seen))),
        log1p(len(_LATEX.findall(seen))),
        log1p(len(_CODE.findall(seen))),
        float("```" in seen),
        float(_PROOF.search(seen) is not None),
        float(_ASKS_CODE.search(seen) is not None),
        float(_STEPS.search(seen) is not None),
    )
    return np.array(values, dtype=np.float32)
