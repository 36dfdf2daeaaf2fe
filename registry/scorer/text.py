"""Which part of a long text is read: its beginning, its end, and where the instruction stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

CONTEXT_CHARS = 300
SHORT_CHARS, FEW_WORDS = 200, 8
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


def asked_text(turns: Sequence[tuple[str, str]], before: str | None = None) -> str:
    """Return the last user message of a chat's roles and texts, led by the one before if short.

    A short follow-up ("yes, do it") says nothing about the work by itself. `before` is what the
    conversation was about where the chat itself does not hold it.
    """
    # Blanks around a text, such as the newline of `echo`, say nothing of the work.
    said = [text.strip() for role, text in turns if role == "user"]
    if not said:
        return turns[-1][1] if turns else ""
    earlier = said[-2] if len(said) > 1 else before
    return f"{earlier}\n\n{said[-1]}" if earlier and is_short(said[-1]) else said[-1]


def is_short(text: str) -> bool:
    """Tell whether a message is too short to say by itself what it is about."""
    return len(text) < SHORT_CHARS and len(text.split()) < FEW_WORDS


def text_read(
    turns: Sequence[tuple[str, str]], before: str | None = None, tools: Sequence[str] = ()
) -> str:
    """Return what the scorer reads of a chat: what is asked, then how its context begins.

    The context are the system prompts and the names of the tools.
    """
    asked = asked_text(turns, before)
    context = [text.strip() for role, text in turns if role in ("system", "developer")]
    if asked in context:  # there is nothing else
        return asked
    if tools:
        context.insert(0, "tools: " + ", ".join(tools))
    return compose(asked, "\n".join(context))


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
