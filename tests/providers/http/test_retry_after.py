"""How long to wait is read where servers say it, and never taken on trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rolecall.registry.providers.http.retry_after import retry_after_s


def google(delay: Any) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    return {"error": {"details": [{"@type": "x"}, {"@type": kind, "retryDelay": delay}]}}


@pytest.mark.parametrize(
    ("headers", "document", "seconds"),
    [
        ({}, None, None),
        ({"retry-after": "7"}, None, 7.0),
        ({"retry-after": " 1.5 "}, None, 1.5),
        ({"retry-after": "0"}, None, 0.0),
        ({"retry-after": "-3"}, None, None),
        ({"retry-after": "nan"}, None, None),
        ({"retry-after": "inf"}, None, None),
        ({"retry-after": "1e9"}, None, 86_400.0),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, None, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, None, 9.0),
        ({}, google("34.5s"), 34.5),
        ({}, [google("2s")], 2.0),
        ({}, google("soon"), None),
        ({}, google(5), None),
        ({}, {"error": {"details": "none"}}, None),
        ({}, [], None),
    ],
)
def test_the_wait_is_read(headers: dict[str, str], document: Any, seconds: float | None) -> None:
    assert retry_after_s(headers, document) == seconds


def test_a_date_ahead_is_counted_from_now() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    wait = retry_after_s({"retry-after": until})
    assert wait is not None
    assert 95 < wait <= 100
