"""Spans of time and moments as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.durations import parse_duration, parse_moment
from rolecall.registry.core.errors import UsageError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def in_delhi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set this machine's clock to UTC+5:30, without a summer time."""
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90d", timedelta(days=90)),
        ("4h", timedelta(hours=4)),
        ("30m", timedelta(minutes=30)),
        ("45s", timedelta(seconds=45)),
        ("2w", timedelta(days=14)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        (" 4H ", timedelta(hours=4)),
        ("36500d", timedelta(days=36500)),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "90", "d", "4 h", "-4h", "4y", "30m1h", "1h1h", "٤h", "1e3s"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_duration(text)
    assert refused.value.message == f'"{text}" is not a length of time'
    assert refused.value.hint == "such as 90d, 4h, 1h30m or 45s"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0d", "more than nothing"),
        ("0h0m", "more than nothing"),
        ("36501d", "at most 36500d"),
        ("99999999w99999999d", "at most 36500d"),
    ],
)
def test_a_length_of_time_has_limits(text: str, limit: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_duration(text)
    assert refused.value.message == f'"{text}" is not {limit}'


@given(st.text(max_size=12))
def test_any_text_is_a_length_of_time_or_refused(text: str) -> None:
    try:
        assert parse_duration(text) > timedelta(0)
    except UsageError:
        with pytest.raises(UsageError):
            parse_duration(text)


def test_a_moment_is_a_length_of_time_ago() -> None:
    assert parse_moment("2h", NOW) == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert parse_moment("36500d", NOW).year == 1926


@pytest.mark.usefixtures("in_delhi")
def test_a_date_is_its_midnight_on_this_machine() -> None:
    assert parse_moment("2026-11-20", NOW) == datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    assert parse_moment("2026-11-20T08:00", NOW) == datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.mark.usefixtures("in_delhi")
def test_a_time_with_an_offset_is_that_time_anywhere() -> None:
    moment = parse_moment("2026-11-20T08:00:00+01:00", NOW)
    assert moment == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+05:00", "9999-12-31T23:59-05:00"]
)
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_moment(text, NOW)
    assert refused.value.message == f'"{text}" is neither a length of time nor a date'
    assert refused.value.hint == "such as 2h, 3d or 2026-11-20"


def test_too_long_ago_is_refused_as_a_length_of_time() -> None:
    with pytest.raises(UsageError, match="at most 36500d"):
        parse_moment("99999d", NOW)
