"""Mend characters that a server has cut in two, each half in a piece of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rolecall.registry.core.chat import (
    Answer,
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)

_HIGH = ("\ud800", "\udbff")


class Mender:
    """Holds back the first half of a character until the second comes with the next piece.

    JSON can escape half of an emoji; such a half alone can neither be printed nor stored.
    """

    def __init__(self) -> None:
        self._half = ""
        self._kind: type[Event] | None = None

    def feed(self, event: Event) -> Iterator[Event]:
        """Yield the event with whole characters only; a lone half becomes `�`."""
        if isinstance(event, TextDelta | ThinkingDelta):
            yield from self._mend(event)
        elif isinstance(event, ToolCallDelta):
            yield replace(event, arguments=mended(event.arguments))
        else:
            yield event

    def _mend(self, event: TextDelta | ThinkingDelta) -> Iterator[Event]:
        text = event.text
        if self._half and self._kind is type(event):
            text = self._half + text
        self._half = text[-1] if text and _HIGH[0] <= text[-1] <= _HIGH[1] else ""
        self._kind = type(event)
        whole = mended(text.removesuffix(self._half) if self._half else text)
        if whole:
            yield type(event)(whole)


def mended(text: str) -> str:
    """Return text with halves joined to characters, and lone ones replaced by `�`."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mended_answer(answer: Answer) -> Answer:
    """Return an answer whose every part holds whole characters only."""
    return replace(answer, parts=tuple(_mended_part(part) for part in answer.parts))


def _mended_part(part: Text | Thinking | ToolCall) -> Text | Thinking | ToolCall:
    if isinstance(part, ToolCall):
        return replace(part, name=mended(part.name), arguments=mended(part.arguments))
    return replace(part, text=mended(part.text))
