"""Attachments in OpenAI's and Anthropic's shapes, as Media, or as Text where they are text."""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rolecall.registry.core.chat import Chat, Media, Part, Text, ToolResult
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import kind_of
from rolecall.registry.core.media_types import START_BYTES, is_text, media_type_of, modality_of

# The modality of a part of that type, unless its media type says otherwise.
MEDIA_PARTS = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video_url": "video",
    "input_video": "video",
    "file": "pdf",
    "input_file": "pdf",
    "document": "pdf",
}
_AUDIO_FORMATS = {"mp3": "audio/mpeg", "m4a": "audio/mp4"}


def media_part(part: Mapping[str, Any], place: str) -> Text | Media:
    """Return what a part of one of the MEDIA_PARTS attaches; a text file, given inline, is Text.

    A part that names nothing but its type is Media with neither data nor URL: enough for a
    decision. Raises InvalidPrompt.
    """
    usual = MEDIA_PARTS[part["type"]]
    holder, place = _holder(part, usual, place)
    source = _source(holder, usual, place)
    name = _string(holder, ("filename", "title", "name"), place)
    name = name or _string(part, ("filename", "title", "name"), place)
    start = _start(source.data) if source.data else b""
    mime_type = source.mime_type or media_type_of(start, name)
    by_bytes = media_type_of(start)
    if modality_of(by_bytes) in ("image", "pdf") and not is_text(source.mime_type):
        mime_type = by_bytes  # servers refuse a picture that is not of the type it is said to be
    if usual == "pdf" and source.data and is_text(mime_type):
        return Text(_decoded(source.data, place))
    return Media(modality_of(mime_type) or usual, mime_type, source.data, source.url, name)


def refuse_missing_content(chat: Chat) -> None:
    """Raise InvalidPrompt when an attachment has neither data nor URL, and so cannot be sent."""
    for number, turn in enumerate(chat.turns, start=1):
        for part in _with_inner(turn.parts):
            if isinstance(part, Media) and part.data is None and part.url is None:
                raise InvalidPrompt(
                    f"turn {number}: the {part.modality} has neither data nor a URL",
                    hint="a file kept by one provider cannot be sent to another",
                )


class _Source(NamedTuple):
    """Where the content is: base64 data or a URL, and what type it is said to be."""

    mime_type: str | None
    data: str | None
    url: str | None


def _holder(part: Mapping[str, Any], modality: str, place: str) -> tuple[Mapping[str, Any], str]:
    """Return the object that holds the content, which is the part itself if none is inside."""
    for key in ("source", part["type"], f"{modality}_url", "file"):
        inner = part.get(key)
        if isinstance(inner, str):
            return {"url": inner}, f"{place}.{key}"
        if isinstance(inner, dict):
            return inner, f"{place}.{key}"
        if inner is not None:
            raise InvalidPrompt(f"{place}.{key}: expected an object, found {kind_of(inner)}")
    return part, place


def _source(holder: Mapping[str, Any], modality: str, place: str) -> _Source:
    mime_type = _string(holder, ("media_type", "mime_type"), place)
    if mime_type is None and modality == "audio":
        sound = _string(holder, ("format",), place)
        mime_type = _AUDIO_FORMATS.get(sound, f"audio/{sound}") if sound else None
    data = _string(holder, ("data", "file_data"), place)
    url = _string(holder, ("url", "file_url"), place)
    for said in (data, url):
        if said and said.startswith("data:"):
            head, _, packed = said.removeprefix("data:").partition(",")
            if not head.endswith(";base64"):
                raise InvalidPrompt(f"{place}: expected a data URI in base64")
            return _Source(head.partition(";")[0] or mime_type, _base64(packed, place), None)
    return _Source(mime_type, _base64(data, place) if data else None, url or None)


def _base64(data: str, place: str) -> str | None:
    """Return base64 as every server takes it: without line ends, padded."""
    packed = "".join(data.split())
    packed += "=" * (-len(packed) % 4)
    try:
        binascii.a2b_base64(packed, strict_mode=True)
    except ValueError as error:
        raise InvalidPrompt(f"{place}: the data is not base64") from error
    return packed or None


def _start(data: str) -> bytes:
    chars = data[: -(-START_BYTES // 3) * 4]
    return binascii.a2b_base64(chars)


def _decoded(data: str, place: str) -> str:
    try:
        return binascii.a2b_base64(data).decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InvalidPrompt(f"{place}: the file is said to be text, but is not UTF-8") from error


def _string(holder: Mapping[str, Any], keys: tuple[str, ...], place: str) -> str | None:
    for key in keys:
        value = holder.get(key)
        if value is not None and not isinstance(value, str):
            raise InvalidPrompt(f"{place}.{key}: expected a string, found {kind_of(value)}")
        if value:
            return value
    return None


def _with_inner(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.content
