"""Spans of time and moments as people type them: `90d`, `1h30m`, `2026-11-20`.

durationpy reads `1h bogus 30m` as 1h30m and `3mm` as three months; limits and messages would
have to be written around it all the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rolecall.registry.core.errors import UsageError

_UNITS = {"weeks": "w", "days": "d", "hours": "h", "minutes": "m", "seconds": "s"}
_NUMBER = r"[0-9]{1,8}(?:\.[0-9]{1,6})?"
_SPAN = re.compile("".join(f"(?:(?P<{name}>{_NUMBER}){unit})?" for name, unit in _UNITS.items()))
_LONGEST = timedelta(days=36_500)
_EXAMPLES = "such as 90d, 4h, 1h30m or 45s"


def parse_duration(text: str) -> timedelta:
    """Return the time that `90d`, `4h`, `30m`, `45s`, `2w` or `1h30m` stands for.

    It is more than nothing and at most 100 years. Raises UsageError.
    """
    span = _span(text)
    if span is None:
        raise UsageError(f'"{text}" is not a length of time', hint=_EXAMPLES)
    if not timedelta(0) < span <= _LONGEST:
        limit = "more than nothing" if span <= timedelta(0) else "at most 36500d"
        raise UsageError(f'"{text}" is not {limit}', hint=_EXAMPLES)
    return span


def _span(text: str) -> timedelta | None:
    """Return the length of time that a text is, null when it is none."""
    found = _SPAN.fullmatch(text.strip().lower())
    numbers = {name: float(n) for name, n in found.groupdict().items() if n} if found else {}
    return timedelta(**numbers) if numbers else None


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment, in UTC, that is `text` (a duration) before `now`, or that `text` names.

    A date is its midnight; a date or time without an offset is meant on this machine's clock.
    Raises UsageError.
    """
    if _span(text) is not None:
        return (now - parse_duration(text)).astimezone(UTC)
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'"{text}" is neither a length of time nor a date', hint="such as 2h, 3d or 2026-11-20"
        ) from error
