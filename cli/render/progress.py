"""A line on stderr that says how far long work has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.registry.core.reporting import ReportProgress

_PAUSE_S = 0.1


@contextmanager
def counted(what: str) -> Iterator[ReportProgress]:
    """Yield a function of how much of how much is done; its line goes when the block ends.

    Only a terminal is told anything.
    """
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    width, told_at = 0, float("-inf")

    def report(done: int, total: int) -> None:
        nonlocal width, told_at
        now = time.monotonic()
        if now - told_at < _PAUSE_S and done < total:
            return
        text = f"{what}: {done:,} of {total:,}"
        sys.stderr.write(f"\r{text:<{width}}")
        sys.stderr.flush()
        width, told_at = len(text), now

    try:
        yield report
    finally:
        sys.stderr.write(f"\r{'':<{width}}\r")
        sys.stderr.flush()


def _say_nothing(_done: int, _total: int) -> None:
    pass
