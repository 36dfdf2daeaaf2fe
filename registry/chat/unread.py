"""What the messages of a request say that has no place in its one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.chat.attachments import MEDIA_PARTS
from rolecall.registry.chat.content import is_inline
from rolecall.registry.chat.fields import names_listed
from rolecall.registry.chat.messages import is_own_answer

# Read elsewhere in this room; or what a server said of an answer, which is not asked again.
_OF_MESSAGES = frozenset(
    {
        *("role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal"),
        *("reasoning_content", "reasoning", "thinking", "images", "tool_name", "cache_control"),
        *("id", "type", "status", "created_at", "model", "stop_reason", "stop_sequence", "usage"),
        *("annotations", "reasoning_details", "object", "index", "finish_reason", "logprobs"),
    }
)
_OF_TEXTS = frozenset({"type", "text", "refusal", "cache_control", "annotations", "citations"})
_OF_MEDIA = frozenset(
    {
        *("type", "source", "file", "url", "data", "file_data", "file_url", "media_type"),
        *("mime_type", "format", "filename", "title", "name", "detail", "cache_control"),
        *("citations", "file_id", "image_url", "input_audio", "audio_url", "video_url"),
        *("input_image", "input_file", "input_video"),
    }
)


def unread(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a note that names what is left out of messages and their parts, if anything is."""
    messages = body.get("messages")
    names = [name for message in messages or () for name in _unread_of(message)]
    if names:
        yield f"left out of the messages: {names_listed(names)} (not read)"


def _unread_of(message: Any) -> Iterator[str]:
    if not isinstance(message, dict) or "role" not in message or is_own_answer(message):
        return
    yield from (name for name in message if name not in _OF_MESSAGES and message[name] is not None)
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        known = _OF_MEDIA if kind in MEDIA_PARTS else _OF_TEXTS if kind == "text" else None
        if known is not None:
            read = known | ({"context"} if is_inline(part) else frozenset())
            yield from (name for name in part if name not in read and part[name] is not None)
