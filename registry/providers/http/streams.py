"""Cut a body that arrives in pieces into records: server-sent events, or JSON line by line.

Own code, since libraries for this (httpx-sse, ndjson) bound no record and lose the last one of a
stream that was cut, which tells whether the answer was whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any, Protocol

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.error_body import one_line

MAX_RECORD_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_EXCERPT = 600


class Marker(Enum):
    """What a stream holds beside decoded records."""

    DONE = "[DONE]"


DONE = Marker.DONE


class Parser(Protocol):
    """Turns the bytes of a stream into records, wherever the pieces were cut."""

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Yield the records that this piece completes. Raises CallFailed `invalid_response`."""

    def end(self) -> Iterator[Any]:
        """Yield what a broken or ended stream still held, if it is a whole record."""


class _Lines:
    """Cuts bytes into lines ended by LF, CR or CRLF, and bounds what it holds."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_first = True
        self._after_cr = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if not piece:
            return
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]  # the second half of a CRLF whose line was already given out
        self._after_cr = piece.endswith(b"\r")
        for part in piece.splitlines(keepends=True):
            self._rest += part
            if len(self._rest) > MAX_RECORD_BYTES:
                raise _too_large()
            if part.endswith((b"\n", b"\r")):
                yield self._take()

    def end(self) -> Iterator[bytes]:
        if self._rest:
            yield self._take()

    def _take(self) -> bytes:
        line = bytes(self._rest).rstrip(b"\r\n")
        self._rest.clear()
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(_BOM)
        return line


class ServerSentEvents:
    """Reads `data:` events; comments and `ping` events are not records.

    An event of the name `error` becomes `{"error": …}` unless its data already has that shape.
    Servers that end an event with one newline, and such as leave `data:` out, are understood: a
    line that is whole JSON is an event where another follows it.
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Yield the records that this piece completes. Raises CallFailed `invalid_response`."""
        for line in self._lines.feed(piece):
            if line:
                yield from self._take_in(line)
            else:
                yield from self._dispatch()

    def end(self) -> Iterator[Any]:
        """Yield the last events where no blank line came after them, if they are whole."""
        try:
            for line in self._lines.end():
                yield from self._take_in(line)
            yield from self._dispatch()
        except CallFailed:
            return  # cut in the middle of a record: that the stream was cut says it better

    def _take_in(self, line: bytes) -> Iterator[Any]:
        """Take in a line; yield the event before it where the line begins another."""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line.startswith((b"{", b"[")):
            field, value = b"data", line
        begins = value.startswith((b"{", b"[DONE]")) if field == b"data" else bool(self._name)
        if begins and field in (b"data", b"event") and len(self._data) == 1 and self._is_whole():
            yield from self._dispatch()
        if field == b"data":
            self._data.append(value)
            self._size += len(value)
            if self._size > MAX_RECORD_BYTES:
                raise _too_large()
        elif field == b"event":
            self._name = value

    def _is_whole(self) -> bool:
        """Tell whether the one line of data that is held is an event by itself."""
        line = self._data[0].strip()
        if line == b"[DONE]":
            return True
        if not line.startswith(b"{") or not line.endswith(b"}"):
            return False
        try:
            decode(line)
        except CallFailed:
            return False
        return True

    def _dispatch(self) -> Iterator[Any]:
        data, name = b"\n".join(self._data).strip(), self._name
        self._data, self._size, self._name = [], 0, b""
        if not data:
            return
        if data == b"[DONE]":
            yield DONE
        elif name == b"error":
            yield _error_record(data)
        else:
            record = decode(data)
            if name != b"ping" and not _is_ping(record):
                yield record


class JsonLines:
    """Reads one JSON document a line; blank lines keep the connection alive and are skipped.

    A document may also be written over several lines, as indented JSON is.
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Yield the records that this piece completes. Raises CallFailed `invalid_response`."""
        for line in self._lines.feed(piece):
            yield from self._take_in(line)

    def end(self) -> Iterator[Any]:
        """Yield the last document where its line was not ended, if it is whole."""
        try:
            for line in self._lines.end():
                yield from self._take_in(line)
        except CallFailed:
            return

    def _take_in(self, line: bytes) -> Iterator[Any]:
        if not line.strip():
            return
        is_begun = line.startswith((b"{", b"[")) and not line.rstrip().endswith((b"}", b"]"))
        if not self._held and not is_begun:
            yield decode(line)
            return
        opening = (self._held or [line])[0][:1]
        if self._held and line.startswith(opening):  # one line of it would be further in
            decode(self._taken())
        self._held.append(line)
        self._size += len(line)
        if self._size > MAX_RECORD_BYTES:
            raise _too_large()
        if line.startswith(b"}" if opening == b"{" else b"]"):
            yield decode(self._taken())

    def _taken(self) -> bytes:
        document = b"\n".join(self._held)
        self._held, self._size = [], 0
        return document


def decode(data: bytes) -> Any:
    """Decode one JSON document in UTF-8. Raises CallFailed `invalid_response`."""
    try:
        return _decoded(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CallFailed("invalid_response", "the answer is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        excerpt = one_line(data[: 4 * _EXCERPT].decode("utf-8", "replace"), _EXCERPT)
        raise CallFailed("invalid_response", f"the answer is not JSON: {excerpt}") from error


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number of more digits than Python reads: the answer is whole besides
        return json.loads(text, parse_int=float)


def _error_record(data: bytes) -> Any:
    try:
        record = decode(data)
    except CallFailed:
        record = data.decode("utf-8", "replace")
    is_whole = isinstance(record, dict) and "error" in record
    return record if is_whole else {"error": record}


def _is_ping(record: Any) -> bool:
    return isinstance(record, dict) and record.get("type") == "ping"


def _too_large() -> CallFailed:
    limit = MAX_RECORD_BYTES // (1024 * 1024)
    return CallFailed("invalid_response", f"one record of the answer is over {limit} MiB")
