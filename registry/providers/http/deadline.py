"""End a call at a wall-clock deadline, however many bytes keep dripping in."""

from __future__ import annotations

import contextlib
import math
import socket
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Self

_LONGEST_WAIT_S = 3600.0


class Deadline:
    """Watches one call from a thread of its own and shuts its connection down when time is up.

    HTTP libraries start their read timeout anew with every byte, so that a server that sends
    nothing but keep-alives would hold a call for ever. Use as a context manager; hand `trace` to
    httpx as the request's `trace` extension, for it to learn of the connection and its phases.

    The thread that calls takes no lock: a Ctrl-C between taking and leaving one would hold it for
    ever, and the end of the call would wait for the watching thread in vain.
    """

    def __init__(self, *, connect_s: float, first_token_s: float) -> None:
        self.passed: str | None = None
        self._connect_s = connect_s
        self._first_token_s = first_token_s
        self._armed = ("", math.inf)  # what `passed` will say, and when
        self._wakes_at = math.inf
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._is_over = False
        self._connection: socket.socket | None = None
        self._thread = Thread(target=self._watch, name="rolecall-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._wake.put(None)
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    def arm(self, error_type: str, seconds: float) -> None:
        """Set the deadline anew; `error_type` is what `passed` will say when it passes."""
        self._armed = (error_type, monotonic() + seconds)
        if self._armed[1] < self._wakes_at:
            self._wake.put(None)

    def pause(self) -> None:
        """Stop the clock while it is not the server that is waited for."""
        self._armed = ("", math.inf)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Follow a request as httpx tells of it: connected, encrypted, sent."""
        if event.endswith("connect_tcp.complete"):
            # A second descriptor: TLS takes the first away, and httpx may close it at will.
            with contextlib.suppress(OSError):
                self._connection = info["return_value"].get_extra_info("socket").dup()
            self.arm("connect_timeout", self._connect_s)
        elif event.endswith("send_request_headers.started"):
            self.arm("first_token_timeout", self._first_token_s)

    def _watch(self) -> None:
        passed = None
        while not self._is_over:
            armed = self._armed
            left_s = armed[1] - monotonic()
            if armed is passed:
                left_s = math.inf
            elif left_s <= 0:
                passed = armed
                self.passed = self.passed or armed[0]
                self._shut_down()
                continue
            self._wakes_at = monotonic() + left_s
            if self._armed is not armed:
                continue  # armed anew by a thread that did not see this wait yet
            with contextlib.suppress(Empty):
                self._wake.get(timeout=min(left_s, _LONGEST_WAIT_S))

    def _shut_down(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # the other side was quicker
                self._connection.shutdown(socket.SHUT_RDWR)
