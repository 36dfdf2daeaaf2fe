"""Parameters that an endpoint does not take: excluded for, dropped on request, or left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Api
from tests.calls.serving import HIGHER_PRICE, Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served


@pytest.mark.parametrize(
    ("api", "unsupported", "option"),
    [
        ("openai", ("seed",), "seed"),
        ("anthropic", (), "seed"),
        ("anthropic", (), "presence_penalty"),
        ("gemini", (), "logit_bias"),
        ("ollama", (), "logprobs"),
    ],
)
def test_an_endpoint_that_would_ignore_a_parameter_is_not_asked_unless_it_may_be_dropped(
    serving: Serving, rolecall: Rolecall, api: Api, unsupported: tuple[str, ...], option: str
) -> None:
    endpoint = serving.one(api, unsupported_parameters=unsupported)
    value = {"logit_bias": '{"50256": -100}', "logprobs": "true"}.get(option, "1")
    refused = rolecall("ask", "hello", "-o", option, value)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "1 PARAMETER_UNSUPPORTED" in refused.stderr
    assert "--allow-drop" in refused.stderr
    assert serving.server.requests == []
    dropped = rolecall("ask", "hello", "-o", option, value, "--allow-drop")
    assert (dropped.exit_code, dropped.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert f"note: {endpoint} takes no {option}: left out\n" in dropped.stderr
    assert option not in json.dumps(serving.body())


def test_an_endpoint_that_takes_a_parameter_goes_before_one_that_would_drop_it(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.register(
        Served(endpoint="anthropic/m", api="anthropic"),
        Served(endpoint="openai/takes", price=HIGHER_PRICE),
    )
    told = json.loads(rolecall("ask", "hello", "-o", "seed", "7", "--json").stdout)
    assert told["endpoint"] == "openai/takes"
    assert serving.body("takes")["seed"] == 7


def test_an_endpoints_own_effort_is_sent_and_said_where_it_is_not_sent_as_it_stands(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one(reasoning_effort=9_000)
    plain = rolecall("ask", "hello")
    assert (plain.exit_code, serving.body()["reasoning_effort"]) == (0, "medium")
    note = f"note: {endpoint} takes no budget for thinking: 9,000 tokens sent as medium\n"
    assert note in plain.stderr
    own = rolecall("ask", "hello", "-o", "reasoning_effort", "low")
    assert (own.exit_code, serving.body()["reasoning_effort"]) == (0, "low")
    assert "takes no" not in own.stderr


def test_an_effort_that_its_endpoint_does_not_take_is_left_out_and_said(
    serving: Serving, rolecall: Rolecall
) -> None:
    endpoint = serving.one(reasoning_effort="high", unsupported_parameters=("reasoning_effort",))
    result = rolecall("ask", "hello")
    assert (result.exit_code, "reasoning_effort" in serving.body()) == (0, False)
    assert f"note: {endpoint} takes no reasoning_effort: left out\n" in result.stderr


def test_a_temperature_is_left_out_for_a_reasoning_model_that_refuses_it_and_said(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(unsupported_parameters=("temperature",))
    result = rolecall("ask", "hello", "-o", "temperature", "0.2", "-o", "top_p", "0.5")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "note: openai/m takes no temperature: left out\n" in result.stderr
    assert "temperature" not in serving.body()
    assert serving.body()["top_p"] == 0.5


def test_a_temperature_is_a_reason_against_a_model_that_does_not_reason(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(unsupported_parameters=("temperature",), capabilities=())
    result = rolecall("ask", "hello", "-o", "temperature", "0.2")
    assert result.exit_code == 3
    assert "PARAMETER_UNSUPPORTED" in result.stderr


@pytest.mark.parametrize("api", ["openai", "anthropic", "gemini"])
def test_a_temperature_that_the_server_refuses_is_left_out_in_a_second_try(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    endpoint = serving.one(api)
    serving.server.plan("m", Plan(fault="bad_parameter", parameter="temperature"), Plan())
    result = rolecall("ask", "hello", "-o", "temperature", "0.2")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert f"note: {endpoint} takes no temperature: left out\n" in result.stderr
    with_it, without_it = serving.server.received("m")
    assert "temperature" in json.dumps(with_it.body)
    assert "temperature" not in json.dumps(without_it.body)
    assert [call.error_type for call in serving.calls()] == ["parameter_unsupported", None]


def test_another_parameter_that_the_server_refuses_is_only_left_out_if_it_may_be(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    refusing = Plan(fault="bad_parameter", parameter="seed")
    serving.server.plan("m", refusing, refusing, Plan())
    assert rolecall("ask", "hello", "-o", "seed", "7").exit_code == 4
    assert len(serving.server.received("m")) == 1
    result = rolecall("ask", "hello", "-o", "seed", "7", "--allow-drop")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "seed" not in serving.body()


def test_what_one_endpoint_refused_is_still_sent_to_the_next(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan())
    serving.server.plan(
        "first",
        Plan(fault="bad_parameter", parameter="temperature"),
        Plan(fault="bad_request"),
    )
    result = rolecall("ask", "hello", "-o", "temperature", "0.2")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert serving.body("second")["temperature"] == 0.2
    assert f"note: {first} takes no temperature: left out\n" in result.stderr
    assert f"{second} takes no temperature" not in result.stderr


def test_a_server_that_refuses_a_parameter_for_ever_is_left(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan(fault="bad_parameter", parameter="temperature"))
    result = rolecall("ask", "hello", "-o", "temperature", "0.2", "--json")
    assert json.loads(result.stdout)["endpoint"] == second
    assert [call.endpoint for call in serving.calls()] == [first, first, second]


def refuse(serving: Serving, *parameters: str, then: Plan | None = None) -> str:
    """Register an endpoint that refuses these parameters, one at a time, and then answers."""
    endpoint = serving.one(reasoning_effort="low")
    plans = [Plan(fault="bad_parameter", parameter=name) for name in parameters]
    serving.server.plan("m", *plans, then or Plan())
    return endpoint


@pytest.mark.parametrize("limit", [["--max-tokens", "50"], ["--max-cost", "0.01"]])
@pytest.mark.parametrize(
    ("refused", "taken"),
    [
        ("max_tokens", "max_completion_tokens"),
        ("max_completion_tokens", "max_tokens"),
    ],
)
def test_the_limit_of_the_output_is_sent_under_its_other_name(
    serving: Serving, rolecall: Rolecall, limit: list[str], refused: str, taken: str
) -> None:
    endpoint = refuse(serving, refused)
    if refused == "max_completion_tokens":
        endpoint = serving.one(unsupported_parameters=("max_tokens",))
    result = rolecall("ask", "hello", *limit)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    first, second = serving.server.received("m")
    assert first.body[refused] == second.body[taken]
    assert refused not in second.body
    assert f"note: {endpoint} takes no {refused}: sent as {taken}\n" in result.stderr


def test_a_limit_that_is_refused_under_both_names_is_never_left_out(
    serving: Serving, rolecall: Rolecall
) -> None:
    refuse(serving, "max_tokens", "max_completion_tokens")
    result = rolecall("ask", "hello", "--max-cost", "0.01", "--allow-drop")
    assert result.exit_code == 4
    assert all(
        {"max_tokens", "max_completion_tokens"} & set(one.body)
        for one in serving.server.received("m")
    )
    assert len(serving.server.received("m")) == 2


@pytest.mark.parametrize("name", ["stream_options", "reasoning_effort"])
def test_what_nobody_asked_for_is_left_out_where_it_is_refused(
    serving: Serving, rolecall: Rolecall, name: str
) -> None:
    endpoint = refuse(serving, name)
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    first, second = serving.server.received("m")
    assert name in first.body
    assert name not in second.body
    assert f"note: {endpoint} takes no {name}: left out\n" in result.stderr


def test_a_server_that_does_not_stream_is_asked_for_the_whole_answer(
    serving: Serving, rolecall: Rolecall
) -> None:
    refuse(serving, "stream")
    result = rolecall("ask", "hello")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "stream" not in serving.body()
    assert "stream_options" not in serving.body()


@pytest.mark.parametrize(
    ("option", "value"), [("top_p", "0.5"), ("parallel_tool_calls", "true"), ("top_k", "5")]
)
def test_what_is_a_matter_of_taste_or_the_usual_is_left_out_and_said(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, option: str, value: str
) -> None:
    endpoint = refuse(serving, option)
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps([{"name": "look_up", "parameters": {"type": "object"}}]))
    result = rolecall("ask", "hello", "-o", option, value, "--tools", tools)
    assert result.exit_code == 0
    first, second = serving.server.received("m")
    assert option in first.body
    assert option not in second.body
    assert f"note: {endpoint} takes no {option}: left out\n" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [("parallel_tool_calls", "false"), ("reasoning_effort", "high"), ("logit_bias", '{"5": -100}')],
)
def test_what_the_person_asked_for_is_never_left_out_unasked(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, option: str, value: str
) -> None:
    refuse(serving, option, option)
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps([{"name": "look_up", "parameters": {"type": "object"}}]))
    asked = ("ask", "hello", "-o", option, value, "--tools", tools)
    assert rolecall(*asked).exit_code == 4
    assert rolecall(*asked, "--allow-drop").exit_code == 0


def test_a_schema_is_left_out_only_if_it_may_be_and_still_checked(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    endpoint = refuse(serving, "response_format", "response_format")
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    assert rolecall("ask", "hello", "--schema", schema).exit_code == 4
    result = rolecall("ask", "hello", "--schema", schema, "--allow-drop")
    assert (result.exit_code, result.stdout) == (7, f"{DEFAULT_TEXT}\n")
    assert "response_format" not in serving.body()
    assert f"note: {endpoint} takes no response_format: left out\n" in result.stderr


def test_a_refused_system_message_is_said_by_the_user(serving: Serving, rolecall: Rolecall) -> None:
    endpoint = refuse(serving, "messages[0].role")
    result = rolecall("ask", "hello", "-s", "Be brief.")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    first, second = serving.server.received("m")
    assert [one["role"] for one in first.body["messages"]] == ["system", "user"]
    assert second.body["messages"] == [{"role": "user", "content": "Be brief.\nhello"}]
    assert f"note: {endpoint} takes no system messages: sent in another role\n" in result.stderr


def test_several_parameters_are_refused_one_after_the_other(
    serving: Serving, rolecall: Rolecall
) -> None:
    refuse(serving, "max_tokens", "stream_options", "temperature")
    result = rolecall("ask", "hello", "-o", "temperature", "0.2", "--max-tokens", "50")
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert serving.body()["max_completion_tokens"] == 50
    assert not {"max_tokens", "stream_options", "temperature"} & set(serving.body())
    assert [call.cost_usd for call in serving.calls()][:3] == [0.0] * 3


def test_a_refused_parameter_takes_no_try_from_a_failure_that_passes(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan(
        "m",
        Plan(fault="bad_parameter", parameter="temperature"),
        Plan(fault="overloaded"),
        Plan(fault="overloaded"),
        Plan(),
    )
    assert rolecall("ask", "hi", "-o", "temperature", "0.5").exit_code == 0
    assert len(serving.calls()) == 4
