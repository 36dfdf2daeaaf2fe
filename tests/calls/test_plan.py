"""What a call will be is settled before it is made: what is sent, for how much, with what notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rolecall.registry.calls.plan import CallPlan, call_limit, plan_call
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.decisions import SpendLimit
from rolecall.registry.core.entities import Budget, Endpoint, Model, Price, Registry, Strategy
from rolecall.registry.core.errors import BudgetExceeded
from rolecall.registry.policy.budget import Remaining
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served
from tests.storage.test_decisions import CANDIDATE, DECISION

DECIDED = replace(DECISION, task=replace(DECISION.task, input_tokens_declared=True))
HELLO = Chat((Turn("user", (Text("hello"),)),))


def planned(
    *, options: Any = None, refused: tuple[str, ...] = (), limit_usd: float | None = None, **of: Any
) -> CallPlan:
    """Return the plan of a call of an endpoint at $1 and $2 a million tokens; 120 go in."""
    endpoint = Endpoint("a/x", "x", base_url="http://x", price=Price(1.0, 2.0), **of)
    registry = Registry(1, models=(Model("x", max_output_tokens=9_000),), endpoints=(endpoint,))
    limit = None if limit_usd is None else SpendLimit(limit_usd, "at most so much")
    chat = replace(HELLO, options=options or {})
    return plan_call(registry, DECIDED, CANDIDATE, chat, limit, refused)


def test_the_chat_is_the_one_that_is_sent_and_what_it_lost_is_named() -> None:
    plan = planned(
        options={"temperature": 0.2, "seed": 7, "top_p": 0.5},
        refused=("top_p",),
        unsupported_parameters=("seed",),
        reasoning_effort=9_000,
    )
    assert plan.chat.options == {"temperature": 0.2, "reasoning_effort": "medium"}
    assert plan.dropped == ("seed", "top_p")
    assert plan.notes == (
        "a/x takes no budget for thinking: 9,000 tokens sent as medium",
        "a/x takes no seed, top_p: left out",
    )


def test_without_a_limit_all_that_the_model_can_give_is_reserved() -> None:
    plan = planned()
    assert plan.chat.max_tokens is None
    assert plan.reserved_usd == pytest.approx((120 + 9_000 * 2) / 1e6)


def test_an_answer_ends_where_the_money_does_and_no_more_is_reserved() -> None:
    plan = planned(limit_usd=0.00112)
    assert plan.chat.max_tokens == 500
    assert plan.reserved_usd == pytest.approx(0.00112)
    assert planned(limit_usd=1.0).chat.max_tokens is None


def test_money_for_less_than_the_expected_answer_is_too_little() -> None:
    with pytest.raises(BudgetExceeded, match="a/x may cost too much: at most so much"):
        planned(limit_usd=0.0007)


def test_what_went_into_failed_calls_is_off_the_request_and_known_to_the_budgets() -> None:
    strategy = Strategy("s", max_cost_usd=0.01)
    left = (Remaining("all", Budget(1.0, "day"), 0.008),)
    fresh, later = (call_limit(strategy, left, spent) for spent in (0.0, 0.005))
    assert fresh is not None
    assert later is not None
    assert (fresh.usd, later.usd) == pytest.approx((0.008, 0.005))
    assert call_limit(Strategy("s"), (), 0.5) is None


def test_a_free_endpoint_is_asked_though_the_tries_before_cost_more_than_the_limit() -> None:
    overspent = call_limit(Strategy("s", max_cost_usd=0.01), (), 0.012)
    assert overspent is not None
    assert overspent.usd == 0.0
    endpoint = Endpoint("a/x", "x", base_url="http://x", price=Price(0.0, 0.0))
    registry = Registry(1, models=(Model("x"),), endpoints=(endpoint,))
    plan = plan_call(registry, DECIDED, CANDIDATE, HELLO, overspent)
    assert (plan.chat.max_tokens, plan.reserved_usd) == (None, 0.0)


def test_a_more_expensive_endpoint_instead_of_an_open_circuit_is_named(
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
    assert "which asked to wait 60 s (rate_limited), tried again in" in second.stderr
