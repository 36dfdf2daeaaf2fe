"""Put the pieces of an answer together in the order in which they came: what all readers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rolecall.registry.core.chat import (
    Answer,
    Event,
    FinishReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

_TICKS_PER_USD = 1e10
_MOST_AMOUNT = 1e15


@dataclass(slots=True)
class _Prose:
    """Text, or thinking where `origin` is set."""

    origin: str | None
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class CallSoFar:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    signature: str | None = None


class Accumulator:
    """The parts of one answer; pieces of the same kind in a row become one part."""

    def __init__(self) -> None:
        self._parts: list[_Prose | CallSoFar] = []

    @property
    def calls(self) -> list[CallSoFar]:
        """The tool calls so far, in order."""
        return [part for part in self._parts if isinstance(part, CallSoFar)]

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

    def begin_call(self) -> CallSoFar:
        """Begin another tool call."""
        call = CallSoFar()
        self._parts.append(call)
        return call

    def add_to_call(self, call: CallSoFar, name: str, arguments: str) -> Iterator[Event]:
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
            if isinstance(part, CallSoFar):
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


class AnswerReader(ABC):
    """What a reader has read so far, and the answer that it makes.

    `reasons` are why the answer ended, as the server said it.
    """

    def __init__(self) -> None:
        self.pieces = Accumulator()
        self.reasons: list[str] = []
        self.usage: Usage | None = None
        self.response_id: str | None = None
        self.response_model: str | None = None
        self.load_duration_s: float | None = None
        self.cost_usd: float | None = None

    @abstractmethod
    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one decoded record of a stream, never `Completed`.

        Raises CallFailed for an error record, and `invalid_response` for what cannot be one.
        """

    @abstractmethod
    def finish_reason(self) -> FinishReason | None:
        """Return why the answer ended, in OpenAI's words; null before it has."""

    @property
    def is_finished(self) -> bool:
        """Whether the stream's finish marker has come; what follows it is still fed (usage)."""
        return bool(self.reasons)

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts of the answer so far."""
        return self.pieces.parts()

    def answer(self) -> Answer:
        """Return what has been read so far."""
        return Answer(
            parts=self.parts(),
            finish_reason=self.finish_reason(),
            finish_reasons=tuple(self.reasons),
            usage=self.usage,
            response_id=self.response_id,
            response_model=self.response_model,
            load_duration_s=self.load_duration_s,
            cost_usd=self.cost_usd,
        )

    def read_whole(self, document: Any) -> None:
        """Take in the body of an answer that was not streamed. Raises as `feed` does."""
        for _ in self.feed(document):
            pass


def text_at(holder: Any, key: str) -> str | None:
    """Return the text under a key; null where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else None


def told_cost(usage: Any) -> float | None:
    """Return what a usage says that the call cost in USD; null where it does not.

    A number (OpenRouter, LiteLLM, Vercel) or an object with a total (Perplexity); DeepInfra calls
    it an estimate, xAI counts in ticks. With a key of one's own, OpenRouter's number is its fee
    alone, and what the provider asks stands apart.
    """
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    total = amount_at(cost, "total_cost") if isinstance(cost, dict) else amount_at(usage, "cost")
    if total is not None and usage.get("is_byok") is True:
        total += amount_at(usage.get("cost_details"), "upstream_inference_cost") or 0.0
    ticks = amount_at(usage, "cost_in_usd_ticks")
    if total is None and ticks is not None:
        total = ticks / _TICKS_PER_USD
    return amount_at(usage, "estimated_cost") if total is None else total


def amount_at(holder: Any, key: str) -> float | None:
    """Return the amount of money under a key; null where there is none, or one that cannot be."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < _MOST_AMOUNT else None


def count_at(holder: Any, key: str) -> int | None:
    """Return the count under a key; null where there is no number, or one that cannot be."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if 0 <= value < 1e12 else None
