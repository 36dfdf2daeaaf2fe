from __future__ import annotations

import pytest

from rolecall.registry.calls.retry import retry_after
from rolecall.registry.core.errors import BudgetExceeded, CallFailed


def failed(error_type: str, retry_after_s: float | None = None) -> CallFailed:
    return CallFailed(error_type, "failed", retry_after_s=retry_after_s)


@pytest.mark.parametrize("error", ["connect_failed", "server_error", "overloaded", "rate_limited"])
def test_what_may_pass_is_tried_once_more(error: str) -> None:
    wait = retry_after(failed(error), 1, 0.5, is_last=False, shown=False)
    assert wait == pytest.approx(0.4)
    assert retry_after(failed(error), 2, 0.5, is_last=False, shown=False) is None


@pytest.mark.parametrize(
    "error", ["auth", "not_found", "quota_exceeded", "context_too_long", "first_token_timeout"]
)
def test_what_will_not_pass_is_not_tried_again(error: str) -> None:
    assert retry_after(failed(error), 1, 0.5, is_last=True, shown=False) is None


def test_the_wait_is_spread_by_chance() -> None:
    waits = [retry_after(failed("overloaded"), 1, c, is_last=True, shown=False) for c in (0, 1)]
    assert waits == [pytest.approx(0.2), pytest.approx(0.6)]


def test_what_the_server_asks_for_is_waited_unless_others_are_quicker() -> None:
    assert retry_after(failed("rate_limited", 1.5), 1, 0.5, is_last=False, shown=False) == 1.5
    assert retry_after(failed("rate_limited", 9), 1, 0.5, is_last=False, shown=False) is None
    assert retry_after(failed("rate_limited", 9), 1, 0.5, is_last=True, shown=False) == 9
    assert retry_after(failed("rate_limited", 90), 1, 0.5, is_last=True, shown=False) is None


def test_an_answer_that_broke_off_is_tried_again_only_where_nobody_else_is_left() -> None:
    assert retry_after(failed("stream_cut"), 1, 0.5, is_last=False, shown=True) is None
    assert retry_after(failed("stream_cut"), 1, 0.5, is_last=True, shown=True) is not None


def test_a_spending_limit_is_never_waited_for() -> None:
    assert retry_after(BudgetExceeded("too dear"), 1, 0.5, is_last=True, shown=False) is None
