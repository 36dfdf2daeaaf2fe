"""What kind of body an answer has, by what its header says and how it begins."""

from __future__ import annotations

from enum import Enum
from typing import Any

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.error_body import one_line
from rolecall.registry.providers.http.streams import JsonLines, decode

_LINES_TYPES = ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "json-lines", "jsonlines", "stream+json")
_VAGUE_TYPES = ("", "text/plain", "application/octet-stream", "binary/octet-stream")
_EVENT_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")
_JSON_STARTS = (b"{", b"[")


class Shape(Enum):
    """The three forms that an answer can come in."""

    EVENTS = "server-sent events"
    LINES = "JSON lines"
    WHOLE = "one JSON document"


def shape_of(content_type: str, head: bytes, *, is_lines: bool, is_stream: bool) -> Shape:
    """Return the form of a body, whatever form was asked for.

    `head` is its first piece that is not blank, which goes before what the header says.
    `is_lines` tells that the API streams JSON lines. Raises CallFailed `invalid_response` for
    what is not JSON at all, such as a proxy's page.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    says_events = media_type == "text/event-stream"
    says_lines = media_type.rpartition("/")[2] in _LINES_TYPES
    is_json = media_type == "application/json" or media_type.endswith("+json")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_EVENT_STARTS):
        return Shape.EVENTS
    if start.startswith(_JSON_STARTS):
        is_cut_in_lines = says_lines or (is_stream and (is_lines or says_events))
        return Shape.LINES if is_cut_in_lines else Shape.WHOLE
    if says_events or says_lines:
        return Shape.EVENTS if says_events else Shape.LINES
    if not is_json and media_type not in _VAGUE_TYPES:
        kind = one_line(media_type, 60)
        said = f"the answer is {kind} where JSON is due: is the base_url right?"
        raise CallFailed("invalid_response", said)
    if not start and is_stream and not is_json and not is_lines:
        return Shape.EVENTS  # it was cut before it said anything
    return Shape.LINES if is_lines and is_stream else Shape.WHOLE


def decoded_body(body: bytes) -> list[Any]:
    """Decode a whole JSON body: one document, or several where each has a line of its own.

    Raises CallFailed `invalid_response`.
    """
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise CallFailed("invalid_response", "the answer has no body")
    try:
        return [decode(body)]
    except CallFailed:
        lines = JsonLines()
        documents = [*lines.feed(body + b"\n"), *lines.end()]
        if len(documents) < 2:  # one that was cut off in the middle
            raise
        return documents
