"""Tests of files that must not be written, whoever runs them: root loses its rights meanwhile."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION_3 = 0x20080522
# CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER: to pass over the modes of files.
_PASSING_MODES = 0b1110


@contextmanager
def held_to_modes() -> Iterator[None]:
    """Let the modes of files hold inside the block, for root too (on Linux)."""
    if os.geteuid() != 0:
        yield
        return
    system = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, twice
    assert system.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~_PASSING_MODES
    assert system.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert system.capset(header, sets) == 0
