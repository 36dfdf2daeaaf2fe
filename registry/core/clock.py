"""What time it is; asked for in one way, so that a test can let time pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the moment it is, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment in the one form in which it is stored: in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
