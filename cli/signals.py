"""Ctrl-C, a request to end and a closed terminal end a command quietly, at any moment."""

from __future__ import annotations

import os
import signal
import sys
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130  # ExitCode.INTERRUPTED, before anything else is imported


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """End the process on the spot; for while it starts and ends, and has nothing to tidy up."""
    with _handled_by(lambda *_: os._exit(_INTERRUPTED)):
        yield


class Interrupts:
    """Turns signals into KeyboardInterrupt, so that what was done is recorded and tidied up.

    `came` tells whether there was one: an extension that is being imported makes another error
    of it.
    """

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise them inside the block."""
        before = sys.unraisablehook
        sys.unraisablehook = lambda lost: self._again(lost, before)
        try:
            with _handled_by(self._interrupt):
                yield
        finally:
            sys.unraisablehook = before

    def _interrupt(self, *_: object) -> None:
        self.came = True
        raise KeyboardInterrupt

    def _again(self, lost: Any, otherwise: Callable[[Any], object]) -> None:
        """Interrupt again where the interpreter swallowed it, within a callback of its own."""
        if isinstance(lost.exc_value, KeyboardInterrupt):
            interrupt_main()
        else:
            otherwise(lost)


@contextmanager
def _handled_by(handler: Callable[..., Any]) -> Iterator[None]:
    """Let `handler` take the signals inside the block, but for those that the person ignores."""
    taken = [one for one in _SIGNALS if signal.getsignal(one) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in taken}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
