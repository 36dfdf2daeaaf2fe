"""How long to wait is read where servers say it, and never taken on trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rolecall.registry.providers.http.retry_after import retry_after_s, wait_in_words


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


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("status 429: Rate limit reached for gpt-x: Limit 3, Used 3. Please try again in 20s.", 20),
        ("Please try again in 1m2.5s. Visit https://example.com to learn more.", 62.5),
        ("Please try again in 350ms", 0.35),
        ("Please try again in 2h3m4s", 7384),
        ("Please retry after 6 seconds.", 6),
        ("please retry in 17.5 s", 17.5),
        ("try again in 5 minutes", 300),
        ("try again in 900h", 86_400),
        ("Please try again later", None),
        ("Please try again in a few seconds", None),
        ("try again in 5 models", None),
        ("slow down: 20s", None),
    ],
)
def test_a_wait_is_read_from_a_message_that_names_it(said: str, seconds: float | None) -> None:
    assert wait_in_words(said) == (None if seconds is None else pytest.approx(seconds))
