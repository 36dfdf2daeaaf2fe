"""What `rolecall ask` prints and exits with, by itself and where the first endpoint fails."""

from __future__ import annotations

import json
import re

import pytest

from rolecall.registry.core.entities import Api
from tests.calls.matrix import APIS
from tests.calls.serving import PLAIN, Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

REFUSED = Plan(fault="bad_request")
BROKEN = Plan(text="Half of this is lost.", fault="cut", at="middle")

TIME = r"\d+(?:\.\d+)? m?s"


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
@pytest.mark.parametrize("api", APIS)
def test_stdout_is_the_answer_and_stderr_one_line_about_it(
    serving: Serving, rolecall: Rolecall, api: Api, stream: str
) -> None:
    endpoint = serving.one(api)
    result = rolecall("ask", "hello", stream)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    first = rf" \(first {TIME}\)" if stream == "--stream" else ""
    line = rf"{endpoint} · {TIME}{first} · 12 in, 8 out · \$0\.000028 · \w{{16}}\n"
    assert re.fullmatch(line, result.stderr)
    assert "stream" not in serving.body() or serving.body()["stream"] == (stream == "--stream")


def test_quiet_writes_nothing_but_the_answer(serving: Serving, rolecall: Rolecall) -> None:
    serving.first_and_second(REFUSED)
    result = rolecall("ask", "hello", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{DEFAULT_TEXT}\n", "")


def test_json_has_the_same_keys_whether_it_was_answered_or_not(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    good = rolecall("ask", "hello", "--json")
    serving.server.plan("m", REFUSED)
    bad = rolecall("ask", "hello", "--json")
    nobody = rolecall("ask", "hello", "--json", "--local-only")
    dear = rolecall("ask", "hello", "--json", "--max-cost", "0.000001")
    codes = [one.exit_code for one in (good, bad, nobody, dear)]
    assert codes == [0, 4, 3, 6]
    answered, failed, *undone = (json.loads(one.stdout) for one in (good, bad, nobody, dear))
    assert [list(one) for one in (failed, *undone)] == [list(answered)] * 3
    assert answered["answer"] == DEFAULT_TEXT
    assert answered["endpoint"] == answered["chosen"] == endpoint
    assert answered["usage"]["input_tokens"] == 12
    assert answered["usage"]["output_tokens"] == 8
    assert (answered["cost_usd"], answered["attempts"]) == (pytest.approx(28e-6), 1)
    assert answered["failures"] == []
    assert answered["decision_id"] in good.stderr
    for one in (failed, *undone):
        assert (one["answer"], one["endpoint"], one["cost_usd"]) == (None, None, None)
    assert [one["error_type"] for one in failed["failures"]] == ["bad_request"]
    assert failed["attempts"] == 1
    assert [(one["chosen"], one["attempts"], one["failures"]) for one in undone] == [
        (None, 0, [])
    ] * 2


def test_json_counts_every_attempt_and_names_what_failed(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(BROKEN)
    result = rolecall("ask", "hello", "--json")
    told = json.loads(result.stdout)
    assert (told["answer"], told["endpoint"], told["chosen"]) == (DEFAULT_TEXT, second, first)
    assert told["attempts"] == 2
    failures = [(one["endpoint"], one["error_type"]) for one in told["failures"]]
    assert failures == [(first, "stream_cut")]


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_pipe_gets_only_the_whole_answer(
    serving: Serving, rolecall: Rolecall, stream: str
) -> None:
    first, second = serving.first_and_second(BROKEN)
    result = rolecall("ask", "hello", stream)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert f"{second} · after {first} " in result.stderr
    assert [call.endpoint for call in serving.calls()] == [first, second]


def test_nothing_of_a_broken_answer_reaches_a_pipe_where_nobody_else_is_left(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(text=BROKEN.text, fault="refused_content", at="middle"))
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (4, "")
    note, error, hint = result.stderr.splitlines()
    assert note == "note: $0.000028 was spent on what failed", "its usage was told"
    assert error.startswith(f"error: no endpoint answered: {endpoint}: ")
    assert hint.startswith("hint: rolecall telemetry show ")
    shown = rolecall(*hint.removeprefix("hint: rolecall ").split())
    assert "content_refused" in shown.stdout


def test_the_same_failure_is_told_once(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    serving.server.plan("m", Plan(fault="empty"))
    result = rolecall("ask", "hello")
    assert len(serving.calls()) == 2
    assert result.stderr.count("the answer is empty") == 1


def test_an_endpoint_that_asks_for_a_short_wait_is_asked_again_after_it(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault="rate_limit", retry_after="0.2"), Plan())
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    before, after = serving.server.received("m")
    assert after.at - before.at >= 0.2
    assert [(call.endpoint, call.error_type, call.attempt) for call in serving.calls()] == [
        (endpoint, "rate_limited", 1),
        (endpoint, None, 2),
    ]


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
@pytest.mark.parametrize(
    "failure",
    [
        Plan(fault="rate_limit"),
        Plan(fault="overloaded"),
        Plan(fault="server_error"),
        Plan(fault="reset"),
        Plan(fault="close"),
        Plan(fault="error_event"),
        BROKEN,
    ],
    ids=lambda plan: f"{plan.fault}-{plan.at}",
)
def test_the_only_endpoint_may_fail_twice_and_the_answer_is_whole(
    serving: Serving, rolecall: Rolecall, failure: Plan, stream: str
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", failure, failure, Plan())
    result = rolecall("ask", "hello", "-e", endpoint, stream)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert len(serving.server.received("m")) == 3


@pytest.mark.parametrize("fault", ["cut", "reset", "close", "error_event"])
def test_an_answer_that_never_gets_whole_is_no_answer(
    serving: Serving, rolecall: Rolecall, fault: str
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(text=BROKEN.text, fault=fault, at="middle"))
    plain, as_json = rolecall("ask", "hello"), rolecall("ask", "hello", "--json")
    assert (plain.exit_code, plain.stdout) == (4, "")
    assert as_json.exit_code == 4
    told = json.loads(as_json.stdout)
    assert (told["answer"], told["attempts"]) == (None, 3)
    assert {one["endpoint"] for one in told["failures"]} == {endpoint}


def test_each_try_counts_against_the_limit_of_the_request(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN)
    serving.server.plan("m", Plan(fault="empty", output_tokens=200))
    asked = ("ask", "hello", "--max-tokens", "300")
    assert rolecall(*asked, "--max-cost", "0.01").exit_code == 4
    assert len(serving.server.received("m")) == 2
    # At $2 a million 300 tokens cost $0.0006; after the first try $0.0004 are gone.
    refused = rolecall(*asked, "--max-cost", "0.0008")
    assert refused.exit_code == 4
    assert "openai/m may cost too much" in refused.stderr
    assert len(serving.server.received("m")) == 3


def test_a_rate_limit_without_end_is_not_waited_for(serving: Serving, rolecall: Rolecall) -> None:
    first, second = serving.first_and_second(Plan(fault="rate_limit"))
    result = rolecall("ask", "hello", "--json")
    told = json.loads(result.stdout)
    assert (told["endpoint"], told["attempts"]) == (second, 2)
    assert [one["error_type"] for one in told["failures"]] == ["rate_limited"]
    assert [call.endpoint for call in serving.calls()] == [first, second]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ask"], "there is no prompt"),
        (["ask", "hello", "-e", "nobody/*"], 'no endpoint is named "nobody/*"'),
        (["ask", "hello", "-o", "n", "2"], "n: "),
        (["ask", "hello", "-o", "temperature", "9"], "temperature"),
        (["ask", "hello", "-c"], "there is no conversation to continue"),
        (["ask", "hello", "-c", "--conversation", "x"], "either --continue or --conversation"),
        (["ask", "hello", "--idle-timeout", "0"], "idle-timeout"),
        (["ask", "hello", "--first-token-timeout", "1e10"], "is above 86400"),
        (["ask", "hello", "--check", " "], "--check names no command"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error_and_nothing_is_sent(
    serving: Serving, rolecall: Rolecall, words: list[str], said: str
) -> None:
    serving.one()
    result = rolecall(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert (serving.server.requests, serving.calls()) == ([], [])


def test_nobody_eligible_exits_3_and_nothing_is_sent(serving: Serving, rolecall: Rolecall) -> None:
    serving.one(key_env="NO_SUCH_API_KEY")
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "AUTH_UNAVAILABLE" in result.stderr
    assert (serving.server.requests, serving.calls()) == ([], [])


def test_an_answer_that_met_its_limit_is_given_and_said_to_be_cut_off(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan("m", Plan(text="one two", finish="length"))
    result = rolecall("ask", "hello", "--max-tokens", "2")
    assert (result.exit_code, result.stdout) == (0, "one two\n")
    assert "note: the answer was cut off: it reached its limit of 2 tokens" in result.stderr


def test_a_more_expensive_second_choice_is_named_before_it_is_asked(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(REFUSED)
    result = rolecall("ask", "hello")
    assert result.exit_code == 0
    note = re.search(
        rf"note: {second} is more expensive than {first}: \$([\d.]+) against \$([\d.]+) expected\n",
        result.stderr,
    )
    assert note is not None
    assert float(note[1]) > float(note[2]) > 0


def test_what_was_said_of_an_endpoint_is_not_said_again_in_a_second_try(
    serving: Serving, rolecall: Rolecall
) -> None:
    _, second = serving.first_and_second(REFUSED)
    serving.server.plan("second", Plan(fault="overloaded", retry_after="0.1"), Plan())
    result = rolecall("ask", "hello")
    assert result.exit_code == 0
    assert len(serving.server.received("second")) == 2
    assert result.stderr.count(f"note: {second} is more expensive") == 1


def test_a_server_that_needs_longer_than_allowed_is_left(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan(first_delay_s=5.0))
    result = rolecall("ask", "hello", "--first-token-timeout", "0.2")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert [(call.endpoint, call.error_type) for call in serving.calls()] == [
        (first, "first_token_timeout"),
        (second, None),
    ]


def test_several_calls_of_tools_are_lines_of_json_after_the_text(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.register(Served(endpoint="openai/m", api="openai"))
    calls = (("find", '{"name": "wörld"}'), ("now", "{}"))
    serving.server.plan("m", Plan(text="Let me look.", tool_calls=calls, finish="tool_calls"))
    result = rolecall("ask", "hello")
    text, *lines = result.stdout.splitlines()
    assert (result.exit_code, text) == (0, "Let me look.")
    told = [json.loads(line) for line in lines]
    assert [(one["name"], one["arguments"]) for one in told] == [
        ("find", {"name": "wörld"}),
        ("now", {}),
    ]
    assert all(one["id"] for one in told)


def test_what_failed_calls_cost_is_told_where_nobody_answered(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("openai")
    serving.server.plan("m", Plan(fault="empty"))
    told = json.loads(rolecall("ask", "hello", "--json").stdout)
    costs = [call.cost_usd for call in serving.calls()]
    assert [one["cost_usd"] for one in told["failures"]] == costs
    assert told["total_cost_usd"] == pytest.approx(sum(cost or 0.0 for cost in costs))


@pytest.mark.parametrize("api", ["openai", "ollama"])
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
@pytest.mark.parametrize("opening", ["<think>\n", ""])
def test_what_is_thought_between_tags_never_reaches_stdout(
    serving: Serving, rolecall: Rolecall, api: Api, stream: str, opening: str
) -> None:
    serving.one(api)
    serving.server.plan("m", Plan(text=f"{opening}Four is even.\n</think>\n\nIt is 4."))
    result = rolecall("ask", "even?", stream)
    assert (result.exit_code, result.stdout) == (0, "It is 4.\n")
    assert "Four is even" not in result.stderr
    told = json.loads(rolecall("ask", "even?", stream, "--json").stdout)
    assert (told["thinking"], told["answer"]) == ("Four is even.\n", "It is 4.")
    assert told["usage"]["output_tokens"] == 8
