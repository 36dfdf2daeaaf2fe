"""Put the pieces of an answer together in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rolecall.registry.core.chat import (
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)


@dataclass(slots=True)
class _Prose:
    """Text, or thinking where `origin` is set."""

    origin: str | None
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class GatheredCall:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    signature: str | None = None


class Gathering:
    """The parts of one answer; pieces of the same kind in a row become one part."""

    def __init__(self) -> None:
        self._parts: list[_Prose | GatheredCall] = []

    @property
    def calls(self) -> list[GatheredCall]:
        """The tool calls so far, in order."""
        return [part for part in self._parts if isinstance(part, GatheredCall)]

    def add_text(self, piece: str) -> Iterator[Event]:
        """Take in more text; yield it unless it is empty."""
        if piece:
            self._add(None, piece)
            yield TextDelta(piece)

    def add_thinking(self, piece: str, origin: str) -> Iterator[Event]:
        """Take in more of what the model thinks; yield it unless it is empty."""
        if piece:
            self._add(origin, piece)
            yield ThinkingDelta(piece)

    def begin_call(self) -> GatheredCall:
        """Begin another tool call."""
        call = GatheredCall()
        self._parts.append(call)
        return call

    def add_to_call(self, call: GatheredCall, name: str, arguments: str) -> Iterator[Event]:
        """Take in a call's name, where it has none yet, and a piece of its arguments."""
        new_name = name if name and not call.name else None
        call.name = call.name or name
        if arguments:
            call.arguments.append(arguments)
        if new_name or arguments:
            yield ToolCallDelta(new_name, arguments)

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts; calls that came without an id are numbered `call_0`, …"""
        found: list[Text | Thinking | ToolCall] = []
        calls = 0
        for part in self._parts:
            if isinstance(part, GatheredCall):
                arguments = "".join(part.arguments) or "{}"
                identity = part.id or f"call_{calls}"
                found.append(ToolCall(identity, part.name, arguments, part.signature))
                calls += 1
            elif part.origin is None:
                found.append(Text("".join(part.pieces)))
            else:
                found.append(Thinking("".join(part.pieces), part.origin))
        return tuple(found)

    def _add(self, origin: str | None, piece: str) -> None:
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, _Prose) or last.origin != origin:
            last = _Prose(origin)
            self._parts.append(last)
        last.pieces.append(piece)
