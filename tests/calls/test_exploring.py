"""Nobody loses for ever because another was measured first, or because it failed once."""

from __future__ import annotations

import json

from rolecall.registry.core.entities import Price
from tests.calls.serving import PLAIN, Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served

MOST_ASKS = 20


def a_cheaper_one_that_fails_first(serving: Serving, *failures: Plan) -> None:
    """Register a cheaper endpoint that fails, then answers, and a sound one behind it."""
    serving.register(
        Served(endpoint="lab/cheap", model="same", capabilities=PLAIN),
        Served(
            endpoint="lab/other",
            model="same",
            price=Price(1.5, 3.0, source="test"),
            capabilities=PLAIN,
        ),
    )
    serving.server.plan("cheap", *failures, Plan())


def test_after_a_fallback_the_first_choice_is_tried_again_said_so_and_kept_once_it_is_timed(
    serving: Serving, rolecall: Rolecall
) -> None:
    failure = Plan(fault="bad_request")
    a_cheaper_one_that_fails_first(serving, failure)
    said, answered = [], []
    for _ in range(MOST_ASKS):
        result = rolecall("ask", "hello", "--json")
        told = json.loads(result.stdout)
        answered.append(told["endpoint"])
        said.append("lab/cheap was never timed: it is asked once" in result.stderr)
    assert answered[:3] == ["lab/other"] * 3
    assert sum(said) == 1
    tried = said.index(True)
    assert answered[: tried + 1] == [*["lab/other"] * tried, "lab/cheap"]
    assert set(answered[tried:]) == {"lab/cheap"}
    shown = rolecall("telemetry", "list", "--json", "--limit", "1")
    assert shown.exit_code == 0


def test_routing_alone_tries_nobody_and_stays_the_same(
    serving: Serving, rolecall: Rolecall
) -> None:
    a_cheaper_one_that_fails_first(serving, Plan(fault="bad_request"))
    for _ in range(MOST_ASKS):
        rolecall("ask", "hello", "-e", "lab/other")
    routed = {rolecall("route", "hello").stdout for _ in range(3)}
    assert routed == {"lab/other\n"}
    asked = rolecall("ask", "hello", "--json")
    assert json.loads(asked.stdout)["chosen"] == "lab/cheap"
    why = rolecall("explain")
    assert "never timed, and tried once" in why.stdout
    assert "near-tie" not in why.stdout
    explained = json.loads(rolecall("explain", "--json").stdout)
    assert explained["reasons"][0] == "UNTIMED_ENDPOINT_TRIED"
    assert explained["flips"] == []


def test_one_that_keeps_failing_is_tried_less_and_less(
    serving: Serving, rolecall: Rolecall
) -> None:
    a_cheaper_one_that_fails_first(serving)
    serving.server.plan("cheap", Plan(fault="bad_request"))
    for _ in range(2 * MOST_ASKS):
        assert rolecall("ask", "hello").exit_code == 0
    calls = serving.calls()
    tried = sum(call.endpoint == "lab/cheap" for call in calls)
    assert 2 <= tried <= len(calls) / 3
