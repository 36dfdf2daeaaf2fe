"""An answer that fails its schema or check: its exit code, and who is asked after it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.chat import schema_bounds
from rolecall.registry.core.entities import Price
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.telemetry.recorder import Recorder
from tests.calls.processes import running
from tests.calls.serving import PLAIN, Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
GOOD = '{"n": 4}'


@pytest.fixture
def schema(tmp_path: Path) -> str:
    path = tmp_path / "number.json"
    path.write_text(json.dumps(NUMBER))
    return str(path)


def ranked(serving: Serving, *texts: str) -> list[str]:
    """Register endpoints that give these answers, each more expensive than the one before."""
    served = []
    for place, text in enumerate(texts):
        serving.server.plan(f"m{place}", Plan(text=text))
        served.append(
            Served(
                endpoint=f"openai/m{place}",
                model="same",
                capabilities=PLAIN,
                price=Price(2.0 * (place + 1), 4.0 * (place + 1), source="test"),
            )
        )
    serving.register(*served)
    return [one.endpoint for one in served]


def outcomes(decision_id: str) -> list[tuple[str, float]]:
    with open_registry(None) as db:
        return [(one.endpoint, one.score) for one in outcomes_of_decision(db, decision_id)]


@pytest.mark.parametrize("quiet", [[], ["-q"], ["--json"]])
def test_the_next_endpoint_is_asked_while_answers_fail_their_schema(
    serving: Serving, rolecall: Rolecall, schema: str, quiet: list[str]
) -> None:
    first, second, third = ranked(serving, "four", '{"n": "four"}', GOOD)
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "2", *quiet)
    told = json.loads(result.stdout) if "--json" in quiet else {}
    assert result.exit_code == 0
    assert told.get("answer", result.stdout.strip()) == GOOD
    calls = serving.calls()
    assert [call.endpoint for call in calls] == [first, second, third]
    assert [call.error_type for call in calls] == [None] * 3
    assert calls[0].decision_id is not None
    assert outcomes(calls[0].decision_id) == [(first, 0.0), (second, 0.0), (third, 1.0)]
    if told:
        failures = [(one["endpoint"], one["error_type"]) for one in told["failures"]]
        assert failures == [(first, "check_failed"), (second, "check_failed")]
        costs = [call.cost_usd or 0.0 for call in calls]
        assert told["total_cost_usd"] == pytest.approx(sum(costs))
    elif not quiet:
        assert f"note: the answer of {first} failed its schema\n" in result.stderr
        assert f"{third} · after {first} check_failed, {second} check_failed · " in result.stderr
    else:
        assert result.stderr == ""


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_answer_is_printed_though_the_registry_fails_before_the_next_is_asked(
    serving: Serving,
    rolecall: Rolecall,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
    form: list[str],
) -> None:
    ranked(serving, '{"n": "four"}', GOOD)
    begin, begun = Recorder.begin, count()

    def failing(self: Recorder, *given: Any) -> None:
        if next(begun):
            raise RegistryUnusable("the disk is full")
        begin(self, *given)

    monkeypatch.setattr(Recorder, "begin", failing)
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "1", *form)
    answer = json.loads(result.stdout)["answer"] if form else result.stdout.strip()
    assert (result.exit_code, answer) == (1, '{"n": "four"}')
    assert "error: the disk is full\n" in result.stderr


def test_without_a_good_answer_the_last_is_printed_and_the_exit_code_is_7(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    _, second, third = ranked(serving, "four", "five", GOOD)
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "1")
    assert (result.exit_code, result.stdout) == (7, "five\n")
    assert f"error: the answer of {second} failed its schema\n" in result.stderr
    assert third not in [call.endpoint for call in serving.calls()]


def test_of_bad_answers_the_one_that_passed_more_checks_is_printed(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, second = ranked(serving, GOOD, "five")
    asked = ("ask", "a number", "--schema", schema, "--check", "false", "--retry-invalid", "1")
    told = json.loads(rolecall(*asked, "--json").stdout)
    assert (told["answer"], told["endpoint"]) == (GOOD, first)
    assert [(one["endpoint"], one["error_type"]) for one in told["failures"]] == [
        (second, "check_failed")
    ]
    calls = serving.calls()
    assert [call.endpoint for call in calls] == [first, second]
    costs = [call.cost_usd or 0.0 for call in calls]
    assert told["total_cost_usd"] == pytest.approx(sum(costs))


def test_an_answer_that_is_given_all_the_same_is_none_of_what_failed(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, second = ranked(serving, "four", "five")
    serving.server.plan("m1", Plan(fault="bad_request"))
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "1")
    assert (result.exit_code, result.stdout) == (7, "four\n")
    assert f"{first} · after {second} bad_request · " in result.stderr
    assert "what failed" not in result.stderr
    assert "--retry-invalid" not in result.stderr


def test_an_endpoint_that_cannot_be_paid_for_is_named_once(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, second = ranked(serving, "four", GOOD)
    serving.server.plan("m0", Plan(text="four", output_tokens=1_000))
    limits = ("--max-cost", "0.00401", "--retry-invalid", "1")
    result = rolecall("ask", "a number", "--schema", schema, *limits)
    assert result.exit_code == 7
    assert f"{first} · after {second} may cost too much: " in result.stderr


def test_who_answered_last_is_told_where_answers_failed_their_schema(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, second = ranked(serving, "four", GOOD)
    rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "1")
    assert f"calls    {first} answered, {second} answered\n" in rolecall("explain").stdout
    assert json.loads(rolecall("explain", "--json").stdout)["answered_by"] == second


def test_by_default_no_other_endpoint_is_asked(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, _ = ranked(serving, "four", GOOD)
    result = rolecall("ask", "a number", "--schema", schema)
    assert (result.exit_code, result.stdout) == (7, "four\n")
    assert "hint: --retry-invalid 1 asks the next endpoint" in result.stderr
    assert [call.endpoint for call in serving.calls()] == [first]


def test_an_answer_that_failed_is_given_where_the_next_endpoint_fails(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    ranked(serving, "four", GOOD)
    serving.server.plan("m1", Plan(fault="bad_request"))
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "3", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["answer"]) == (7, "four")
    assert [one["error_type"] for one in told["failures"]] == ["bad_request"]


def test_what_answers_cost_adds_up_under_the_limit(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    first, _ = ranked(serving, "four", GOOD)
    limit = ("--max-tokens", "2000", "--max-cost", "0.017")
    retried = ("ask", "a number", "--schema", schema, "--retry-invalid", "1", *limit)
    serving.server.plan("m0", Plan(text="four", output_tokens=2_000))
    result = rolecall(*retried)
    assert (result.exit_code, result.stdout) == (7, "four\n")
    assert [call.endpoint for call in serving.calls()] == [first]
    serving.server.plan("m0", Plan(text="four", output_tokens=1))
    assert rolecall(*retried).stdout == f"{GOOD}\n"


@pytest.mark.parametrize(
    "text", [f"```json\n{GOOD}\n```", f"Sure:\n\n```\n{GOOD}\n```\nAnything else?"]
)
def test_json_in_a_fence_is_the_answer_where_a_schema_was_asked(
    serving: Serving, rolecall: Rolecall, schema: str, text: str
) -> None:
    serving.one()
    serving.server.plan("m", Plan(text=text))
    result = rolecall("ask", "a number", "--schema", schema)
    assert (result.exit_code, result.stdout) == (0, f"{GOOD}\n")
    plain = rolecall("ask", "a number")
    assert plain.stdout == f"{text}\n"


def test_a_fenced_answer_that_fails_is_printed_without_its_fence_too(
    serving: Serving, rolecall: Rolecall, schema: str
) -> None:
    serving.one()
    serving.server.plan("m", Plan(text='```json\n{"n": "four"}\n```'))
    result = rolecall("ask", "a number", "--schema", schema)
    assert (result.exit_code, result.stdout) == (7, '{"n": "four"}\n')
    assert "note: schema failed: $.n: 'four' is not of type 'integer'\n" in result.stderr


def test_a_person_at_a_terminal_sees_the_json_alone_too(serving: Serving, schema: str) -> None:
    serving.one()
    serving.server.plan("m", Plan(text=f"```json\n{GOOD}\n```"))
    with running("ask", "a number", "--schema", schema, terminal="out") as command:
        code, screen, _ = command.end()
    assert (code, screen) == (0, f"{GOOD}\r\n")


def test_a_schema_check_that_takes_too_long_is_no_outcome_and_said(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_bounds, "WALL_LIMIT_S", 1.5)
    slow: dict[str, Any] = {"type": "string", "pattern": "^(a+)+$"}
    path = tmp_path / "slow.json"
    path.write_text(json.dumps(slow))
    serving.one()
    serving.server.plan("m", Plan(text=json.dumps("a" * 40 + "!")))
    result = rolecall("ask", "letters", "--schema", path, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["outcomes"]) == (0, [])
    said = "the answer was not checked against its schema: it takes longer than 2 s"
    assert told["notes"] == [said]
    assert f"note: {said}\n" in result.stderr


def test_a_tool_call_is_no_failed_answer(serving: Serving, rolecall: Rolecall, schema: str) -> None:
    serving.one()
    serving.server.plan("m", Plan(tool_calls=(("look_up", "{}"),)))
    result = rolecall("ask", "a number", "--schema", schema, "--retry-invalid", "1")
    assert result.exit_code == 0
    assert DEFAULT_TEXT not in result.stdout


def test_an_end_that_is_no_good_one_is_said(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    serving.server.plan("m", Plan(finish="repetition_truncation"))  # type: ignore[arg-type]
    result = rolecall("ask", "hello", "--json")
    assert json.loads(result.stdout)["finish_reason"] == "repetition_truncation"
    assert "note: the server ended the answer with repetition_truncation\n" in result.stderr
