"""Ids of decisions and calls.

A ULID or UUID7 has 26 or 36 characters, too many to type; these are 16, and no library makes them.
"""

from __future__ import annotations

import secrets
from datetime import datetime

# Ours, since a ULID is ten characters longer than people like to type, and importing a library for
# it takes longer than these lines.
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(now: datetime) -> str:
    """Return a fresh id of 16 characters that sorts by time (milliseconds, then 30 random bits)."""
    number = (int(now.timestamp() * 1000) << 30) | secrets.randbits(30)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(75, -5, -5))
