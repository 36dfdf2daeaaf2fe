"""Text from outside never steers a terminal, whichever command shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.calls.serving import Serving
from tests.conftest import Result, Rolecall
from tests.faults.plan import Plan

BELL, ESCAPE, CSI, OVERRIDE, ISOLATE = "\x07", "\x1b", "\x9b", "\u202e", "\u2066"
HOSTILE = f"red {ESCAPE}[31m{ESCAPE}]0;title{BELL} {CSI}2J {OVERRIDE}txt{ISOLATE}\u200f end"
COLOURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[2K|\x1b\[1A|\r")  # rich's own
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
DOCUMENT = f"""\
roles:
  - {{id: odd, description: {json.dumps(HOSTILE)}, tasks: [odd], examples: [{json.dumps(HOSTILE)}]}}
tasks:
  - {{id: odd, description: {json.dumps(HOSTILE)}, examples: [{json.dumps(HOSTILE)}]}}
strategies:
  - {{id: odd, description: {json.dumps(HOSTILE)}}}
"""


def steering_in(result: Result) -> list[str]:
    """Return the characters of a command's output that may steer; ESC is one, but in a colour."""
    return STEERING.findall(COLOURS.sub("", result.stdout + result.stderr))


@pytest.fixture
def odd(serving: Serving, rolecall: Rolecall, tmp_path: Path) -> str:
    """Return an endpoint in a registry of hostile texts, and a call that failed with one."""
    endpoint = serving.one()
    (tmp_path / "odd.yaml").write_text(DOCUMENT)
    assert rolecall("registry", "apply", tmp_path / "odd.yaml").exit_code == 0
    return endpoint


@pytest.mark.parametrize(
    "words",
    [
        ["roles", "list"],
        ["roles", "show", "odd"],
        ["tasks", "list"],
        ["tasks", "show", "odd"],
        ["strategies", "list"],
        ["strategies", "show", "odd"],
        ["strategies", "show", "odd", "--json"],
        ["registry", "export"],
        ["route", HOSTILE, "--role", "odd"],
        ["route", HOSTILE, "--json"],
        ["route", "x", "--role", HOSTILE],
        ["route", "x", "--task", HOSTILE],
        ["route", "x", "--need", HOSTILE],
        ["route", "-f", f"/nowhere/{HOSTILE}"],
        ["explain", HOSTILE],
        ["explain", "--prompt", HOSTILE, "--need", HOSTILE],
        [HOSTILE],
        ["route", f"--{HOSTILE}"],
        ["help", HOSTILE],
        ["models", "show", HOSTILE],
        ["ask", HOSTILE],
        ["ask", HOSTILE, "--json"],
        ["telemetry", "export", "--format", "csv"],
    ],
    ids=lambda words: " ".join(words).encode("unicode_escape").decode()[:60],
)
def test_no_command_passes_on_what_steers(odd: str, rolecall: Rolecall, words: list[str]) -> None:
    del odd
    result = rolecall(*words, on_terminal=True)
    assert result.stdout + result.stderr
    assert steering_in(result) == []


def test_what_a_server_and_a_person_wrote_is_shown_without_it(
    odd: str, serving: Serving, rolecall: Rolecall
) -> None:
    serving.server.plan("m", Plan(text=HOSTILE))
    answered = rolecall("ask", HOSTILE, on_terminal=True)
    told = rolecall("feedback", "good", "--note", HOSTILE, on_terminal=True)
    shown = [
        rolecall("explain", on_terminal=True),
        rolecall("telemetry", "show", on_terminal=True),
        rolecall("telemetry", "list", on_terminal=True),
        rolecall("telemetry", "export", on_terminal=True),
        rolecall("telemetry", "export", "--format", "csv", on_terminal=True),
    ]
    assert answered.exit_code == told.exit_code == 0, (answered, told)
    assert odd in answered.stderr
    assert "red [31m]0;title" in answered.stdout
    assert [steering_in(one) for one in (answered, told, *shown)] == [[]] * 7


def test_json_says_the_same_to_a_terminal_in_escapes(
    odd: str, serving: Serving, rolecall: Rolecall
) -> None:
    del odd
    serving.server.plan("m", Plan(text=HOSTILE))
    result = rolecall("ask", "hello", "--json", on_terminal=True)
    assert json.loads(result.stdout)["answer"] == HOSTILE
    assert steering_in(result) == []


def test_a_pipe_gets_the_answer_as_it_is(odd: str, serving: Serving, rolecall: Rolecall) -> None:
    del odd
    serving.server.plan("m", Plan(text=HOSTILE))
    assert rolecall("ask", "hello").stdout == HOSTILE + "\n"


@pytest.mark.parametrize("columns", ["0", "1", "2", "3", "4", "-7", "x", "19"])
@pytest.mark.parametrize("words", [["explain"], ["endpoints", "list"], ["route", "--help"]])
def test_a_terminal_of_hardly_any_columns_is_no_crash(
    odd: str, rolecall: Rolecall, words: list[str], columns: str
) -> None:
    del odd
    assert rolecall("route", "hello").exit_code == 0
    assert rolecall(*words, env={"COLUMNS": columns}, on_terminal=True).exit_code == 0
