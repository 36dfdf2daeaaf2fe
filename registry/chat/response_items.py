"""The items of OpenAI's Responses API among the messages of a request, as turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rolecall.registry.chat.content import optional_string_at, plain_parts, string_at
from rolecall.registry.core.chat import Part, Thinking, ToolCall, ToolResult, Turn

_KINDS = ("function_call", "function_call_output", "reasoning")


def is_item(message: Any) -> bool:
    """Tell whether a message is an item that has no role, or a whole response of such."""
    if not isinstance(message, dict) or "role" in message:
        return False
    return message.get("type") in _KINDS or is_response(message)


def is_response(message: Mapping[str, Any]) -> bool:
    """Tell whether a message is a whole response."""
    return message.get("object") == "response" and isinstance(message.get("output"), list)


def item_turn(item: Mapping[str, Any], place: str) -> Turn:
    """Return the turn of an item that has no role. Raises InvalidPrompt."""
    call_id = optional_string_at(item, "call_id", place) or ""
    if item["type"] == "function_call":
        arguments = optional_string_at(item, "arguments", place) or "{}"
        return Turn("assistant", (ToolCall(call_id, string_at(item, "name", place), arguments),))
    if item["type"] == "function_call_output":
        content = plain_parts(item.get("output"), f"{place}.output", "tool")
        return Turn("tool", (ToolResult(call_id, content),))
    return Turn("assistant", tuple(_thoughts(item)))


def joined(turns: Iterable[tuple[Turn, bool]]) -> Iterator[Turn]:
    """Yield turns, each with whether it came of an item, as one wherever items are one answer."""
    last: Turn | None = None
    was_item = False
    for turn, of_item in turns:
        is_same = last is not None and last.role == turn.role == "assistant"
        if is_same and last is not None and (of_item or was_item):
            last = replace(last, parts=(*last.parts, *turn.parts))
        else:
            if last is not None:
                yield last
            last = turn
        was_item = of_item
    if last is not None:
        yield last


def _thoughts(item: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what of its thoughts a model summed up; the rest is not readable for others."""
    for key in ("summary", "content"):
        blocks = item.get(key)
        listed = blocks if isinstance(blocks, list) else []
        texts = [one.get("text") for one in listed if isinstance(one, dict)]
        said = "\n".join(text for text in texts if isinstance(text, str))
        if said:
            yield Thinking(said, "reasoning")
            return
