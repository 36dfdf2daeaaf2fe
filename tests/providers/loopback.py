"""A tiny server on loopback that does to each connection what a test says."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Self


class Connection:
    """One connection, after its request was read."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self.is_over = threading.Event()
        self.headers, self.body = self._read_request()

    def head(self, content_type: str = "text/event-stream", status: str = "200 OK") -> None:
        """Begin an answer whose body ends with the connection."""
        self.send(f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n\r\n")

    def chunked(self, content_type: str = "text/event-stream", extra: str = "") -> None:
        """Begin an answer in chunks."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{extra}"
        self.send(f"{head}transfer-encoding: chunked\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        """Send one chunk; an empty one ends the answer."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def record(self, document: Any) -> None:
        """Send one server-sent event."""
        self.send(f"data: {json.dumps(document)}\n\n")

    def send(self, data: str | bytes) -> None:
        """Send bytes as they are."""
        self._raw.sendall(data.encode() if isinstance(data, str) else data)

    def drip(self, data: bytes, every_s: float) -> None:
        """Send the same bytes again and again until the client is gone."""
        with contextlib.suppress(OSError):
            while not self.is_over.wait(every_s):
                self.send(data)

    def is_closed_within(self, seconds: float) -> bool:
        """Tell whether the client closes the connection in time."""
        self._raw.settimeout(seconds)
        try:
            return self._raw.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def reset(self) -> None:
        """Break the connection, losing what is on its way."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._raw.close()

    def _read_request(self) -> tuple[dict[str, str], Any]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._raw.recv(65536)
            if not piece:
                return {}, None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._raw.recv(65536)
        return headers, json.loads(body)


class Loopback:
    """Serves on a free port of 127.0.0.1; a context manager."""

    def __init__(self, script: Callable[[Connection], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.connections: list[Connection] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.is_over.set()
        for thread in self._threads:
            thread.join(5.0)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self._start(lambda raw=raw: self._serve(raw))  # type: ignore[misc]

    def _serve(self, raw: socket.socket) -> None:
        with raw, contextlib.suppress(OSError):
            connection = Connection(raw)
            self.connections.append(connection)
            self._script(connection)
