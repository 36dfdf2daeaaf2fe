"""What kind of body an answer has, by what its header says and how it begins."""

from __future__ import annotations

from enum import Enum
from typing import Any

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.errors import one_line
from rolecall.registry.providers.http.streams import decode

_LINES_TYPES = ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "json-lines", "jsonlines", "stream+json")
_VAGUE_TYPES = ("", "text/plain", "application/octet-stream", "binary/octet-stream")
_EVENT_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")


class Shape(Enum):
    """The three forms that an answer can come in."""

    EVENTS = "server-sent events"
    LINES = "JSON lines"
    WHOLE = "one JSON document"


def shape_of(content_type: str, head: bytes, *, is_lines: bool, is_stream: bool) -> Shape:
    """Return the form of a body, whatever form was asked for.

    `head` is its first piece that is not blank. `is_lines` tells that the API streams JSON lines.
    Raises CallFailed `invalid_response` for what is not JSON at all, such as a proxy's page.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "text/event-stream":
        return Shape.EVENTS
    if media_type.rpartition("/")[2] in _LINES_TYPES:
        return Shape.LINES
    is_json = media_type == "application/json" or media_type.endswith("+json")
    if not is_json and media_type not in _VAGUE_TYPES:
        kind = one_line(media_type, 60)
        said = f"the answer is {kind} where JSON is due: is the base_url right?"
        raise CallFailed("invalid_response", said)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    is_cut = not start and is_stream and not is_json and not is_lines
    if start.startswith(_EVENT_STARTS) or is_cut:
        return Shape.EVENTS
    return Shape.LINES if is_lines and is_stream else Shape.WHOLE


def decoded_body(body: bytes) -> Any:
    """Decode a whole JSON body. Raises CallFailed `invalid_response`."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise CallFailed("invalid_response", "the answer has no body")
    return decode(body)
