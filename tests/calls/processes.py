"""`rolecall` as a process of its own, on a terminal or with pipes, and a server that watches it."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import heeding_ctrl_c
from tests.faults.server import FaultServer

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
LONGEST_S = 30.0
_POLL_S = 0.01


class WatchfulServer(FaultServer):
    """A fault server that knows when each of its connections was over, on the monotonic clock."""

    left_at: list[float]

    def __enter__(self) -> WatchfulServer:
        self.left_at = []
        super().__enter__()
        return self

    @contextlib.contextmanager
    def tracking(self, connection: Any) -> Any:
        """Note when a connection is over."""
        with super().tracking(connection):
            try:
                yield
            finally:
                self.left_at.append(time.monotonic())


@dataclass
class Running:
    """A command that is running; `screen` is what its terminal shows so far."""

    process: subprocess.Popen[bytes]
    master: int | None
    screen: bytes = b""
    ended: dict[str, bytes] = field(default_factory=dict)

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Read the terminal until something has happened; fails after half a minute."""
        until = time.monotonic() + LONGEST_S
        while not happened():
            assert time.monotonic() < until, f"it never happened; on the screen: {self.screen!r}"
            assert self.process.poll() is None, f"it ended; on the screen: {self.screen!r}"
            self.look(_POLL_S)

    def look(self, seconds: float) -> bool:
        """Take in what is on the terminal now; tell whether there was anything."""
        if self.master is None:
            time.sleep(seconds)
            return False
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):  # the other end was closed
            piece = os.read(self.master, 65536)
            self.screen += piece
            return bool(piece)
        return False

    def stop(self, number: signal.Signals) -> float:
        """Send a signal, as Ctrl-C does; return when, on the monotonic clock."""
        at = time.monotonic()
        self.process.send_signal(number)
        return at

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code, stdout (or the terminal) and stderr."""
        until = time.monotonic() + LONGEST_S
        while self.master is not None and self.process.poll() is None:
            assert time.monotonic() < until, "it does not end"
            self.look(_POLL_S)
        out, err = self.process.communicate(timeout=LONGEST_S)
        while self.look(0):
            pass
        shown = self.screen if self.master is not None else out
        return self.process.returncode, shown.decode(), (err or b"").decode()


@contextlib.contextmanager
def running(*words: str, terminal: str = "", **environment: str) -> Iterator[Running]:
    """Start a command; `terminal` names which of its `out` and `err` are a terminal.

    The others are pipes. The command is killed where it is still running at the end.
    """
    master = follower = None
    if terminal:
        master, follower = pty.openpty()
    pipe = subprocess.PIPE
    with heeding_ctrl_c():
        process = subprocess.Popen(
            [PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=follower if "out" in terminal else pipe,
            stderr=follower if "err" in terminal else pipe,
            env=os.environ | {"TERM": "xterm", "NO_COLOR": "1"} | environment,
        )
    if follower is not None:
        os.close(follower)
    try:
        yield Running(process, master)
    finally:
        process.kill()
        process.communicate()
        if master is not None:
            os.close(master)
