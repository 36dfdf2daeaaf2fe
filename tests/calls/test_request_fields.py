"""What becomes of a request's fields on the way from a file to a server, and what is said of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.entities import Api
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

HI = {"role": "user", "content": "hi"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
BY_URL = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def written(folder: Path, document: Any, name: str = "chat.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("api", APIS)
def test_neither_labels_nor_secrets_nor_a_choice_of_provider_reach_a_server(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    serving.one(api)
    fields = {"answer": "gold-56", "api_key": "sk-gold", "models": ["gold/x"]}
    row = written(tmp_path, {"prompt": "hi", **fields}, "row.json")
    body = written(tmp_path, {"messages": [HI], **fields})
    assert rolecall("ask", "--messages", row).exit_code == 0
    told = rolecall("ask", "--messages", body, "--json")
    assert told.exit_code == 0
    for received in serving.server.received("m"):
        assert "gold" not in json.dumps(received.body) + str(received.headers)
    notes = json.loads(told.stdout)["notes"]
    for name in fields:
        assert any(name in note for note in notes)
        assert name in told.stderr
    assert "gold" not in told.stdout + told.stderr


def test_with_allow_pass_they_are_sent_but_for_secrets(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one()
    document = {"messages": [HI], "models": ["a/b"], "brand_new": 1, "api_key": "sk-gold"}
    body = written(tmp_path, document)
    result = rolecall("ask", "--messages", body, "--allow-pass")
    sent = serving.body()
    assert (sent["models"], sent["brand_new"], "api_key" in sent) == (["a/b"], 1, False)
    assert "api_key" in result.stderr
    assert "brand_new" not in result.stderr
    routed = rolecall("route", "--messages", body, "--json", "--allow-pass")
    assert json.loads(routed.stdout)["task"]["parameters"] == ["brand_new", "models"]


def test_a_data_row_excludes_nobody_and_a_whole_request_says_what_it_lacks(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.register(*(Served(endpoint=f"{api}/m", api=api) for api in APIS))
    rows = [
        {"prompt": "hi", "answer": "56", "category": "math", "metadata": {"a": 1}},
        {"body": {"messages": [HI], "category": "math", "n": 1, "logprobs": False}},
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    first, second = map(json.loads, rolecall("route", "--jsonl", input=lines).stdout.splitlines())
    assert (len(first["candidates"]), first["notes"]) == (len(APIS), [])
    assert len(second["candidates"]) == len(APIS)
    assert any("category" in note for note in second["notes"])


@pytest.mark.parametrize("api", APIS)
def test_what_an_api_has_no_place_for_is_said_in_every_output(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    endpoint = serving.one(api)
    mark = {"cache_control": {"type": "ephemeral"}}
    message = {"role": "user", "content": [{"type": "text", "text": "hi", **mark}]}
    body = written(tmp_path, {"messages": [message], "prompt_cache_key": "k"})
    result = rolecall("ask", "--messages", body, "--json")
    lost = {
        "openai": "cache_control",
        "anthropic": "prompt_cache_key",
    }.get(api, "cache_control, prompt_cache_key")
    note = f"{endpoint} takes no {lost}: left out"
    assert note in json.loads(result.stdout)["notes"]
    assert f"note: {note}\n" in result.stderr
    serving.server.plan("m", Plan(fault="bad_request"))
    failed = rolecall("ask", "--messages", body, "--json")
    assert (failed.exit_code, note in json.loads(failed.stdout)["notes"]) == (4, True)


def test_a_hint_that_the_server_refuses_is_left_out_in_a_second_try(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    endpoint = serving.one()
    serving.server.plan("m", Plan(fault="bad_parameter", parameter="user"), Plan())
    result = rolecall("ask", "--messages", written(tmp_path, {"messages": [HI], "user": "u"}))
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert f"note: {endpoint} takes no user: left out\n" in result.stderr


def test_no_endpoint_is_chosen_that_cannot_be_asked(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    vision = ("vision", "tools")
    ollama = Served(endpoint="ollama/m", api="ollama", capabilities=vision)
    serving.register(ollama)
    body = written(tmp_path, [{"role": "user", "content": [BY_URL, {"type": "text", "text": "?"}]}])
    for command in ("route", "ask"):
        result = rolecall(command, "--messages", body)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "1 MODALITY_UNSUPPORTED (takes no image by URL)" in result.stderr
    assert serving.calls() == []
    serving.register(ollama, Served(endpoint="anthropic/m", api="anthropic", capabilities=vision))
    assert rolecall("route", "--messages", body).stdout == "anthropic/m\n"


@pytest.mark.parametrize("api", APIS)
def test_ollamas_images_are_sent_in_each_apis_form(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    serving.one(api)
    body = written(tmp_path, [{"role": "user", "content": "what is it?", "images": [PNG]}])
    assert rolecall("ask", "--messages", body).exit_code == 0
    assert PNG in json.dumps(serving.body())


@pytest.mark.parametrize("api", APIS)
def test_what_ask_printed_can_be_asked_again(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    serving.one(api)
    serving.server.plan("m", Plan(tool_calls=(("weather", '{"city": "Malmö"}'),)), Plan())
    tools = written(
        tmp_path, [{"name": "weather", "inputSchema": {"type": "object"}}], "tools.json"
    )
    printed = json.loads(rolecall("ask", "outside?", "--tools", tools, "--json").stdout)
    [call] = printed["tool_calls"]
    question = {"role": "user", "content": "outside?"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "4 degrees"}
    body = written(tmp_path, [question, printed, result])
    again = rolecall("ask", "--messages", body, "--tools", tools)
    assert (again.exit_code, again.stdout) == (0, f"{DEFAULT_TEXT}\n")
    sent = json.dumps(serving.body(), ensure_ascii=False)
    assert all(word in sent for word in ("Malmö", "weather", "4 degrees"))


@pytest.mark.parametrize("api", APIS)
def test_the_schema_of_any_shape_is_held_against_the_answer(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    serving.one(api)
    schema = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
    serving.server.plan("m", Plan(text='{"a": 1}'), Plan(text='{"b": 1}'))
    form = {"type": "json_object", "schema": schema}
    body = written(tmp_path, {"messages": [HI], "response_format": form})
    scores = [
        [
            one["score"]
            for one in json.loads(rolecall("ask", "--messages", body, "--json").stdout)["outcomes"]
        ]
        for _ in range(2)
    ]
    assert scores == [[1.0], [0.0]]
    assert '"required"' in json.dumps(serving.body())


@pytest.mark.parametrize("api", APIS)
def test_a_system_prompt_alone_is_answered(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, api: Api
) -> None:
    endpoint = serving.one(api)
    body = written(tmp_path, [{"role": "system", "content": "Write a haiku."}])
    result = rolecall("ask", "--messages", body)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    is_said = f"note: {endpoint}: the system prompt is all there is" in result.stderr
    assert is_said == (api in ("anthropic", "gemini"))
    sent = serving.body()
    assert sent.get("messages") or sent.get("contents")


def test_an_answer_in_sound_is_not_asked_for(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one()
    for asked in (["text", "audio"], "audio", 3):
        body = written(tmp_path, {"messages": [HI], "modalities": asked})
        result = rolecall("ask", "--messages", body)
        assert result.exit_code == 2
        assert result.stderr.startswith("error: modalities: ask gives text\n")


def test_a_conversation_keeps_what_its_turns_say_besides(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one("anthropic")
    mark = {"cache_control": {"type": "ephemeral"}}
    text = {"type": "text", "text": "a manual", **mark}
    body = written(tmp_path, [{"role": "user", "name": "ann", "content": [text]}])
    assert rolecall("ask", "--messages", body, "--conversation", "c").exit_code == 0
    result = rolecall("ask", "and now?", "--conversation", "c")
    assert result.exit_code == 0
    assert serving.body()["messages"][0]["content"][0] == text
    assert "takes no name" in result.stderr
