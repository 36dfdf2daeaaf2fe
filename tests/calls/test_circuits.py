"""Endpoints whose circuit opens while others are being asked, or before."""

from __future__ import annotations

import pytest

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.events import Answered, Asking, AskRequest, Failed
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.entities import Price
from rolecall.registry.core.errors import AllFailed
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.telemetry.record import CircuitOpen
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

HELLO = Chat((Turn("user", (Text("hello"),)),))


def test_a_circuit_that_opened_since_the_decision_is_passed_over_and_is_no_attempt(
    serving: Serving,
) -> None:
    names = ("first", "second", "third")
    serving.register(
        *(
            Served(endpoint=f"openai/{name}", model="same", price=Price(place, place))
            for place, name in enumerate(names, start=1)
        )
    )
    serving.server.plan("first", Plan(fault="bad_request"))
    serving.server.plan("second", Plan(fault="rate_limit"))
    with open_registry(None) as db, open_asker(db) as asker:
        running = asker.ask(AskRequest(HELLO, RoutingChoices(strategy="cheapest")))
        next(running)  # the decision
        with pytest.raises(AllFailed):
            list(asker.ask(AskRequest(HELLO, RoutingChoices(endpoints=("openai/second",)))))
        progress = list(running)
    failed = [one for one in progress if isinstance(one, Failed)]
    asked = [(one.endpoint, one.attempt) for one in progress if isinstance(one, Asking)]
    assert [type(one.error) for one in failed][1] is CircuitOpen
    assert asked == [("openai/first", 1), ("openai/second", 2), ("openai/third", 2)]
    answered = progress[-1]
    assert isinstance(answered, Answered)
    assert answered.call.attempt == 2
    assert len(serving.server.received("second")) == 1


def test_a_failure_that_opens_the_circuit_is_not_waited_for(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan("m", Plan(fault="server_error"))
    assert rolecall("ask", "hello").exit_code == 4
    third = rolecall("ask", "hello")
    assert third.exit_code == 4
    assert "tried again" not in third.stderr
    assert len(serving.server.received("m")) == len(serving.calls()) == 3
    fourth = rolecall("ask", "hello")
    assert fourth.exit_code == 3
    assert "PROVIDER_OFFLINE" in fourth.stderr
    assert len(serving.server.received("m")) == 3


def test_whoever_is_limited_is_left_alone_while_another_answers(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.first_and_second(Plan(fault="rate_limit", retry_after="60"))
    for _ in range(3):
        result = rolecall("ask", "hello")
        assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert len(serving.server.received("first")) == 1
