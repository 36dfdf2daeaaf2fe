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
from rolecall.registry.providers.errors import one_line

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
                self._take_in(line)
            else:
                yield from self._dispatch()

    def end(self) -> Iterator[Any]:
        """Yield the last event where no blank line came after it, if it is whole."""
        for line in self._lines.end():
            self._take_in(line)
        try:
            yield from self._dispatch()
        except CallFailed:
            return  # cut in the middle of a record: that the stream was cut says it better

    def _take_in(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value)
            if self._size > MAX_RECORD_BYTES:
                raise _too_large()
        elif field == b"event":
            self._name = value

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
    """Reads one JSON document a line; blank lines keep the connection alive and are skipped."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Yield the records that this piece completes. Raises CallFailed `invalid_response`."""
        for line in self._lines.feed(piece):
            if line.strip():
                yield decode(line)

    def end(self) -> Iterator[Any]:
        """Yield the last line where it was not ended, if it is whole."""
        try:
            for line in self._lines.end():
                if line.strip():
                    yield decode(line)
        except CallFailed:
            return


def decode(data: bytes) -> Any:
    """Decode one JSON document in UTF-8. Raises CallFailed `invalid_response`."""
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CallFailed("invalid_response", "the answer is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        excerpt = one_line(data[: 4 * _EXCERPT].decode("utf-8", "replace"), _EXCERPT)
        raise CallFailed("invalid_response", f"the answer is not JSON: {excerpt}") from error


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
