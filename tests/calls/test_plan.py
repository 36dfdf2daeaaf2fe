"""An endpoint that its circuit keeps out is named where the one asked instead is more expensive."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Price
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served


def test_a_more_expensive_stand_in_for_an_open_circuit_is_named(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.register(
        Served(endpoint="t/cheap", remote_model="cheap", price=Price(0.1, 0.2, source="test")),
        Served(endpoint="t/dear", remote_model="dear", price=Price(30.0, 60.0, source="test")),
    )
    serving.server.plan("cheap", Plan(fault="rate_limit", retry_after="60"))
    first = rolecall("ask", "hello", "--strategy", "cheapest")
    assert "t/dear is more expensive than t/cheap" in first.stderr
    second = rolecall("ask", "hello", "--strategy", "cheapest")
    assert second.exit_code == 0
    assert "note: t/dear is more expensive than t/cheap, $" in second.stderr
    assert "which rate_limited, tried again in" in second.stderr


def test_what_failed_calls_cost_is_told_where_nobody_answered(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("openai")
    serving.server.plan("m", Plan(fault="empty"))
    told = json.loads(rolecall("ask", "hello", "--json").stdout)
    costs = [call.cost_usd for call in serving.calls()]
    assert [one["cost_usd"] for one in told["failures"]] == costs
    assert told["total_cost_usd"] == pytest.approx(sum(cost or 0.0 for cost in costs))


@pytest.mark.parametrize("check", ["no-such-command-here", "kill -9 $$"])
def test_a_check_that_cannot_be_run_counts_against_nobody(
    serving: Serving, rolecall: Rolecall, check: str
) -> None:
    serving.one("openai")
    result = rolecall("ask", "hello", "--json", "--check", check)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["outcomes"] == []
    assert "note: the check judged nothing" in result.stderr


def test_an_empty_check_is_refused(serving: Serving, rolecall: Rolecall) -> None:
    serving.one("openai")
    result = rolecall("ask", "hello", "--check", " ")
    assert (result.exit_code, result.stdout) == (2, "")
    assert serving.calls() == []


def test_a_timeout_beyond_a_day_is_refused(serving: Serving, rolecall: Rolecall) -> None:
    serving.one("openai")
    result = rolecall("ask", "hello", "--first-token-timeout", "1e10")
    assert result.exit_code == 2
    assert "is above 86400" in result.stderr


def test_a_probe_that_nobody_answers_says_so_by_its_exit_code(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("openai")
    assert rolecall("probe").exit_code == 0
    serving.server.plan("m", Plan(fault="server_error"))
    assert rolecall("probe").exit_code == 4
    assert rolecall("probe", "--max-cost", "0").exit_code == 3
