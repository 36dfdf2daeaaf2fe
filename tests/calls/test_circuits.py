"""Endpoints whose circuit opens while others are being asked, or before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.events import Answered, Asking, AskRequest, Failed, Waiting
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.clock import stamp
from rolecall.registry.core.entities import Price
from rolecall.registry.core.errors import AllFailed
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.statistics import read_endpoint_statistics
from rolecall.registry.telemetry.circuit import state
from rolecall.registry.telemetry.record import CircuitOpen
from tests.calls.pausing import Pausing
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
    assert len(serving.server.received("second")) == 3


def circuit(db: Database, endpoint: str) -> str:
    stats = read_endpoint_statistics(db, endpoint)
    return "none" if stats is None else state(stats, stamp(datetime.now(UTC)))


@pytest.mark.parametrize(
    "fault", ["rate_limit", "overloaded", "server_error", "reset", "cut", "quota"]
)
def test_the_only_endpoint_is_asked_though_its_circuit_is_open_and_used_once_it_is_back(
    serving: Serving, rolecall: Rolecall, fault: str
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault=fault))
    assert rolecall("ask", "hello").exit_code == 4
    with open_registry(None) as db:
        assert circuit(db, endpoint) == "open"
    asked = len(serving.server.received("m"))
    still = rolecall("ask", "hello")
    assert still.exit_code == 4
    assert len(serving.server.received("m")) > asked
    assert f"note: nobody else is eligible: {endpoint} is chosen all the same (" in still.stderr
    serving.server.plan("m", Plan())
    back = rolecall("ask", "hello", "-e", endpoint)
    assert (back.exit_code, back.stdout) == (0, f"{DEFAULT_TEXT}\n")
    with open_registry(None) as db:
        assert circuit(db, endpoint) == "closed"
    assert "nobody else" not in rolecall("ask", "hello").stderr


def test_a_circuit_keeps_an_endpoint_out_while_another_is_eligible(
    serving: Serving, rolecall: Rolecall
) -> None:
    _, second = serving.first_and_second(Plan(fault="server_error"))
    serving.server.plan("first", *[Plan(fault="server_error")] * 3, Plan())
    cheapest = ("hello", "--strategy", "cheapest")
    for _ in range(3):
        assert rolecall("ask", *cheapest).exit_code == 0
    assert len(serving.server.received("first")) == 3
    shown = json.loads(rolecall("route", *cheapest, "--json").stdout)
    assert (shown["chosen"], shown["excluded"][0]["code"]) == (second, "PROVIDER_OFFLINE")


def test_what_is_routed_is_what_would_be_asked_though_its_circuit_is_open(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault="overloaded"))
    rolecall("ask", "hello")
    result = rolecall("route", "hello")
    assert (result.exit_code, result.stdout) == (0, f"{endpoint}\n")
    assert "(failed 3 times in a row (overloaded))" in result.stderr


def test_a_short_wait_that_a_server_asked_for_is_waited_out_where_nobody_else_is_left(
    serving: Serving, scorer: Scorer
) -> None:
    endpoint = serving.one()
    limited = Plan(fault="rate_limit", retry_after="8")
    serving.server.plan("m", limited, limited, limited, Plan())
    clock = Pausing()
    with clock.asker(scorer) as asker:
        with pytest.raises(AllFailed, match=r"\(it asked to wait 8 s\)$"):
            list(asker.ask(AskRequest(HELLO, RoutingChoices())))
        assert clock.pauses == [8.0, 8.0]
        clock.moment += timedelta(seconds=3)
        progress = list(asker.ask(AskRequest(HELLO, RoutingChoices())))
    assert clock.pauses[2:] == [pytest.approx(5.0, abs=0.01)]
    assert isinstance(progress[-1], Answered)
    [waiting] = [one for one in progress if isinstance(one, Waiting)]
    assert (waiting.endpoint, waiting.is_asked) == (endpoint, True)
    assert len(serving.server.received("m")) == 4


def test_a_long_wait_that_a_server_asked_for_fails_at_once_and_says_how_long(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault="rate_limit", retry_after="40"))
    first = rolecall("ask", "hello")
    assert first.exit_code == 4
    assert f"{endpoint}: status 429: " in first.stderr
    assert "(it asked to wait 40 s)" in first.stderr
    second = rolecall("ask", "hello", "-e", endpoint)
    assert second.exit_code == 3
    assert "QUOTA_EXHAUSTED (asked to wait 40 s (rate_limited), tried again in " in second.stderr
    assert len(serving.server.received("m")) == 1


def test_how_long_a_server_asked_for_is_said_where_another_answers(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, _ = serving.first_and_second(Plan(fault="rate_limit", retry_after="40"))
    result = rolecall("ask", "hello")
    assert f"after {first} rate_limited (asks to wait 40 s)" in result.stderr


def test_a_rate_limit_of_a_second_lets_all_pass_after_a_second(
    serving: Serving, scorer: Scorer
) -> None:
    first, second = serving.first_and_second(Plan(fault="rate_limit", retry_after="3"))
    wanted = AskRequest(HELLO, RoutingChoices(strategy="cheapest"))
    clock = Pausing()
    with clock.asker(scorer) as asker:
        list(asker.ask(wanted))
        serving.server.plan("first", Plan(text="back again"))
        clock.moment += timedelta(seconds=3.1)
        one, other = asker.ask(wanted), asker.ask(wanted)
        for _ in range(2):  # the decision, and that the endpoint is asked: both are under way
            next(one)
            next(other)
        answered = [[*one][-1], [*other][-1]]
    assert [found.call.endpoint for found in answered if isinstance(found, Answered)] == [first] * 2
    assert len(serving.server.received("second")) == 1
    assert second


def test_endpoints_whose_circuits_are_all_open_are_asked_in_their_rank(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan(fault="overloaded"))
    serving.server.plan("second", Plan(fault="overloaded"))
    for _ in range(2):
        assert rolecall("ask", "hello").exit_code == 4
    serving.server.plan("first", Plan())
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert first in result.stderr
    assert second not in result.stderr


def test_whoever_is_limited_is_left_alone_while_another_answers(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.first_and_second(Plan(fault="rate_limit", retry_after="60"))
    for _ in range(3):
        result = rolecall("ask", "hello")
        assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert len(serving.server.received("first")) == 1
