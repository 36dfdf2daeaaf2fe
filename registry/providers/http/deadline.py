"""End a call at a wall-clock deadline, however many bytes keep dripping in."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
from time import monotonic
from types import TracebackType
from typing import Any, Self

_LONGEST_WAIT_S = 3600.0


class Deadline:
    """Watches one call from a thread of its own and shuts its connection down when time is up.

    HTTP libraries start their read timeout anew with every byte, so that a server that sends
    nothing but keep-alives would hold a call for ever. Use as a context manager; hand `trace` to
    httpx as the request's `trace` extension, for it to learn of the connection and its phases.
    """

    def __init__(self, *, connect_s: float, first_token_s: float) -> None:
        self.passed: str | None = None
        self._connect_s = connect_s
        self._first_token_s = first_token_s
        self._changed = threading.Condition()
        self._at = math.inf
        self._wakes_at = math.inf
        self._what = ""
        self._is_over = False
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._watch, name="rolecall-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    def arm(self, error_type: str, seconds: float) -> None:
        """Set the deadline anew; `error_type` is what `passed` will say when it passes."""
        with self._changed:
            self._what, self._at = error_type, monotonic() + seconds
            if self._at < self._wakes_at:
                self._changed.notify()

    def pause(self) -> None:
        """Stop the clock, for as long as it is not the server who is waited for."""
        with self._changed:
            self._at = math.inf

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Follow a request as httpx tells of it: connected, encrypted, sent."""
        if event.endswith("connect_tcp.complete"):
            self._hold(info["return_value"].get_extra_info("socket"))
            self.arm("connect_timeout", self._connect_s)
        elif event.endswith("send_request_headers.started"):
            self.arm("first_token_timeout", self._first_token_s)

    def _hold(self, connection: socket.socket) -> None:
        """Keep a second descriptor: TLS takes the first away, and httpx may close it at will."""
        with self._changed, contextlib.suppress(OSError):
            self._connection = connection.dup()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over:
                left_s = self._at - monotonic()
                if left_s <= 0:
                    self.passed = self.passed or self._what
                    self._at = math.inf
                    self._shut_down()
                else:
                    self._wakes_at = self._at
                    self._changed.wait(min(left_s, _LONGEST_WAIT_S))

    def _shut_down(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # the other side was quicker
                self._connection.shutdown(socket.SHUT_RDWR)
