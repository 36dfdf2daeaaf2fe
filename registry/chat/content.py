"""The content of a message in OpenAI's and Anthropic's shapes, as parts of a turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from rolecall.registry.chat.attachments import MEDIA_PARTS, extra_at, media_part
from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolCall, ToolResult
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import compact, kind_of

# Where a content stands; what else than text and attachments it may hold.
Where = Literal["system", "user", "assistant", "tool", "document"]
_ONLY_IN: dict[str, Where] = {
    "thinking": "assistant",
    "redacted_thinking": "assistant",
    "tool_use": "assistant",
    "tool_result": "user",
}
_TEXT_KEYS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}


def content_parts(content: Any, place: str, where: Where) -> tuple[Part, ...]:
    """Return the parts of a message's content; empty texts are left out. Raises InvalidPrompt.

    A call or result without an id gets an empty one.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise InvalidPrompt(f"{place}: expected text or a list of parts, found {kind_of(content)}")
    return tuple(
        part
        for index, raw in enumerate(content)
        for part in _parts(raw, f"{place}[{index}]", where)
        if not (isinstance(part, Text) and not part.text)
    )


def plain_parts(content: Any, place: str, where: Where) -> tuple[Text | Media, ...]:
    """Return the texts and attachments of a content that may hold nothing else."""
    parts = content_parts(content, place, where)
    return tuple(part for part in parts if isinstance(part, Text | Media))


def string_at(holder: Mapping[str, Any], key: str, place: str) -> str:
    """Return the text under `key`; raises InvalidPrompt when there is none."""
    value = holder.get(key)
    if not isinstance(value, str):
        raise InvalidPrompt(f"{place}.{key}: expected a string")
    return value


def optional_string_at(holder: Mapping[str, Any], key: str, place: str) -> str | None:
    """Return the text under `key`, None where it is missing; raises InvalidPrompt otherwise."""
    return None if holder.get(key) is None else string_at(holder, key, place)


def object_at(holder: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    """Return the object under `key`, an empty one where there is none. Raises InvalidPrompt."""
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidPrompt(f"{place}: {key}: expected an object, found {kind_of(value)}")
    return value


def _parts(part: Any, place: str, where: Where) -> Iterator[Part]:
    """Yield what one content part holds; a document may hold a list of them."""
    if isinstance(part, str):
        yield Text(part)
        return
    if not isinstance(part, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {kind_of(part)}")
    kind = part.get("type")
    if not isinstance(kind, str):
        raise InvalidPrompt(f"{place}: unknown type of content part {kind!r}")
    if _ONLY_IN.get(kind, where) != where:
        raise InvalidPrompt(f"{place}: {kind} belongs in a message of the {_ONLY_IN[kind]}")
    if kind in _TEXT_KEYS:
        yield Text(string_at(part, _TEXT_KEYS[kind], place), extra_at(part, "cache_control"))
    elif kind == "document" and where != "document" and is_inline(part):
        yield from _document(part, place)
    elif kind in MEDIA_PARTS:
        yield media_part(part, place)
    else:
        yield _special(part, kind, place)


def is_inline(part: Mapping[str, Any]) -> bool:
    """Tell whether a document is given as text, or as a list of blocks."""
    source = part.get("source")
    return isinstance(source, dict) and source.get("type") in ("text", "content")


def _document(part: Mapping[str, Any], place: str) -> Iterator[Part]:
    """Yield a document that is given as text, or as a list of blocks."""
    extra = extra_at(part, "cache_control", "citations") or {}
    for name in ("title", "context"):
        said = optional_string_at(part, name, place)
        extra |= {name: said} if said else {}
    source, place = part["source"], f"{place}.source"
    if source["type"] == "text":
        yield Text(optional_string_at(source, "data", place) or "", extra or None)
    else:
        inner = content_parts(source.get("content"), f"{place}.content", "document")
        yield from inner[:-1]
        for last in inner[-1:]:
            assert isinstance(last, Text | Media)
            yield replace(last, extra=extra or last.extra)


def _special(part: Mapping[str, Any], kind: str, place: str) -> Part:
    """Return one of Anthropic's blocks for thinking and tools."""
    if kind == "thinking":
        signature = optional_string_at(part, "signature", place)
        return Thinking(string_at(part, "thinking", place), "anthropic", signature=signature)
    if kind == "redacted_thinking":
        redacted = optional_string_at(part, "data", place)
        return Thinking("", "anthropic", redacted=redacted)
    if kind == "tool_use":
        arguments = part.get("input")
        if arguments is not None and not isinstance(arguments, dict):
            raise InvalidPrompt(f"{place}.input: expected an object, found {kind_of(arguments)}")
        call_id = optional_string_at(part, "id", place) or ""
        name, extra = string_at(part, "name", place), extra_at(part, "cache_control")
        return ToolCall(call_id, name, compact(arguments or {}), extra=extra)
    if kind == "tool_result":
        return ToolResult(
            optional_string_at(part, "tool_use_id", place) or "",
            plain_parts(part.get("content"), f"{place}.content", "tool"),
            is_error=part.get("is_error") is True,
            extra=extra_at(part, "cache_control"),
        )
    raise InvalidPrompt(f"{place}: unknown type of content part {kind!r}")
