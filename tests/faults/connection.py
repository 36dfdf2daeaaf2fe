"""HTTP/1.1 over a socket, written by hand so that every byte and every chunk is ours."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.faults.plan import Plan

_SLOW_BYTE_S = 0.05
_REASONS = {529: "Overloaded"}


class Gone(ConnectionError):
    """The client left, or the server is closing."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; the names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object; nothing where it is none."""
        try:
            found = json.loads(self.raw)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Connection:
    """One client's connection: reads requests, and writes answers as a plan wants them."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self._socket = sock
        self._closing = closing
        self._read = b""
        self._plan = Plan()
        self._compressor: zlib._Compress | None = None
        self._is_chunked = False
        self._held = b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def next_request(self) -> HttpRequest:
        """Read one request. Raises Gone when no more come."""
        head = self._take_until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        address = urlsplit(target)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        content = self._take(int(headers.get("content-length", "0")))
        return HttpRequest(method, unquote(address.path), query, headers, content)

    def _take_until(self, end: bytes) -> bytes:
        while end not in self._read:
            self._receive()
        taken, _, self._read = self._read.partition(end)
        return taken

    def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            self._receive()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received or self._closing.is_set():
            raise Gone
        self._read += received

    def begin(
        self, plan: Plan, status: int, headers: Mapping[str, str], length: int | None = None
    ) -> None:
        """Write the head of an answer; without a length its body comes in chunks."""
        self._plan = plan
        self._is_chunked = length is None
        framed = dict(headers)
        if self._is_chunked:
            framed["transfer-encoding"] = "chunked"
        else:
            framed["content-length"] = str(length)
        if plan.gzip:
            self._compressor = zlib.compressobj(wbits=31)
            framed["content-encoding"] = "gzip"
        reason = _REASONS.get(status) or HTTPStatus(status).phrase
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {framed[name]}" for name in framed)]
        head = "\r\n".join([*lines, "", ""]).encode()
        if plan.fault != "slow_header":
            self._send_now(head)
            return
        for place in range(len(head)):
            self._send_now(head[place : place + 1])
            self.wait(plan.token_delay_s or _SLOW_BYTE_S)

    def send(self, data: bytes) -> None:
        """Write a piece of the body, compressed and chunked as the plan wants it."""
        if self._compressor is not None:
            data = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        if self._plan.chunking == "together":
            self._held += data
            return
        self._write(data)

    def _write(self, data: bytes) -> None:
        size = 3 if self._plan.chunking == "bytes" else max(1, len(data))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if self._is_chunked:
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            self._send_now(piece)

    def flush(self) -> None:
        """Write what was held back to be sent together."""
        held, self._held = self._held, b""
        self._write(held)

    def end(self) -> None:
        """End the body as it should end."""
        if self._compressor is not None:
            self._held += self._compressor.flush()
            self._compressor = None
        self.flush()
        if self._is_chunked:
            self._send_now(b"0\r\n\r\n")

    def _send_now(self, data: bytes) -> None:
        if self._closing.is_set():
            raise Gone
        self._socket.sendall(data)

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the client does. Raises Gone when it leaves."""
        until = time.monotonic() + seconds
        if seconds > 0 and select.select([self._socket], [], [], seconds)[0]:
            if not self._socket.recv(1, socket.MSG_PEEK):
                raise Gone
            self._closing.wait(until - time.monotonic())

    def stall(self) -> None:
        """Write nothing more until the client goes away. Raises Gone then."""
        self.flush()
        while True:
            self._receive()

    def reset(self) -> None:
        """Break the connection with an RST."""
        self.flush()
        self.wait(0.02)  # so that what was sent is read before the reset makes it void
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        raise Gone

    def close(self) -> None:
        """Close the connection with a FIN, whatever is still owed."""
        self.flush()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        raise Gone
