"""Calls as other programs read them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from rolecall.registry.core.telemetry import Call
from rolecall.registry.telemetry.export import CallFormat, call_to_plain, formatted
from rolecall.registry.telemetry.otlp import span

CALL = Call(
    id="c1",
    created_at="2026-11-22T10:00:00.250+00:00",
    endpoint="a/x",
    attempt=2,
    decision_id="d1",
    provider_name="anthropic",
    request_model="x-1",
    response_model="x-1-2026",
    response_id="msg_1",
    finish_reasons=("end_turn",),
    conversation_id="talk",
    input_tokens=2**40,
    output_tokens=0,
    cache_read_input_tokens=100,
    cache_write_input_tokens=20,
    reasoning_output_tokens=7,
    time_to_first_chunk_s=0.5,
    duration_s=1.5,
    server_address="api.a.test",
    cost_usd=0.0,
    price_source="user",
    task="code.edit",
    finished_at="2026-11-22T10:00:01.800+00:00",
)
FAILED = replace(
    CALL,
    id="c2",
    error_type="rate_limited",
    detail='said "slow, down"\nplease',
    duration_s=None,
    finish_reasons=(),
)
RUNNING = Call("c3", "2026-11-22T10:00:00.250+00:00", "a/x")
CALLS = (CALL, FAILED, RUNNING)
NAMES = [field.name for field in fields(Call)]


def text_of(form: CallFormat, calls: tuple[Call, ...] = CALLS) -> str:
    return "".join(formatted(calls, form))


def spans(*calls: Call) -> list[dict[str, Any]]:
    document = json.loads(text_of("otlp-json", calls))
    [resource] = document["resourceSpans"]
    [scope] = resource["scopeSpans"]
    found: list[dict[str, Any]] = scope["spans"]
    return found


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in span["attributes"]}


def test_json_lines_have_the_fields_of_a_call() -> None:
    lines = text_of("jsonl").splitlines()
    assert [json.loads(line) for line in lines] == [call_to_plain(call) for call in CALLS]
    assert list(json.loads(lines[2])) == NAMES
    assert json.loads(lines[2])["cost_usd"] is None
    assert json.loads(lines[0])["cost_usd"] == 0


def test_one_json_object_holds_the_same_calls() -> None:
    assert json.loads(text_of("json")) == {"calls": [call_to_plain(call) for call in CALLS]}


def test_csv_has_a_heading_and_leaves_the_unknown_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of("csv"))))
    assert list(rows[0]) == NAMES
    assert (rows[0]["cost_usd"], rows[2]["cost_usd"]) == ("0.0", "")
    assert rows[1]["detail"] == FAILED.detail
    two = replace(CALL, finish_reasons=("stop", "tool_calls"))
    [row] = csv.DictReader(io.StringIO(text_of("csv", (two,))))
    assert row["finish_reasons"] == "stop;tool_calls"


@pytest.mark.parametrize(
    ("form", "text"),
    [("jsonl", ""), ("json", '{"calls": [\n]}\n'), ("csv", ",".join(NAMES) + "\n")],
)
def test_no_calls_are_a_valid_text_too(form: CallFormat, text: str) -> None:
    assert text_of(form, ()) == text
    assert spans() == []


@pytest.mark.parametrize("form", ["jsonl", "csv", "json", "otlp-json"])
def test_calls_are_read_as_the_text_is_taken(form: CallFormat) -> None:
    read: list[str] = []

    def reading() -> Iterator[Call]:
        for number in range(100):
            read.append(f"c{number}")
            yield replace(CALL, id=f"c{number}")

    pieces = formatted(reading(), form)
    for piece in pieces:
        if "c3" in piece:
            break
    assert read[-1] == "c3"


def test_the_document_names_the_service_and_the_scope() -> None:
    [resource] = json.loads(text_of("otlp-json"))["resourceSpans"]
    service = {"key": "service.name", "value": {"stringValue": "rolecall"}}
    assert resource["resource"] == {"attributes": [service]}
    assert resource["scopeSpans"][0]["scope"]["name"] == "rolecall"


def test_a_span_has_what_opentelemetry_asks_of_one() -> None:
    [one] = spans(CALL)
    assert (one["name"], one["kind"]) == ("chat x-1", 3)
    assert len(bytes.fromhex(one["traceId"])) == 16
    assert len(bytes.fromhex(one["spanId"])) == 8
    assert one["startTimeUnixNano"] == "1795341600250000000"
    assert int(one["endTimeUnixNano"]) - int(one["startTimeUnixNano"]) == 1_500_000_000
    assert "status" not in one


def test_a_spans_attributes_have_the_conventional_names() -> None:
    assert attributes(span(CALL)) == {
        "gen_ai.operation.name": {"stringValue": "chat"},
        "gen_ai.provider.name": {"stringValue": "anthropic"},
        "gen_ai.request.model": {"stringValue": "x-1"},
        "gen_ai.response.model": {"stringValue": "x-1-2026"},
        "gen_ai.response.id": {"stringValue": "msg_1"},
        "gen_ai.response.finish_reasons": {"arrayValue": {"values": [{"stringValue": "end_turn"}]}},
        "gen_ai.response.time_to_first_chunk": {"doubleValue": 0.5},
        "gen_ai.conversation.id": {"stringValue": "talk"},
        "gen_ai.usage.input_tokens": {"intValue": "1099511627776"},
        "gen_ai.usage.output_tokens": {"intValue": "0"},
        "gen_ai.usage.cache_read.input_tokens": {"intValue": "100"},
        "gen_ai.usage.cache_write.input_tokens": {"intValue": "20"},
        "gen_ai.usage.reasoning.output_tokens": {"intValue": "7"},
        "server.address": {"stringValue": "api.a.test"},
        "rolecall.call_id": {"stringValue": "c1"},
        "rolecall.decision_id": {"stringValue": "d1"},
        "rolecall.attempt": {"intValue": "2"},
        "rolecall.endpoint": {"stringValue": "a/x"},
        "rolecall.task": {"stringValue": "code.edit"},
        "rolecall.sample_source": {"stringValue": "live"},
        "rolecall.cost_usd": {"doubleValue": 0.0},
        "rolecall.price_source": {"stringValue": "user"},
    }


def test_what_is_unknown_is_no_attribute() -> None:
    bare = replace(RUNNING, finished_at="2026-11-22T10:00:01.000+00:00")
    assert set(attributes(span(bare))) == {
        *("gen_ai.operation.name", "rolecall.call_id", "rolecall.attempt"),
        *("rolecall.endpoint", "rolecall.sample_source"),
    }
    assert span(bare)["name"] == "chat"


def test_a_failure_is_an_error_with_what_was_said() -> None:
    one = span(FAILED)
    assert one["status"] == {"code": 2, "message": FAILED.detail}
    assert attributes(one)["error.type"] == {"stringValue": "rate_limited"}
    assert span(replace(FAILED, detail=None))["status"]["message"] == "rate_limited"


def test_a_call_without_a_duration_ends_when_it_was_stored() -> None:
    one = span(FAILED)
    assert int(one["endTimeUnixNano"]) - int(one["startTimeUnixNano"]) == 1_550_000_000
    back = span(replace(FAILED, finished_at="2026-11-22T09:59:59.000+00:00"))
    assert back["endTimeUnixNano"] == back["startTimeUnixNano"]


def test_a_call_that_has_not_ended_is_no_span() -> None:
    assert [attributes(one)["rolecall.call_id"]["stringValue"] for one in spans(*CALLS)] == [
        "c1",
        "c2",
    ]


def test_a_decisions_calls_share_a_trace_and_a_probe_has_its_own() -> None:
    first, second, probe = spans(CALL, FAILED, replace(CALL, id="p", decision_id=None))
    assert first["traceId"] == second["traceId"] != probe["traceId"]
    assert len({first["spanId"], second["spanId"], probe["spanId"]}) == 3
    assert spans(CALL) == [first]
