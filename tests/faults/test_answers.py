"""What the fault server's answers hold, in each API's own records and documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from rolecall.registry.core.entities import Api
from tests.faults.asking import APIS, ask, body, documents, streamed_text
from tests.faults.plan import DEFAULT_TEXT, Finish, Plan
from tests.faults.schema import smallest
from tests.faults.server import FaultServer

COUNTED = Plan(
    input_tokens=100,
    output_tokens=50,
    cached_tokens=30,
    cache_write_tokens=20,
    reasoning_tokens=10,
)
CALLS = (("look", '{"place":"Köln","days":[1,2]}'), ("look", "{}"))
ARGUMENTS = [json.loads(arguments) for _, arguments in CALLS]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


def records(server: FaultServer, api: Api, plan: Plan, **extra: Any) -> list[Any]:
    server.plan("m", plan)
    return documents(api, ask(server, api, **extra).text)


def whole(server: FaultServer, api: Api, plan: Plan, **extra: Any) -> Any:
    server.plan("m", plan)
    return ask(server, api, stream=False, **extra).json()


def whole_text(api: Api, document: Any) -> str:
    match api:
        case "openai":
            return str(document["choices"][0]["message"]["content"])
        case "anthropic":
            return str(document["content"][-1]["text"])
        case "gemini":
            return str(document["candidates"][0]["content"]["parts"][-1]["text"])
        case "ollama":
            return str(document["message"]["content"])


@pytest.mark.parametrize("api", APIS)
def test_a_stream_and_a_document_hold_the_same_text(server: FaultServer, api: Api) -> None:
    plan = Plan(text='a "quoted" <b>&</b>\nline \u2028 end')
    assert streamed_text(api, records(server, api, plan)) == plan.text
    assert whole_text(api, whole(server, api, plan)) == plan.text


def test_openai_streams_role_pieces_finish_usage_and_done(server: FaultServer) -> None:
    server.plan("m", COUNTED)
    answer = ask(server, "openai")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text.endswith("\n\ndata: [DONE]\n\n")
    first, *pieces, finish, usage = documents("openai", answer.text)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert all(one["usage"] is None for one in (first, *pieces, finish))
    assert all(one["choices"][0]["finish_reason"] is None for one in (first, *pieces))
    assert finish["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == 100
    assert usage["usage"]["total_tokens"] == 150
    assert usage["usage"]["prompt_tokens_details"]["cached_tokens"] == 30
    assert usage["usage"]["completion_tokens_details"]["reasoning_tokens"] == 10


def test_openai_tells_no_usage_to_who_did_not_ask_for_it(server: FaultServer) -> None:
    found = records(server, "openai", Plan(), stream_options={"include_usage": False})
    assert all("usage" not in one for one in found)


def test_anthropic_streams_named_events_in_their_order(server: FaultServer) -> None:
    server.plan("m", COUNTED)
    text = ask(server, "anthropic").text
    found = documents("anthropic", text)
    names = [line.removeprefix("event: ") for line in text.splitlines() if "event: " in line]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert [name for name in names if name != "ping"] == [one["type"] for one in found]
    usage = found[0]["message"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (50, 1)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (30, 20)
    assert found[-2]["delta"]["stop_reason"] == "end_turn"
    assert found[-2]["usage"]["output_tokens"] == 50
    assert found[-2]["usage"]["output_tokens_details"] == {"thinking_tokens": 10}


def test_gemini_streams_whole_responses_with_crlf(server: FaultServer) -> None:
    server.plan("m", COUNTED)
    answer = ask(server, "gemini")
    assert answer.text.endswith("}\r\n\r\n")
    assert "[DONE]" not in answer.text
    *pieces, last = documents("gemini", answer.text)
    assert all("finishReason" not in one["candidates"][0] for one in pieces)
    assert last["candidates"][0]["finishReason"] == "STOP"
    usage = last["usageMetadata"]
    assert (usage["promptTokenCount"], usage["cachedContentTokenCount"]) == (100, 30)
    assert (usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (40, 10)
    assert usage["totalTokenCount"] == 150
    assert pieces[0]["usageMetadata"]["totalTokenCount"] < 150


def test_ollama_streams_lines_of_which_the_last_is_done(server: FaultServer) -> None:
    server.plan("m", COUNTED)
    answer = ask(server, "ollama")
    assert answer.headers["content-type"] == "application/x-ndjson"
    *pieces, last = documents("ollama", answer.text)
    assert all(one["done"] is False and "eval_count" not in one for one in pieces)
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert (last["prompt_eval_count"], last["prompt_eval_cached_count"]) == (100, 30)
    assert last["eval_count"] == 50
    assert last["total_duration"] > last["load_duration"] > 1_000_000


def test_openai_streams_the_arguments_of_a_tool_call_in_pieces(server: FaultServer) -> None:
    found = records(server, "openai", Plan(tool_calls=CALLS))
    deltas = [one["choices"][0]["delta"] for one in found if one["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [call["function"]["name"] for call in calls if "id" in call] == ["look", "look"]
    for index, (_, arguments) in enumerate(CALLS):
        own = [call["function"]["arguments"] for call in calls if call["index"] == index]
        assert len(own) > 2
        assert "".join(own) == arguments
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"
    message = whole(server, "openai", Plan(tool_calls=CALLS))["choices"][0]["message"]
    told = [tuple(call["function"].values()) for call in message["tool_calls"]]
    assert (tuple(told), message["content"]) == (CALLS, None)
    assert len({call["id"] for call in message["tool_calls"]}) == 2


def test_anthropic_streams_a_tool_call_as_a_block(server: FaultServer) -> None:
    found = records(server, "anthropic", Plan(tool_calls=CALLS))
    blocks = [one["content_block"] for one in found if "content_block" in one]
    assert [(block["type"], block["name"], block["input"]) for block in blocks] == [
        ("tool_use", "look", {})
    ] * 2
    for index, (_, arguments) in enumerate(CALLS):
        deltas = [one["delta"] for one in found if one.get("index") == index and "delta" in one]
        assert "".join(delta["partial_json"] for delta in deltas) == arguments
    document = whole(server, "anthropic", Plan(tool_calls=CALLS))
    assert [block["input"] for block in document["content"]] == ARGUMENTS
    assert document["stop_reason"] == found[-2]["delta"]["stop_reason"] == "tool_use"


def test_gemini_sends_its_tool_calls_at_once_and_signed(server: FaultServer) -> None:
    first, last = records(server, "gemini", Plan(tool_calls=CALLS))
    document = whole(server, "gemini", Plan(tool_calls=CALLS))
    for response in (first, document):
        parts = response["candidates"][0]["content"]["parts"]
        assert [part["functionCall"]["name"] for part in parts] == ["look", "look"]
        assert [part["functionCall"]["args"] for part in parts] == ARGUMENTS
        assert ["thoughtSignature" in part for part in parts] == [True, False]
    assert last["candidates"][0]["finishReason"] == "STOP"


def test_ollama_sends_its_tool_calls_before_the_last_line(server: FaultServer) -> None:
    first, last = records(server, "ollama", Plan(tool_calls=CALLS))
    document = whole(server, "ollama", Plan(tool_calls=CALLS))
    for response in (first, document):
        calls = [call["function"] for call in response["message"]["tool_calls"]]
        assert [(call["index"], call["name"]) for call in calls] == [(0, "look"), (1, "look")]
        assert [call["arguments"] for call in calls] == ARGUMENTS
    assert (first["done"], last["done"], last["done_reason"]) == (False, True, "stop")


@pytest.mark.parametrize("api", APIS)
def test_thinking_comes_before_the_text_and_apart_from_it(server: FaultServer, api: Api) -> None:
    plan = Plan(thinking="Hm, let me see", redacted="c2VjcmV0")
    found, document = records(server, api, plan), whole(server, api, plan)
    assert streamed_text(api, found) == whole_text(api, document) == DEFAULT_TEXT
    match api:
        case "openai":
            deltas = [one["choices"][0]["delta"] for one in found if one["choices"]]
            streamed = "".join(delta.get("reasoning_content", "") for delta in deltas)
            told = document["choices"][0]["message"]["reasoning_content"]
        case "anthropic":
            deltas = [one.get("delta", {}) for one in found]
            streamed = "".join(delta.get("thinking", "") for delta in deltas)
            told = document["content"][0]["thinking"]
            signed = [delta["signature"] for delta in deltas if "signature" in delta]
            assert signed == [document["content"][0]["signature"]]
            redacted = {"type": "redacted_thinking", "data": "c2VjcmV0"}
            assert document["content"][1] == redacted
            assert redacted in [one.get("content_block") for one in found]
        case "gemini":
            parts = [one["candidates"][0]["content"]["parts"][0] for one in found]
            streamed = "".join(part["text"] for part in parts if part.get("thought"))
            told = document["candidates"][0]["content"]["parts"][0]["text"]
        case "ollama":
            streamed = "".join(one["message"].get("thinking", "") for one in found)
            told = document["message"]["thinking"]
    assert streamed == told == "Hm, let me see"


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        ("stop", ("stop", "end_turn", "STOP", "stop")),
        ("length", ("length", "max_tokens", "MAX_TOKENS", "length")),
        ("content_filter", ("content_filter", "refusal", "SAFETY", "stop")),
    ],
)
def test_the_finish_has_each_apis_own_word(
    server: FaultServer, finish: Finish, words: tuple[str, ...]
) -> None:
    plan = Plan(finish=finish)
    said = [
        records(server, "openai", plan)[-2]["choices"][0]["finish_reason"],
        records(server, "anthropic", plan)[-2]["delta"]["stop_reason"],
        records(server, "gemini", plan)[-1]["candidates"][0]["finishReason"],
        records(server, "ollama", plan)[-1]["done_reason"],
    ]
    assert tuple(said) == words


@pytest.mark.parametrize("api", APIS)
def test_usage_may_be_missing_null_or_told_twice(server: FaultServer, api: Api) -> None:
    key = {"gemini": "usageMetadata", "ollama": "eval_count"}.get(api, "usage")

    def told(plan: Plan) -> list[Any]:
        found = records(server, api, plan)
        found += [one["message"] for one in found if api == "anthropic" and "message" in one]
        return [one[key] for one in found if key in one]

    def full(values: list[Any]) -> list[Any]:
        whole_count = json.dumps(values[-1])
        return [one for one in values if json.dumps(one) == whole_count]

    missing = [one for one in told(Plan(usage="missing")) if one is not None]
    assert missing == []
    assert set(map(json.dumps, told(Plan(usage="null")))) == {"null"}
    assert any(one is not None for one in told(Plan(usage="once")))
    once, twice = told(Plan(usage="once")), told(Plan(usage="twice"))
    counted = [[one for one in values if one is not None] for values in (once, twice)]
    assert len(counted[1]) == len(counted[0]) + 1
    assert full(counted[0])
    assert (key in whole(server, api, Plan(usage="missing"))) is False


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "kind": {"enum": ["a", "b"]},
        "count": {"type": "integer", "minimum": 3},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 1},
        "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    },
    "required": ["name", "kind", "count", "tags"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": "object", "properties": {"ok": {"type": "boolean"}}}},
}
ASKED: dict[Api, dict[str, Any]] = {
    "openai": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
        }
    },
    "anthropic": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "gemini": {
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        }
    },
    "ollama": {"format": SCHEMA},
}


@pytest.mark.parametrize("api", APIS)
def test_a_schema_is_answered_with_a_document_that_matches(server: FaultServer, api: Api) -> None:
    streamed = streamed_text(api, records(server, api, Plan(), **ASKED[api]))
    jsonschema.validate(json.loads(streamed), SCHEMA)
    assert whole_text(api, whole(server, api, Plan(), **ASKED[api])) == streamed
    assert streamed_text(api, records(server, api, Plan(text="no JSON"), **ASKED[api])) == "no JSON"


def test_any_json_object_is_answered_with_an_empty_one(server: FaultServer) -> None:
    plain = {"response_format": {"type": "json_object"}}
    assert streamed_text("openai", records(server, "openai", Plan(), **plain)) == "{}"
    assert streamed_text("ollama", records(server, "ollama", Plan(), format="json")) == "{}"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "integer", "maximum": -4},
        {"const": [1, {"a": None}]},
        {"type": ["string", "null"], "maxLength": 2},
        {"type": "array", "prefixItems": [{"type": "string"}, {"const": 1}]},
        {"allOf": [{"$ref": "#/$defs/a"}, {"required": ["b"], "properties": {"b": True}}],
         "$defs": {"a": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
        {"type": "object", "properties": {"next": {"$ref": "#"}}},
        {},
    ],
)  # fmt: skip
def test_the_smallest_document_matches_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(smallest(schema), schema)


def test_types_may_be_in_capitals_as_gemini_writes_them() -> None:
    assert smallest({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}) == {"a": "text"}


@pytest.mark.parametrize(
    ("api", "spoil"),
    [
        ("openai", {"messages": []}),
        ("anthropic", {"max_tokens": None}),
        ("anthropic", {"messages": [{"role": "system", "content": "hi"}]}),
        ("anthropic", {"messages": [{"role": "user", "content": ""}]}),
        ("gemini", {"contents": [{"role": "assistant", "parts": [{"text": "hi"}]}]}),
        ("gemini", {"contents": [{"role": "user", "parts": []}]}),
        ("ollama", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
    ],
)
def test_what_the_provider_would_not_take_is_refused(
    server: FaultServer, api: Api, spoil: dict[str, Any]
) -> None:
    assert ask(server, api).status_code == 200
    answer = ask(server, api, **spoil)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert body(api, "m") != body(api, "m", **spoil)
