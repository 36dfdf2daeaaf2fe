"""The types of the values that records hold, with what is wrong with a value outside of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from rolecall.registry.core.addresses import has_userinfo

LARGEST = 10**12
USERINFO_PROBLEM = (
    "a URL may hold no user and no password: name the key by key_env or key_command, "
    "and take what stands before the @ away"
)


def name_problem(text: str) -> str | None:
    """Return what keeps a text from being a name, or null."""
    if not text:
        return "a name may not be empty"
    if len(text) > 200:
        return "a name may have 200 characters at most"
    if any(character.isspace() or not character.isprintable() for character in text):
        return "a name may not contain spaces"
    return None


def prompt_problem(text: str) -> str | None:
    """Return what keeps a text from being a prompt, or null."""
    return None if text.strip() else "a prompt may not be empty"


def date_problem(text: str) -> str | None:
    """Return what keeps a text from being an ISO date (or year and month), or null."""
    try:
        date.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return f'"{text}" is not a date: write YYYY-MM-DD or YYYY-MM'
    return None if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", text) else "write YYYY-MM-DD or YYYY-MM"


def url_problem(text: str) -> str | None:
    """Return what keeps a text from being a base URL, or null; empty means the API's own."""
    from urllib.parse import urlsplit  # 5 ms that a completion in the shell does without

    if text and not re.fullmatch(r"https?://[^\s/]+\S*", text):
        return "expected a URL that starts with http:// or https://"
    if has_userinfo(text):
        return USERINFO_PROBLEM
    try:
        _ = urlsplit(text).port
    except ValueError:  # a bracket that opens no address of IPv6, a port that is no number
        return "expected a URL that names a host"
    return None


def variable_problem(text: str) -> str | None:
    """Return what keeps a text from naming an environment variable, or null.

    Strict, and silent about the text itself: it may be a key pasted in the wrong place.
    """
    if not re.fullmatch(r"[A-Z0-9_]{1,100}", text):
        return "expected the name of an environment variable such as OPENAI_API_KEY, never a key"
    return None


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; with `above`, more than `low`."""

    low: float = 0
    high: float = LARGEST
    above: bool = False

    def problem(self, number: float) -> str | None:
        """Return what is wrong with a number outside of the range, or null."""
        is_high_enough = number > self.low if self.above else number >= self.low
        if is_high_enough and number <= self.high:  # nan is neither
            return None
        if self.high < LARGEST:
            return f"out of range: {self.low:g} to {self.high:g}"
        return f"out of range: {'above' if self.above else 'at least'} {self.low:g}, and finite"


# A number without a range of its own is at least 0 and finite.
Name = Annotated[str, name_problem]
Names = tuple[Name, ...]
Prompt = Annotated[str, prompt_problem]
Date = Annotated[str, date_problem]
Url = Annotated[str, url_problem]
Variable = Annotated[str, variable_problem]
Fraction = Annotated[float, Range(high=1)]
Fractions = tuple[tuple[Name, Fraction], ...]
Factor = Annotated[float, Range(above=True)]
Tokens = Annotated[int, Range(low=1)]
