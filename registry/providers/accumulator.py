"""Put the pieces of an answer together in the order in which they came: what all readers share."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from rolecall.registry.core.chat import (
    Answer,
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.providers.thinking_tags import Kind, ThinkingTags

# Thinking that came in the text itself, and is given back to no API.
IN_TEXT = "content"
TEXT_WAS_THINKING = "the text before the tag that ends thinking was the model's thinking"
_MOST_TOKENS = 10**12

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

    def whole(self) -> str:
        """Return the arguments: their pieces joined, or the last where it holds those before it.

        Some servers send all that came so far with each piece, or the whole once more at the end,
        or begin with an empty object.
        """
        pieces = self.arguments
        if len(pieces) > 1 and pieces[0].strip() == "{}" and is_object("".join(pieces[1:])):
            pieces = pieces[1:]
        joined, last = "".join(pieces), next(reversed(pieces), "")
        if len(pieces) < 2 or is_object(joined) or not is_object(last):
            return joined
        grows = all(after.startswith(one) for one, after in pairwise(pieces))
        repeats = "".join(pieces[:-1]) == last
        return last if grows or repeats else joined


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

    def text_was_thinking(self, origin: str) -> None:
        """Take all the text so far for thinking."""
        for part in self._prose(None):
            part.origin = origin

    def take_back_thinking(self, thought: str, origin: str) -> None:
        """Remove what was the last of the thinking."""
        for part in [*self._prose(origin)][-1:]:
            part.pieces = ["".join(part.pieces).removesuffix(thought)]
            if part.pieces == [""]:
                self._parts.remove(part)

    def _prose(self, origin: str | None) -> Iterator[_Prose]:
        return (part for part in self._parts if isinstance(part, _Prose) and part.origin == origin)

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts; calls that came without an id are numbered `call_0`, …"""
        found: list[Text | Thinking | ToolCall] = []
        calls = 0
        for part in self._parts:
            if isinstance(part, CallSoFar):
                identity = part.id or f"call_{calls}"
                found.append(ToolCall(identity, part.name, part.whole() or "{}", part.signature))
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
        self.notes: list[str] = []
        self._tags = ThinkingTags()
        self._said: list[str] = []

    def read_text(self, piece: str) -> Iterator[Event]:
        """Take in more of the text, in which the model may also think, between tags."""
        if piece:
            self._said.append(piece)
        for kind, text in self._tags.feed(piece):
            yield from self._sorted_out(kind, text)

    def says_again(self, content: Any) -> bool:
        """Tell whether the last record of a stream says the whole text once more."""
        if not isinstance(content, str) or not content.strip() or len(self._said) < 2:
            return False
        return content.strip() == "".join(self._said).strip()

    def end(self) -> Iterator[Event]:
        """Yield what was held back, once nothing more comes."""
        for kind, text in self._tags.end(is_cut=self.finish_reason() != "stop"):
            yield from self._sorted_out(kind, text)

    def _sorted_out(self, kind: Kind, text: str) -> Iterator[Event]:
        if kind is Kind.TEXT:
            yield from self.pieces.add_text(text)
        elif kind is Kind.THINKING:
            yield from self.pieces.add_thinking(text, IN_TEXT)
        elif kind is Kind.TEXT_WAS_THINKING:
            self.pieces.text_was_thinking(IN_TEXT)
            self.note(TEXT_WAS_THINKING)
        else:
            self.pieces.take_back_thinking(text, IN_TEXT)

    def note(self, text: str) -> None:
        """Keep what a person should know of how the answer was read, once."""
        if text not in self.notes:
            self.notes.append(text)

    def count(self, used: Usage | None, told: Any) -> None:
        """Take in a usage, of each number the largest: most servers count up.

        `told` is what the server said; what can be no number of tokens is noted.
        """
        self.note_impossible(told)
        if used is None or self.usage is None:
            self.usage = used or self.usage
            return
        both = ([getattr(each, one.name) for each in (self.usage, used)] for one in fields(Usage))
        known = ([count for count in pair if count is not None] for pair in both)
        self.usage = Usage(*(max(counts, default=None) for counts in known))

    def note_impossible(self, told: Any) -> None:
        """Note numbers of tokens that none can be."""
        counts = told.items() if isinstance(told, dict) else ()
        if any(
            str(key).lower().endswith(("tokens", "count")) and _is_impossible(n)
            for key, n in counts
        ):
            self.note("the server told a number of tokens that cannot be: it is not counted")

    @abstractmethod
    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one decoded record of a stream, never `Completed`.

        Raises CallFailed for an error record, and `invalid_response` for what cannot be one.
        """

    @abstractmethod
    def finish_reason(self) -> str | None:
        """Return why the answer ended, in OpenAI's words if it can be; null before it has."""

    @property
    def is_finished(self) -> bool:
        """Whether the stream's finish marker has come; what follows it is still fed (usage)."""
        return bool(self.reasons)

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts of the answer so far."""
        return self.pieces.parts()

    def answer(self) -> Answer:
        """Return what has been read so far."""
        for _ in self.end():
            pass
        return Answer(
            parts=self.parts(),
            finish_reason=self.finish_reason(),
            finish_reasons=tuple(self.reasons),
            usage=self.usage,
            response_id=self.response_id,
            response_model=self.response_model,
            load_duration_s=self.load_duration_s,
            notes=tuple(self.notes),
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
    number = _number(value)
    return int(number) if number is not None and 0 <= number < _MOST_TOKENS else None


def is_object(text: str) -> bool:
    """Tell whether a text is a whole JSON object."""
    if not text.lstrip().startswith("{") or not text.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_impossible(value: Any) -> bool:
    number = _number(value)
    return number is not None and not 0 <= number < _MOST_TOKENS


def _number(value: Any) -> int | float | None:
    """Return a number, which may be written as a text; null where there is none."""
    if isinstance(value, str) and len(value) < 30:
        try:
            return int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
