"""A chat's turns as Anthropic's system prompt and alternating messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolCall, ToolResult, Turn
from rolecall.registry.core.media_types import USUAL_TYPES
from rolecall.registry.providers.extras import kept_extra
from rolecall.registry.providers.tool_call_ids import CallIds, arguments_of

Block = dict[str, Any]
ORIGIN = "anthropic"
_CACHED = ("cache_control",)
_CITED = ("cache_control", "citations")
_OF_TEXT = (*_CITED, "context", "title")
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


def system_of(turns: Sequence[Turn]) -> str | list[Block] | None:
    """Return all system turns as one prompt, in their order; as blocks where one is to be cached.

    The API has one place for them: a later one counts no less there, only its moment is lost.
    """
    texts = [
        part
        for turn in turns
        if turn.role == "system"
        for part in turn.parts
        if isinstance(part, Text) and part.text.strip()
    ]
    if any(part.extra for part in texts):
        return [_text(part) for part in texts]
    return "\n\n".join(part.text for part in texts) or None


def messages_of(turns: Sequence[Turn], *, is_signed: bool) -> list[dict[str, Any]]:
    """Return the messages: user and assistant in turn, the results of tools first in a user's.

    Thinking goes back only in the tool loop still going on, where the API wants it unchanged;
    where `is_signed`, only with its signature, since unsigned thinking is another maker's.
    """
    ids = CallIds()
    loop = loop_start(turns)
    messages: list[dict[str, Any]] = []
    for index, turn in enumerate(turns):
        if turn.role == "system":
            continue
        blocks = [
            block
            for part in turn.parts
            if not isinstance(part, Thinking) or (index >= loop and may_return(part, is_signed))
            for block in _blocks(part, ids)
        ]
        _append(messages, "assistant" if turn.role == "assistant" else "user", blocks)
    for message in messages:
        message["content"].sort(key=lambda block: block["type"] != "tool_result")
    return messages


def loop_start(turns: Sequence[Turn]) -> int:
    """Return where the tool loop still going on begins: after the user's last message.

    What the user says beside the results of tools goes into one message with them, which does
    not end the loop.
    """
    start = 0
    has_results = False
    for index, turn in enumerate(turns):
        if turn.role == "user" and not has_results:
            start = index + 1
        elif turn.role in ("tool", "assistant"):
            has_results = turn.role == "tool"
    return start


def may_return(part: Thinking, is_signed: bool) -> bool:
    """Tell whether the API takes this thinking back."""
    if part.origin != ORIGIN:
        return False
    return not is_signed or part.signature is not None or part.redacted is not None


def _append(messages: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    """Add blocks as a message, or to the last one of the same role; empty ones are refused."""
    if not blocks:
        return
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += blocks
    else:
        messages.append({"role": role, "content": blocks})


def _blocks(part: Part, ids: CallIds) -> Iterator[Block]:
    if isinstance(part, Text):
        if part.text.strip():  # blank text is refused
            yield _text(part)
    elif isinstance(part, Media):
        yield _media(part)
    elif isinstance(part, Thinking):
        yield _thinking(part)
    elif isinstance(part, ToolCall):
        identity = ids.of_call(part, cleaned=_cleaned(part.id))
        given = arguments_of(part)
        called = {"type": "tool_use", "id": identity, "name": part.name, "input": given}
        yield called | kept_extra(part.extra, _CACHED)
    else:
        yield _result(part, ids)


def _text(part: Text) -> Block:
    """Return a text; one to be cited, or with a title or context, is a document."""
    extra = kept_extra(part.extra, _OF_TEXT)
    if not set(extra) - set(_CACHED):
        return {"type": "text", "text": part.text} | extra
    source = {"type": "text", "media_type": "text/plain", "data": part.text}
    return {"type": "document", "source": source} | extra


def _media(part: Media) -> Block:
    source = {"type": "url", "url": part.url}
    if part.data is not None:
        source = {
            "type": "base64",
            "media_type": part.mime_type or USUAL_TYPES[part.modality],
            "data": part.data,
        }
    if part.modality == "image":
        return {"type": "image", "source": source} | kept_extra(part.extra, _CACHED)
    named = {"title": part.name} if part.name else {}
    return {"type": "document", "source": source, **named} | kept_extra(part.extra, _CITED)


def _thinking(part: Thinking) -> Block:
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    signed = {} if part.signature is None else {"signature": part.signature}
    return {"type": "thinking", "thinking": part.text, **signed}


def _result(part: ToolResult, ids: CallIds) -> Block:
    block: Block = {
        "type": "tool_result",
        "tool_use_id": ids.of_result(part, cleaned=_cleaned(part.call_id)),
        "content": [block for inner in part.content for block in _blocks(inner, ids)],
    }
    if not block["content"]:
        del block["content"]
    block |= kept_extra(part.extra, _CACHED)
    return block | ({"is_error": True} if part.is_error else {})


def _cleaned(identity: str) -> str:
    return _NOT_IN_IDS.sub("_", identity) or "call"
