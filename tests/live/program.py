"""The installed `rolecall` as a process: run to its end, or on a terminal that is watched."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import Result

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
_LONGEST_S = 120.0


def run(*words: str | Path) -> Result:
    """Run one command to its end, into pipes."""
    ran = subprocess.run(
        [PROGRAM, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
    )
    return Result(ran.returncode, ran.stdout, ran.stderr)


def run_json(*words: str | Path, exit_code: int = 0) -> Any:
    """Run a command with --json and return its object."""
    ran = run(*words, "--json")
    assert ran.exit_code == exit_code, ran.stderr
    return json.loads(ran.stdout)


def calls_of(decision_id: str) -> list[dict[str, Any]]:
    """Return the recorded calls of a decision, in their order."""
    found: list[dict[str, Any]] = run_json("telemetry", "show", decision_id)["calls"]
    return found


def last_calls() -> list[dict[str, Any]]:
    """Return the calls of the last decision that led to any, in their order."""
    latest = run_json("telemetry", "list", "--limit", "1")["calls"][0]
    return calls_of(latest["decision_id"])


class Watched:
    """A command whose stdout is a terminal, so that its answer is seen as it comes."""

    def __init__(self, process: subprocess.Popen[str], terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._seen = b""

    def wait_for_text(self) -> None:
        """Wait until some of the answer is on the terminal."""
        assert self._read(), "nothing was shown"

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Result:
        """Wait until the command ends and return what it left."""
        while self._read():
            pass
        _, stderr = self._process.communicate(timeout=_LONGEST_S)
        return Result(self._process.returncode, self._seen.decode("utf-8", "replace"), stderr)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], _LONGEST_S)
        assert ready, "the command stands still"
        try:
            piece = os.read(self._terminal, 65_536)
        except OSError:  # the other side is closed
            return False
        self._seen += piece
        return bool(piece)


@contextmanager
def watched(*words: str) -> Iterator[Watched]:
    """Run a command on a terminal of its own; it is killed where the block leaves it running."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(inner)
    try:
        yield Watched(process, terminal)
    finally:
        process.kill()
        process.communicate()
        os.close(terminal)
