"""What of a request reaches each API, in its own form, and what is done with what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.entities import Api
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.outcomes import outcomes_for
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served

TOOL = {
    "name": "weather",
    "description": "the weather now",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}},
    "required": ["total"],
    "additionalProperties": False,
}


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_tools_are_offered_and_a_call_of_one_is_a_line_of_json(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, stream: str
) -> None:
    serving.one()
    serving.server.plan("m", Plan(tool_calls=(("weather", '{"city": "Malmö"}'),)))
    tools = write(tmp_path, "tools.json", [{"type": "function", "function": TOOL}])
    result = rolecall("ask", "how is it outside?", "--tools", tools, stream)
    [offered] = serving.body()["tools"]
    assert offered["function"] == TOOL
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    call = json.loads(result.stdout)
    assert (call["name"], call["arguments"]) == ("weather", {"city": "Malmö"})
    told = json.loads(rolecall("ask", "and now?", "--tools", tools, stream, "--json").stdout)
    assert (told["answer"], told["finish_reason"]) == ("", "tool_calls")
    assert told["tool_calls"][0]["arguments"] == {"city": "Malmö"}


@pytest.mark.parametrize("api", APIS)
def test_what_a_tool_gave_goes_back_with_the_call_that_asked_for_it(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    serving.one(api)
    plan = Plan(thinking="It wants the weather.", tool_calls=(("weather", '{"city": "Malmö"}'),))
    serving.server.plan("m", plan, Plan(text="Rain."))
    tools = write(tmp_path, "tools.json", [{"type": "function", "function": TOOL}])
    asked = rolecall("ask", "how is it outside?", "--tools", tools, "--conversation", "tea")
    identity = json.loads(asked.stdout)["id"]
    result = {"role": "tool", "tool_call_id": identity, "content": "rain in Malmö"}
    messages = write(tmp_path, "result.json", [result])
    words = ("--messages", messages, "--tools", tools)
    answered = rolecall("ask", *words, "--conversation", "tea")
    assert (answered.exit_code, answered.stdout) == (0, "Rain.\n")
    sent = json.dumps(serving.body(), ensure_ascii=False)
    for part in ("how is it outside?", "rain in Malmö", "weather"):
        assert part in sent
    if api == "openai":
        _, called, given = serving.body()["messages"]
        assert called["reasoning_content"] == "It wants the weather."
        assert called["tool_calls"][0]["id"] == given["tool_call_id"] == identity
    if api == "anthropic":
        thought, used = serving.body()["messages"][1]["content"]
        assert (thought["type"], used["type"]) == ("thinking", "tool_use")
        assert thought["signature"]
        assert serving.body()["messages"][2]["content"][0]["tool_use_id"] == used["id"]
    if api == "gemini":
        assert "thoughtSignature" in sent


def test_a_schema_is_sent_and_an_answer_that_matches_it_is_a_success(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    endpoint = serving.one()
    schema = write(tmp_path, "schema.json", SCHEMA)
    told = json.loads(rolecall("ask", "the total?", "--schema", schema, "--json").stdout)
    assert serving.body()["response_format"]["json_schema"]["schema"] == SCHEMA
    assert list(json.loads(told["answer"])) == ["total"]
    assert told["outcomes"] == [{"score": 1.0, "source": "check", "note": "schema: passed"}]
    assert outcomes(endpoint) == [(1.0, "check")]


def outcomes(endpoint: str) -> list[tuple[float, str]]:
    with open_registry(None) as db:
        found = [
            one for kind in ("", "chat", "general") for one in outcomes_for(db, endpoint, kind)
        ]
    return [(one.score, one.source) for one in dict.fromkeys(found)]


@pytest.mark.parametrize("text", ["no JSON at all", '{"total": "seven"}', "[1]"])
def test_an_answer_that_does_not_match_is_given_and_counts_against_the_endpoint(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, text: str
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(text=text))
    result = rolecall("ask", "the total?", "--schema", write(tmp_path, "schema.json", SCHEMA))
    assert (result.exit_code, result.stdout) == (7, f"{text}\n")
    assert "note: schema failed: " in result.stderr
    assert f"error: the answer of {endpoint} failed its schema\n" in result.stderr
    assert outcomes(endpoint) == [(0.0, "check")]
    assert serving.calls()[0].error_type is None


@pytest.mark.parametrize(
    ("check", "score", "note"),
    [("grep -q rld", 1.0, "check: passed"), ("exit 3", 0.0, "check: exit 3")],
)
def test_a_check_gets_the_answer_and_its_exit_is_recorded(
    serving: Serving, rolecall: Rolecall, check: str, score: float, note: str
) -> None:
    endpoint = serving.one()
    result = rolecall("ask", "hello", "--check", check, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if score else 7)
    assert told["outcomes"] == [{"score": score, "source": "check", "note": note}]
    assert outcomes(endpoint) == [(score, "check")]
    assert ("note: check failed: exit 3" in result.stderr) == (score == 0)


def test_an_image_excludes_whoever_cannot_see(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.register(
        Served(endpoint="openai/blind", modalities=("text",)),
        Served(endpoint="gemini/seeing", api="gemini"),
    )
    picture = tmp_path / "dot.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    told = json.loads(rolecall("ask", "what is this?", "-a", picture, "--json").stdout)
    assert told["endpoint"] == "gemini/seeing"
    assert serving.server.received("blind") == []


@pytest.mark.parametrize("api", APIS)
def test_thinking_is_asked_for_and_kept_apart_from_the_answer(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    model = {"anthropic": "claude-sonnet-4-6", "gemini": "gemini-3.5-flash"}.get(api, "m")
    serving.one(api, remote_model=model)
    plan = Plan(thinking="Hm, let me see.", output_tokens=20, reasoning_tokens=12)
    serving.server.plan(model, plan)
    words = ("ask", "why?", "-o", "reasoning_effort", "high")
    told = json.loads(rolecall(*words, "--json").stdout)
    assert told["thinking"] == "Hm, let me see."
    assert "Hm" not in told["answer"]
    assert told["usage"]["output_tokens"] == 20
    assert told["usage"]["reasoning_output_tokens"] == (None if api == "ollama" else 12)
    assert told["cost_usd"] == pytest.approx((12 + 20 * 2) / 1e6)
    body = serving.body(model)
    match api:
        case "openai":
            assert body["reasoning_effort"] == "high"
        case "ollama":
            assert body["think"] == "high"
        case "anthropic":
            assert body["thinking"]["type"] == "adaptive"
            assert body["output_config"]["effort"] == "high"
        case "gemini":
            assert body["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "high"
    silent = rolecall(*words)
    assert "Hm" not in silent.stdout + silent.stderr
    shown = rolecall(*words, "--show-thinking")
    assert "Hm" not in shown.stdout
    assert shown.stderr.startswith("Hm, let me see.")


KEY = "sk-test-4711-of-nobody"


@pytest.mark.parametrize("api", APIS)
def test_the_key_comes_in_the_header_that_each_api_reads(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api, key_env="NOBODYS_API_KEY")
    assert rolecall("ask", "hello", env={"NOBODYS_API_KEY": KEY}).exit_code == 0
    headers = serving.server.requests[-1].headers
    name = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}.get(api, "authorization")
    assert headers[name] == (f"Bearer {KEY}" if name == "authorization" else KEY)
    assert [header for header, value in headers.items() if KEY in value] == [name]
    assert KEY not in serving.server.requests[-1].path
    assert KEY not in str(serving.server.requests[-1].query)


def test_without_a_key_none_is_sent(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    rolecall("ask", "hello", env={"OPENAI_API_KEY": KEY})
    assert "authorization" not in serving.server.requests[-1].headers


def test_a_key_command_that_fails_costs_nothing_and_sends_nothing(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(key_command="exit 7")
    result = rolecall("ask", "hello")
    assert result.exit_code == 4
    assert "key_command of openai/m failed: exit 7" in result.stderr
    assert serving.server.requests == []
    [call] = serving.calls()
    assert (call.error_type, call.cost_usd, call.reserved_usd) == ("auth", 0.0, None)
    assert serving.spent_usd() == 0
