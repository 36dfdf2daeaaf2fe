from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rolecall.registry.core.telemetry import Call, EndpointStatistics
from rolecall.registry.telemetry.circuit import (
    asked_left_s,
    believed,
    is_open,
    on_trial,
    refuses_key,
    state,
    why_open,
)
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


def limited(seconds: float, asked_s: float | None) -> Call:
    return replace(failing(seconds, "rate_limited"), retry_after_s=asked_s, status_code=429)


def test_a_server_is_left_alone_for_exactly_as_long_as_it_asked() -> None:
    stats = stats_of(limited(0, 1.0))
    assert is_open(stats, at(1.0))
    assert state(stats, at(1.2)) == "half-open"
    assert not is_open(stats, at(1.2))
    assert asked_left_s(stats, START + timedelta(seconds=0.6)) == pytest.approx(0.5)
    assert why_open(stats_of(limited(0, 40.0)), START + timedelta(seconds=10.1)) == (
        "asked to wait 40 s (rate_limited), tried again in 30 s"
    )


def test_when_a_server_that_is_down_means_to_be_back_binds_nobody() -> None:
    down = [replace(failing(n, "overloaded"), retry_after_s=600.0) for n in range(3)]
    stats = stats_of(*down)
    assert is_open(stats, at(300))
    assert asked_left_s(stats, START + timedelta(seconds=300)) == 0.0


def test_what_a_server_asked_for_makes_our_next_guess_no_longer() -> None:
    again = stats_of(limited(0, 1.0), limited(2, None))
    assert is_open(again, at(17))
    assert not is_open(again, at(17.2))


def test_of_two_waits_that_a_server_asked_for_the_longer_counts_and_either_before_a_guess() -> None:
    together = (limited(0, 60.0), replace(limited(0.05, 1.0), finished_at=at(0.2)))
    assert is_open(stats_of(*together), at(59))
    guessed = (limited(0, None), replace(limited(0.05, 2.0), finished_at=at(0.2)))
    assert not is_open(stats_of(*guessed), at(2.3))


def test_a_rate_limit_whose_time_is_up_keeps_nobody_out_while_one_tries() -> None:
    trying = replace(stats_of(limited(0, 1.0)), trial_until=at(200))
    assert not is_open(trying, at(1.2))


def test_a_success_of_a_call_begun_after_it_opened_closes_it_at_once() -> None:
    down = [failing(0), failing(1), failing(2)]
    assert state(stats_of(*down, call(5)), at(7)) == "closed"


@pytest.mark.parametrize(
    ("error", "status", "is_refused"),
    [
        ("auth", 401, True),
        ("auth", 400, True),
        ("auth", 403, False),
        ("auth", 200, False),
        ("auth", None, False),
        ("quota_exceeded", 402, False),
    ],
)
def test_a_refused_key_opens_it_at_once_and_what_a_key_may_not_does_not(
    error: str, status: int | None, *, is_refused: bool
) -> None:
    refusal = replace(failing(0, error), status_code=status)
    assert refuses_key(refusal) is is_refused
    assert is_open(stats_of(refusal), at(1)) is (is_refused or error == "quota_exceeded")
    again = stats_of(refusal, refusal)
    known = f", status {status}" if status else ""
    assert f"{error}{known}" in why_open(again, START)


def test_a_refused_key_is_no_sign_that_calls_fail() -> None:
    stats = stats_of(*(replace(failing(n, "auth"), status_code=401) for n in range(3)))
    assert (stats.failed, stats.recent_failures, stats.recent_calls) == (3, 0.0, 0.0)


FAR = timedelta(days=365 * 70)


def test_a_circuit_in_the_far_future_is_not_believed() -> None:
    down = stats_of(failing(0), failing(1), failing(2))
    then = replace(down, open_until=at(FAR.total_seconds()))
    assert state(believed(then, START), at(0)) == "closed"
    ahead = [replace(failing(FAR.total_seconds() + n), created_at=at(n)) for n in range(3)]
    assert state(believed(stats_of(*ahead), START), at(0)) == "closed"
    trial = replace(down, trial_until=at(FAR.total_seconds()))
    assert on_trial(believed(trial, START + timedelta(seconds=60)), at(60))


def test_a_circuit_that_a_rule_may_have_set_is_believed() -> None:
    hour = stats_of(limited(0, 3_600.0))
    assert believed(hour, START + timedelta(seconds=1)) == hour
    down = stats_of(failing(0), failing(1), failing(2))
    assert believed(down, START) == down  # a clock that was set back by seconds


def test_after_a_clock_was_set_right_failures_open_a_circuit_anew() -> None:
    far = [failing(FAR.total_seconds() + n) for n in range(3)]
    again = stats_of(*far, failing(0))
    assert (again.times_opened, is_open(again, at(15)), is_open(again, at(16))) == (1, True, False)
    assert state(stats_of(*far, call(0)), at(3)) == "closed"
