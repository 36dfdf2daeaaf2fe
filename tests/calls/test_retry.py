from __future__ import annotations

import pytest

from rolecall.registry.calls import retry
from rolecall.registry.calls.retry import retry_after
from rolecall.registry.core.errors import BudgetExceeded, CallFailed, RegistryError
from rolecall.registry.telemetry.record import CircuitOpen


@pytest.fixture(autouse=True)
def waits_as_they_are(short_waits: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.5)


def failed(
    error_type: str, retry_after_s: float | None = None, *, may_retry: bool | None = None
) -> CallFailed:
    return CallFailed(error_type, "failed", retry_after_s=retry_after_s, may_retry=may_retry)


def waits(error: RegistryError, *, is_last: bool, shown: bool = False) -> list[float]:
    """Return the waits before each further try, none of them shortened by chance."""
    found: list[float] = []
    while len(found) < 9:
        wait = retry_after(error, len(found) + 1, 0.0, is_last=is_last, shown=shown)
        if wait is None:
            break
        found.append(wait)
    return found


@pytest.mark.parametrize("error", ["connect_failed", "server_error", "overloaded", "rate_limited"])
def test_what_may_pass_is_tried_once_more_and_twice_where_nobody_else_is_left(error: str) -> None:
    assert waits(failed(error), is_last=False) == [0.5]
    assert waits(failed(error), is_last=True) == [0.5, 1.0]


@pytest.mark.parametrize(
    "error",
    [
        *("auth", "not_found", "quota_exceeded", "context_too_long", "first_token_timeout"),
        *("idle_timeout", "bad_request", "content_refused", "parameter_unsupported"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(error: str) -> None:
    assert waits(failed(error), is_last=True) == []


@pytest.mark.parametrize(
    "error", ["stream_cut", "stream_error", "invalid_response", "connect_timeout"]
)
@pytest.mark.parametrize("shown", [True, False])
def test_what_broke_off_is_tried_again_only_where_nobody_else_is_left(
    error: str, *, shown: bool
) -> None:
    assert waits(failed(error), is_last=False, shown=shown) == []
    assert waits(failed(error), is_last=True, shown=shown) == [0.5, 1.0]


def test_an_empty_answer_was_paid_for_and_is_asked_for_once_more() -> None:
    assert waits(failed("empty_answer"), is_last=True) == [0.5]


def test_chance_takes_up_to_a_quarter_off_the_wait() -> None:
    found = [retry_after(failed("overloaded"), 1, c, is_last=True, shown=False) for c in (0, 1)]
    assert found == [0.5, 0.375]


def test_what_the_server_asks_for_is_waited_unless_others_are_quicker() -> None:
    assert waits(failed("rate_limited", 1.5), is_last=False) == [1.5]
    assert waits(failed("rate_limited", 9), is_last=False) == []
    assert waits(failed("rate_limited", 9), is_last=True) == [9, 9]
    assert waits(failed("rate_limited", 40), is_last=True) == []
    assert waits(failed("rate_limited", 0), is_last=True) == [0.5, 1.0]


def test_what_the_server_says_of_another_try_goes_before_all() -> None:
    assert waits(failed("overloaded", may_retry=False), is_last=True) == []
    assert waits(failed("bad_request", may_retry=True), is_last=True) == [0.5, 1.0]


def test_the_end_of_a_wait_that_a_server_asked_for_is_awaited_by_the_last_alone() -> None:
    assert retry_after(CircuitOpen("m", 8.0), 1, 0.0, is_last=True, shown=False) == 8.0
    assert retry_after(CircuitOpen("m", 8.0), 1, 0.0, is_last=False, shown=False) is None
    assert waits(CircuitOpen("m", 30.0), is_last=True) == []
    assert waits(CircuitOpen("m"), is_last=True) == []
    assert len(waits(CircuitOpen("m", 8.0), is_last=True)) == 2


def test_a_spending_limit_is_never_waited_for() -> None:
    assert waits(BudgetExceeded("too dear"), is_last=True) == []
