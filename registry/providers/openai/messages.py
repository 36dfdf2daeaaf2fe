"""A conversation as the messages of OpenAI's chat completions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from rolecall.registry.core.chat import (
    Chat,
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.media_types import USUAL_TYPES
from rolecall.registry.providers.extras import kept_extra
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.tool_call_ids import CallIds

# Where a conversation with tool calls is refused from which thinking is missing, even where
# another model answered and there was none: this is then taken.
_PLACEHOLDER = "(not kept)"
_FIELD = "reasoning_content"
_AUDIO_FORMATS = {"mpeg": "mp3", "mp3": "mp3", "wav": "wav", "x-wav": "wav", "wave": "wav"}
_LONGEST_ID = 40
_NOT_IN_NAMES = re.compile(r"[\s<|\\/>]")
_LONGEST_NAME = 64

Message = dict[str, Any]


def messages(chat: Chat, endpoint: Endpoint, extras: Collection[str] = ()) -> list[Message]:
    """Return the messages of a conversation, with the `extras` that the endpoint has a place for.

    `reasoning_content` is given back where tools were called between two user turns, which
    DeepSeek and others ask for in all later requests; other thinking is left out. What a tool
    attached follows in a user message, since a tool's own can hold only text.
    """
    chat = _without_system(chat, endpoint)
    system = "developer" if "system" in endpoint.unsupported_parameters else "system"
    ids = _Ids(endpoint)
    gives_back = _gives_back(chat, endpoint)
    placeholder = _PLACEHOLDER if has_habit(endpoint, "demands_thinking") else ""
    built: list[Message] = []
    attached: list[Message] = []
    for index, turn in enumerate(chat.turns):
        if attached and not any(isinstance(part, ToolResult) for part in turn.parts):
            built.append({"role": "user", "content": attached})
            attached = []
        for message in _messages_of(turn, attached, ids, extras):
            if message["role"] == "system":
                message["role"] = system
            if message["role"] == "assistant" and gives_back[index]:
                _give_back(message, turn, placeholder)
            built.append(message)
    if attached:
        built.append({"role": "user", "content": attached})
    if has_habit(endpoint, "marks_prefill") and chat.prefill is chat.turns[-1]:
        built[-1]["prefix"] = True
    return built


def _without_system(chat: Chat, endpoint: Endpoint) -> Chat:
    """Put system messages into the next user turn, where a server has no role for them.

    OpenAI's own servers name that role anew; templates of models know users and assistants only.
    """
    if "system" not in endpoint.unsupported_parameters or has_habit(endpoint, "openai_itself"):
        return chat
    turns: list[Turn] = []
    told: list[Part] = []
    for turn in chat.turns:
        if turn.role == "system":
            told += turn.parts
        elif turn.role == "user" and told:
            turns.append(replace(turn, parts=(*told, *turn.parts)))
            told = []
        else:
            turns.append(turn)
    if told:
        turns.append(Turn("user", tuple(told)))
    return replace(chat, turns=tuple(turns))


def data_uri(media: Media) -> str:
    """Return where an attachment is: its URL, or its data as a `data:` URI."""
    if media.data is None:
        return media.url or ""
    mime_type = media.mime_type or USUAL_TYPES[media.modality]
    return f"data:{mime_type};base64,{media.data}"


def text_of(parts: Sequence[Part | Text | Media]) -> str:
    """Return the text among the parts, one part a line."""
    return "\n".join(part.text for part in parts if isinstance(part, Text))


def _gives_back(chat: Chat, endpoint: Endpoint) -> list[bool]:
    """Tell of each turn whether its thinking is given back."""
    turns = chat.turns
    calls = [any(isinstance(part, ToolCall) for part in turn.parts) for turn in turns]
    refuses = has_habit(endpoint, "refuses_thinking")
    if refuses or _FIELD in endpoint.unsupported_parameters:
        return [False] * len(turns)
    if has_habit(endpoint, "demands_thinking"):
        return [bool(chat.tools) or any(calls)] * len(turns)
    return tool_stretches(turns)


def tool_stretches(turns: Sequence[Turn]) -> list[bool]:
    """Tell of each turn whether tools are called between the two user turns it stands between."""
    told = [False] * len(turns)
    start = 0
    for end in range(len(turns) + 1):
        if end == len(turns) or turns[end].role == "user":
            calls = any(
                isinstance(part, ToolCall) for turn in turns[start:end] for part in turn.parts
            )
            told[start:end] = [calls] * (end - start)
            start = end
    return told


def _give_back(message: Message, turn: Turn, placeholder: str) -> None:
    thought = "".join(
        part.text for part in turn.parts if isinstance(part, Thinking) and part.origin == _FIELD
    )
    if thought or placeholder:
        message[_FIELD] = thought or placeholder


class _Ids:
    """The ids of a history's tool calls in the form that the endpoint takes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._ids = CallIds()
        self._takes_nine = has_habit(endpoint, "takes_ids_of_9_letters")
        self.with_signatures = has_habit(endpoint, "signs_tool_calls")

    def of_call(self, call: ToolCall) -> str:
        """Return the id of a call."""
        return self._allowed(self._ids.of_call(call))

    def of_result(self, result: ToolResult) -> str:
        """Return the id of the call that a result answers."""
        return self._allowed(self._ids.of_result(result))

    def _allowed(self, identity: str) -> str:
        if self._takes_nine:
            is_allowed = re.fullmatch(r"[A-Za-z0-9]{9}", identity) is not None
        else:
            is_allowed = 0 < len(identity) <= _LONGEST_ID
        return (
            identity if is_allowed else sha256(identity.encode("utf-8", "replace")).hexdigest()[:9]
        )


def _messages_of(
    turn: Turn, attached: list[Message], ids: _Ids, extras: Collection[str]
) -> Iterator[Message]:
    for part in turn.parts:
        if isinstance(part, ToolResult):
            yield _tool_message(part, attached, ids, extras)
    rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
    named = {}
    if turn.name is not None and "name" in extras:
        named["name"] = _NOT_IN_NAMES.sub("_", turn.name)[:_LONGEST_NAME]
    if turn.role == "assistant":
        yield _assistant_message(rest, ids) | named
    elif rest or turn.role != "tool":
        yield {"role": turn.role, "content": _content(rest, extras), **named}


def _tool_message(
    result: ToolResult, attached: list[Message], ids: _Ids, extras: Collection[str]
) -> Message:
    text = text_of(result.content)
    media = [part for part in result.content if isinstance(part, Media)]
    if media:
        named = result.name or result.call_id
        text = "\n".join(filter(None, [text, "(attached below)"]))
        attached.append({"type": "text", "text": f"(attached by the tool {named})"})
        attached.extend(_media_part(part, extras) for part in media)
    if result.is_error:
        text = f"error: {text}"
    cached = kept_extra(result.extra, _cached(extras))
    content = [{"type": "text", "text": text, **cached}] if cached else text
    return {"role": "tool", "tool_call_id": ids.of_result(result), "content": content}


def _assistant_message(parts: Sequence[Part], ids: _Ids) -> Message:
    text = text_of(parts)
    calls = [part for part in parts if isinstance(part, ToolCall)]
    message: Message = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = [_call(call, ids) for call in calls]
    return message


def _call(call: ToolCall, ids: _Ids) -> Message:
    function = {"name": call.name, "arguments": call.arguments}
    told: Message = {"id": ids.of_call(call), "type": "function", "function": function}
    if call.signature is not None and ids.with_signatures:
        told["extra_content"] = {"google": {"thought_signature": call.signature}}
    return told


def _cached(extras: Collection[str]) -> list[str]:
    return [name for name in extras if name == "cache_control"]


def _content(parts: Sequence[Part], extras: Collection[str]) -> str | list[Message]:
    """Text alone stays a string, which every server takes; what else there is makes it a list."""
    marks = [kept_extra(part.extra, _cached(extras)) for part in parts if isinstance(part, Text)]
    if not any(marks) and not any(isinstance(part, Media) for part in parts):
        return text_of(parts)
    told: list[Message] = []
    for part in parts:
        if isinstance(part, Text):
            cached = kept_extra(part.extra, _cached(extras))
            told.append({"type": "text", "text": part.text, **cached})
        elif isinstance(part, Media):
            told.append(_media_part(part, extras))
    return told


def _media_part(media: Media, extras: Collection[str]) -> Message:
    if media.modality == "image":
        detail = kept_extra(media.extra, [name for name in extras if name == "detail"])
        image = {"type": "image_url", "image_url": {"url": data_uri(media), **detail}}
        return image | kept_extra(media.extra, _cached(extras))
    if media.modality == "audio" and media.data is not None:
        subtype = (media.mime_type or "audio/wav").partition("/")[2].partition(";")[0]
        told = {"data": media.data, "format": _AUDIO_FORMATS.get(subtype, subtype)}
        return {"type": "input_audio", "input_audio": told}
    if media.modality in ("audio", "video"):
        kind = f"{media.modality}_url"
        return {"type": kind, kind: {"url": data_uri(media)}}
    named = media.name or "document.pdf"
    return {"type": "file", "file": {"filename": named, "file_data": data_uri(media)}}
