"""Which part of a long text is read: its beginning, its end, and where the instruction stands."""

from __future__ import annotations

import re

CONTEXT_CHARS = 300
# A token seldom spans more than 20 characters, so that these hold the tokens kept on each side
# while a prompt of megabytes costs no more than a page.
_HEAD_CHARS, _TAIL_CHARS = 4000, 2400
_MOST_SEARCHED = 200_000
_MOST_INSTRUCTION = 300
# A line that asks for something, in the languages that are asked for most.
_INSTRUCTION = re.compile(
    r"^(?:.{3,300}[?？]|(?:please\b|task:|question:|instructions?:|summari[sz]e|translate|explain|"
    r"write|fix|list|extract|convert|refactor|review|describe|compare|classify|find|answer|"
    r"bitte\b|schreib|erkläre|übersetze|fasse\b|résume|explique|écris|traduis|resume|explica|"
    r"escribe|traduce|请|請|总结|翻译|解释|写|напиши|объясни|переведи).{3,290})$",
    re.IGNORECASE | re.MULTILINE,
)


def compose(request: str, context: str = "") -> str:
    """Return what the scorer reads of a request: its own words, then how its context begins.

    `context` is what stands before the request: a system prompt, or earlier turns.
    """
    context = context.strip()
    return f"{request}\n\n{context[:CONTEXT_CHARS]}" if context else request


def clip(text: str, head: int = _HEAD_CHARS, tail: int = _TAIL_CHARS) -> str:
    """Return `text`, or its first `head` and last `tail` characters where it is longer."""
    if len(text) <= head + tail:
        return text
    return f"{text[:head]}\n{text[-tail:]}"


def instruction_within(text: str, start: int, end: int) -> str:
    """Return the last line between two characters that asks for something, or an empty text."""
    found = ""
    for match in _INSTRUCTION.finditer(text, start, min(end, start + _MOST_SEARCHED)):
        found = match[0]
    return found[:_MOST_INSTRUCTION]
