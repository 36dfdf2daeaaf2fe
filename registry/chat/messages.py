"""One message of a request, in any of the shapes that people have it in, as its turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rolecall.registry.chat.attachments import extra_at, plain_image
from rolecall.registry.chat.content import content_parts, optional_string_at, plain_parts
from rolecall.registry.chat.response_items import is_item, is_response, item_turn
from rolecall.registry.chat.tools import calls_of
from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolResult, Turn, TurnRole
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import kind_of

CHAT_ROLES: dict[str, TurnRole] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
# The fields in which servers give what a model thought: those like OpenAI, and Ollama.
_THOUGHTS = {"reasoning_content": "reasoning_content", "reasoning": "reasoning"}
_OLLAMA_THOUGHTS = {"thinking": "ollama"}
_OWN_THOUGHTS = {"thinking": "reasoning_content"}


def message_turns(message: Any, place: str) -> Iterator[Turn]:
    """Yield a message's turn; the tool results in a user's message are a turn of their own.

    An answer as a server or `ask --json` gave it counts as its message. Raises InvalidPrompt.
    """
    if not isinstance(message, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {kind_of(message)}")
    if is_response(message):
        for index, item in enumerate(message["output"]):
            yield from message_turns(item, f"{place}.output[{index}]")
        return
    if is_item(message):
        yield item_turn(message, place)
        return
    message, place, fields = _of_answer(message, place)
    role = _role(message, place)
    if role == "tool":
        yield Turn("tool", (_tool_result(message, place),))
        return
    parts = content_parts(message.get("content"), f"{place}.content", role)
    parts = (*parts, *_images(message, place))
    if role == "assistant":
        if not parts:
            parts = content_parts(message.get("refusal"), f"{place}.refusal", role)
        parts = (*_thoughts(message, place, fields), *parts, *calls_of(message, place))
    parts = _marked(parts, extra_at(message, "cache_control"))
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    if results:
        yield Turn("tool", results)
    rest = tuple(part for part in parts if not isinstance(part, ToolResult))
    if rest or not results:
        yield Turn(role, rest, optional_string_at(message, "name", place) or None)


def is_own_answer(message: Mapping[str, Any]) -> bool:
    """Tell whether a message is an object that `ask --json` printed."""
    return "content" not in message and {"answer", "decision_id", "tool_calls"} <= set(message)


def _of_answer(
    message: Mapping[str, Any], place: str
) -> tuple[Mapping[str, Any], str, Mapping[str, str]]:
    """Return the message within an answer, its place, and the fields that hold its thoughts."""
    thoughts = _THOUGHTS | _OLLAMA_THOUGHTS
    if is_own_answer(message):
        said = {"role": "assistant", "content": message["answer"]}
        return {**message, **said}, place, _OWN_THOUGHTS
    if "role" in message:
        return message, place, thoughts
    if isinstance(message.get("choices"), list) and message["choices"]:
        message, place = message["choices"][0], f"{place}.choices[0]"
    inner = message.get("message") if isinstance(message, dict) else None
    if isinstance(inner, dict):
        return inner, f"{place}.message", thoughts
    return message, place, thoughts


def _role(message: Mapping[str, Any], place: str) -> TurnRole:
    said = message.get("role") if isinstance(message, dict) else None
    role = CHAT_ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        problem = "is missing" if said is None else f"{said!r} is unknown"
        raise InvalidPrompt(f"{place}: role {problem} (known: {', '.join(CHAT_ROLES)})")
    return role


def _tool_result(message: Mapping[str, Any], place: str) -> ToolResult:
    """Read a message of a tool: OpenAI's names its call, a legacy or Ollama's one its tool."""
    tool_name = optional_string_at(message, "name", place)
    content = plain_parts(message.get("content"), f"{place}.content", "tool")
    return ToolResult(
        optional_string_at(message, "tool_call_id", place) or "",
        (*content, *_images(message, place)),
        name=tool_name or optional_string_at(message, "tool_name", place),
        extra=extra_at(message, "cache_control"),
    )


def _images(message: Mapping[str, Any], place: str) -> Iterator[Media]:
    """Yield the images that Ollama has beside a message's content."""
    images = message.get("images")
    if images is None:
        return
    if not isinstance(images, list):
        raise InvalidPrompt(f"{place}.images: expected a list, found {kind_of(images)}")
    for index, image in enumerate(images):
        yield plain_image(image, f"{place}.images[{index}]")


def _thoughts(
    message: Mapping[str, Any], place: str, fields: Mapping[str, str]
) -> Iterator[Thinking]:
    """Some servers give the same thoughts in two fields; they are taken once."""
    for field, origin in fields.items():
        text = optional_string_at(message, field, place)
        if text:
            yield Thinking(text, origin)
            return


def _marked(parts: tuple[Part, ...], extra: Mapping[str, Any] | None) -> tuple[Part, ...]:
    """Return the parts with what a message says as a whole at the last of them."""
    if extra is None or not parts or not isinstance(parts[-1], Text | Media | ToolResult):
        return parts
    last = parts[-1]
    return (*parts[:-1], replace(last, extra={**extra, **(last.extra or {})}))
