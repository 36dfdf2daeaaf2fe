"""How long a server asks to be left alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_LONGEST_S = 86_400.0
_MS_PER_S = 1000.0


def retry_after_s(headers: Mapping[str, str], document: Any = None) -> float | None:
    """Return how many seconds a refusal asks to wait, a day at most; null where it does not say.

    Read from `retry-after-ms`, `retry-after` (seconds or a date), and the `RetryInfo` of a
    Google error body, in this order.
    """
    asked = (_milliseconds(headers), _seconds_or_date(headers), _google_delay(document))
    return next((min(wait, _LONGEST_S) for wait in asked if wait is not None), None)


def _milliseconds(headers: Mapping[str, str]) -> float | None:
    wait = _number(headers.get("retry-after-ms", ""))
    return None if wait is None else wait / _MS_PER_S


def _seconds_or_date(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "").strip()
    wait = _number(said)
    if wait is not None or not said:
        return wait
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _google_delay(document: Any) -> float | None:
    delays = (detail.get("retryDelay") for detail in error_details(document))
    waits = (_number(one[:-1]) for one in delays if isinstance(one, str) and one.endswith("s"))
    return next((wait for wait in waits if wait is not None), None)


def error_details(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the details of a Google error body."""
    if isinstance(document, list):
        document = document[0] if document else None
    error = document.get("error") if isinstance(document, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    yield from (
        (one for one in details if isinstance(one, dict)) if isinstance(details, list) else ()
    )


def _number(said: str) -> float | None:
    try:
        number = float(said)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
