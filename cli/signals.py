"""Ctrl-C, a request to end and a closed terminal end a command quietly, at any moment."""

from __future__ import annotations

import os
import signal
import sys
import time
from _thread import interrupt_main, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130  # ExitCode.INTERRUPTED, before anything else is imported
_AGAIN_S = 0.02


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """End the process on the spot; for while it starts and ends, and has nothing to tidy up."""
    with _handled_by(lambda *_: os._exit(_INTERRUPTED)):
        yield


class Interrupts:
    """Turns signals into KeyboardInterrupt, so that what was done is recorded and tidied up.

    `came` tells whether there was one: an extension that is being imported makes another error
    of it. Within an import none is raised, but right after it: the import machinery would keep a
    lock for ever, for which another thread may wait.
    """

    def __init__(self) -> None:
        self.came = False
        self._is_active = False

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise them inside the block."""
        before = sys.unraisablehook
        sys.unraisablehook = lambda lost: self._again(lost, before)
        try:
            with _handled_by(self._interrupt):
                self._is_active = True
                yield
        finally:
            self._is_active = False
            sys.unraisablehook = before

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not _is_importing(frame):
            raise KeyboardInterrupt
        start_new_thread(self._interrupt_later, (number,))

    def _interrupt_later(self, number: int) -> None:
        time.sleep(_AGAIN_S)
        if self._is_active:
            interrupt_main(signal.Signals(number))

    def _again(self, lost: Any, otherwise: Callable[[Any], object]) -> None:
        """Interrupt again where the interpreter swallowed it, within a callback of its own."""
        if isinstance(lost.exc_value, KeyboardInterrupt):
            interrupt_main()
        else:
            otherwise(lost)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


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
