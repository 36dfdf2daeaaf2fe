"""`explain` says who answered where the chosen endpoint did not."""

from __future__ import annotations

import json

from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan


def test_after_a_fallback_who_failed_with_what_and_who_answered_is_told(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan(fault="bad_request"))
    assert rolecall("ask", "hello").exit_code == 0
    screen = rolecall("explain", env={"COLUMNS": "200"}).stdout
    assert f"calls    {first} failed: bad_request 400, {second} answered\n" in screen
    told = json.loads(rolecall("explain", "--json").stdout)
    assert (told["chosen"], told["answered_by"]) == (first, second)
    assert [(one["endpoint"], one["error_type"]) for one in told["calls"]] == [
        (first, "bad_request"),
        (second, None),
    ]


def test_where_nobody_answered_it_says_so(serving: Serving, rolecall: Rolecall) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault="bad_request"))
    assert rolecall("ask", "hello").exit_code == 4
    assert f"calls    {endpoint} failed: bad_request 400\n" in rolecall("explain").stdout
    told = json.loads(rolecall("explain", "--json").stdout)
    assert (told["answered_by"], len(told["calls"])) == (None, 1)


def test_where_the_chosen_one_answered_or_nobody_was_asked_no_line_is_spent_on_it(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    assert rolecall("ask", "hello").exit_code == 0
    assert "calls " not in rolecall("explain").stdout
    assert json.loads(rolecall("explain", "--json").stdout)["answered_by"] == endpoint
    assert rolecall("route", "hello").exit_code == 0
    told = json.loads(rolecall("explain", "--json").stdout)
    assert (told["answered_by"], told["calls"]) == (None, [])
