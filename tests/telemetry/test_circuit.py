from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rolecall.registry.core.telemetry import Call, EndpointStatistics
from rolecall.registry.telemetry.circuit import is_open, on_trial, state, why_open
from tests.telemetry.calls import START, at, call, replayed


def stats_of(*calls: Call) -> EndpointStatistics:
    stats, _ = replayed(calls)
    assert stats is not None
    return stats


def failing(seconds: float, error: str = "server_error") -> Call:
    return call(seconds, error=error, took_s=0.1)


def test_three_failures_in_a_row_open_the_circuit_and_two_do_not() -> None:
    assert state(stats_of(failing(0), failing(1)), at(2)) == "closed"
    opened = stats_of(failing(0), failing(1), failing(2))
    assert is_open(opened, at(3))
    assert why_open(opened, START + timedelta(seconds=3)) == (
        "failed 3 times in a row (server_error), tried again in 14 s"
    )


def test_a_success_in_between_starts_the_count_anew() -> None:
    assert state(stats_of(failing(0), failing(1), call(2), failing(4)), at(5)) == "closed"


def test_half_of_many_calls_failing_opens_it_too() -> None:
    calls = [failing(n) if n % 2 else call(n, took_s=0.1) for n in range(8)]
    assert is_open(stats_of(*calls), at(8))
    assert not is_open(stats_of(*calls[:6]), at(6))


def test_no_server_keeps_us_away_for_more_than_an_hour() -> None:
    limited = stats_of(replace(failing(0, "rate_limited"), retry_after_s=1e9))
    assert not is_open(limited, at(3_700))


@pytest.mark.parametrize(
    "error", ["context_too_long", "parameter_unsupported", "content_refused", "interrupted"]
)
def test_what_the_request_brought_about_never_opens_it(error: str) -> None:
    stats = stats_of(*(failing(n, error) for n in range(10)))
    assert state(stats, at(11)) == "closed"


def test_refused_requests_are_no_sign_that_a_server_is_down() -> None:
    assert state(stats_of(*(failing(n, "bad_request") for n in range(5))), at(6)) == "closed"


def test_it_is_tried_again_and_closes_when_that_succeeds() -> None:
    down = [failing(0), failing(1), failing(2)]
    assert on_trial(stats_of(*down), at(30))
    healed = stats_of(*down, call(30))
    assert (state(healed, at(32)), healed.times_opened, healed.opened_because) == (
        "closed",
        0,
        None,
    )


def test_a_trial_that_fails_opens_it_for_twice_as_long() -> None:
    again = stats_of(failing(0), failing(1), failing(2), failing(30))
    assert again.times_opened == 2
    assert is_open(again, at(30.1 + 29))
    assert not is_open(again, at(30.1 + 31))


def test_it_never_stays_open_longer_than_ten_minutes_by_itself() -> None:
    calls, when = [failing(0), failing(1), failing(2)], 3.0
    for _ in range(12):
        when += 700
        calls.append(failing(when))
    stats = stats_of(*calls)
    assert stats.times_opened > 10
    assert not is_open(stats, at(when + 601))


def test_a_call_begun_before_it_opened_neither_closes_nor_reopens_it() -> None:
    down = [failing(0), failing(1), failing(2)]
    late = replace(call(1.5), finished_at=at(9))
    assert is_open(stats_of(*down, late), at(10))
    late_failure = replace(failing(1.5), finished_at=at(9))
    assert stats_of(*down, late_failure).times_opened == 1


def test_a_trial_under_way_keeps_others_out() -> None:
    down = replace(stats_of(failing(0), failing(1), failing(2)), trial_until=at(200))
    assert is_open(down, at(60))
    assert not on_trial(down, at(60))
    assert on_trial(down, at(201))
