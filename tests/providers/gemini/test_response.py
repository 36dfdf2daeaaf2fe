from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rolecall.registry.core.chat import (
    Answer,
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import AnswerReader
from rolecall.registry.providers.gemini.request import GEMINI


def response(*parts: dict[str, Any], finish: str | None = None, **usage: int) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    record: dict[str, Any] = {
        "candidates": [candidate],
        "modelVersion": "gemini-3.5-flash",
        "responseId": "mAitaLm",
    }
    return record | ({"usageMetadata": usage} if usage else {})


def thought(text: str) -> dict[str, Any]:
    return {"text": text, "thought": True}


def call(name: str, **said: Any) -> dict[str, Any]:
    signature = {"thoughtSignature": said.pop("signature")} if "signature" in said else {}
    return {"functionCall": {"name": name, **said}, **signature}


PLAIN = [
    response({"text": "Hello"}, promptTokenCount=25, candidatesTokenCount=1, totalTokenCount=26),
    response({"text": ", wörld"}, promptTokenCount=25, candidatesTokenCount=3),
    response(
        {"text": ""}, finish="STOP", promptTokenCount=25, candidatesTokenCount=4, totalTokenCount=29
    ),
]
TOOL_LOOP = [
    response(thought("The weather… ")),
    response(thought("two calls.")),
    response(
        call("get_weather", args={"city": "Oslo"}, signature="c2ln"),
        call("get_weather", args={"city": "Århus"}),
    ),
    response(
        finish="STOP",
        promptTokenCount=1_000,
        toolUsePromptTokenCount=20,
        cachedContentTokenCount=800,
        candidatesTokenCount=30,
        thoughtsTokenCount=70,
        totalTokenCount=1_120,
    ),
]


def read(records: Sequence[Any]) -> tuple[list[Event], AnswerReader]:
    reader = GEMINI.reader()
    return [event for record in records for event in reader.feed(record)], reader


def answer(*records: Any) -> Answer:
    return read(records)[1].answer()


def failed(*records: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        read(records)
    return caught.value


def test_a_text_comes_in_pieces_and_the_last_usage_counts() -> None:
    events, reader = read(PLAIN)
    assert events == [TextDelta("Hello"), TextDelta(", wörld")]
    assert reader.is_finished
    assert reader.answer() == Answer(
        parts=(Text("Hello, wörld"),),
        finish_reason="stop",
        finish_reasons=("STOP",),
        usage=Usage(input_tokens=25, output_tokens=4),
        response_id="mAitaLm",
        response_model="gemini-3.5-flash",
    )


def test_an_end_that_says_the_whole_text_once_more_is_read_once() -> None:
    pieces = [response({"text": "Hi "}), response({"text": "you"})]
    repeated = response({"text": "Hi you"}, call("f"), finish="STOP")
    found = answer(*pieces, repeated)
    assert found.text == "Hi you"
    assert [one.name for one in found.tool_calls] == ["f"]
    assert answer(*pieces, response({"text": "!"}, finish="STOP")).text == "Hi you!"


def test_a_stream_is_not_finished_without_a_reason() -> None:
    _, reader = read(PLAIN[:2])
    assert not reader.is_finished
    assert reader.answer().parts == (Text("Hello, wörld"),)
    assert reader.answer().finish_reason is None


def test_usage_may_come_after_the_end() -> None:
    late = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2}}
    got = answer(response({"text": "hi"}, finish="STOP"), late)
    assert got.usage == Usage(input_tokens=5, output_tokens=2)
    assert got.finish_reason == "stop"


def test_thoughts_and_calls_come_as_events_and_parts() -> None:
    events, reader = read(TOOL_LOOP)
    assert events == [
        ThinkingDelta("The weather… "),
        ThinkingDelta("two calls."),
        ToolCallDelta("get_weather", '{"city":"Oslo"}'),
        ToolCallDelta("get_weather", '{"city":"Århus"}'),
    ]
    got = reader.answer()
    assert got.parts == (
        Thinking("The weather… two calls.", "gemini"),
        ToolCall("call_0", "get_weather", '{"city":"Oslo"}', "c2ln"),
        ToolCall("call_1", "get_weather", '{"city":"Århus"}'),
    )
    assert (got.finish_reason, got.finish_reasons) == ("tool_calls", ("STOP",))
    assert got.usage == Usage(
        input_tokens=1_020,
        output_tokens=100,
        cache_read_input_tokens=800,
        reasoning_output_tokens=70,
    )


def test_audio_is_counted_apart() -> None:
    usage = {
        "promptTokenCount": 120,
        "candidatesTokenCount": 30,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 20},
            {"modality": "AUDIO", "tokenCount": 100},
        ],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 30}],
    }
    record = response({"text": "hello"}, finish="STOP") | {"usageMetadata": usage}
    assert answer(record).usage == Usage(120, 30, audio_input_tokens=100, audio_output_tokens=0)


def test_audio_that_a_cache_held_is_not_counted_as_audio_again() -> None:
    usage = {
        "promptTokenCount": 220,
        "cachedContentTokenCount": 90,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 80}],
    }
    got = answer(response({"text": "hello"}, finish="STOP") | {"usageMetadata": usage}).usage
    assert got is not None
    assert (got.cache_read_input_tokens, got.audio_input_tokens) == (90, 20)


@pytest.mark.parametrize("details", [None, {}, [], [7, {"modality": "AUDIO"}]])
def test_odd_counts_by_modality_hold_no_audio(details: Any) -> None:
    usage = {"promptTokenCount": 12, "promptTokensDetails": details}
    got = answer(response({"text": "hello"}, finish="STOP") | {"usageMetadata": usage}).usage
    assert got is not None
    assert got.audio_input_tokens == (0 if isinstance(details, list) else None)


def test_a_call_keeps_the_id_it_has_and_may_lack_arguments() -> None:
    got = answer(response(call("now", id="fc-9"), finish="STOP"))
    assert got.parts == (ToolCall("fc-9", "now", "{}"),)


def test_code_that_the_server_runs_is_passed_over() -> None:
    got = answer(
        response(
            {"executableCode": {"language": "PYTHON", "code": "print(4)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "4"}},
            {"text": "It is 4."},
            finish="STOP",
        )
    )
    assert got.parts == (Text("It is 4."),)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("OTHER", "OTHER"),
        ("IMAGE_RECITATION", "content_filter"),
    ],
)
def test_the_reason_to_stop_is_told_in_openai_s_words(reason: str, finish: str) -> None:
    got = answer({"candidates": [{"finishReason": reason, "index": 0}]})
    assert (got.finish_reason, got.finish_reasons) == (finish, (reason,))


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_broken_call_is_no_answer(reason: str) -> None:
    failure = failed(response(finish=reason))
    assert failure.error_type == "invalid_response"
    assert reason in failure.message


def test_a_refused_prompt_is_a_failure_whose_usage_is_known() -> None:
    reader = GEMINI.reader()
    blocked = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
    }
    with pytest.raises(CallFailed) as caught:
        list(reader.feed(blocked))
    assert caught.value.error_type == "content_refused"
    assert reader.answer().usage == Usage(input_tokens=9)


def test_an_answer_that_was_all_thinking_counts_as_output() -> None:
    got = answer(response(finish="MAX_TOKENS", promptTokenCount=9, thoughtsTokenCount=50))
    assert got.usage == Usage(input_tokens=9, output_tokens=50, reasoning_output_tokens=50)


@pytest.mark.parametrize("in_list", [False, True])
def test_an_error_in_the_stream_is_told_by_its_status(in_list: bool) -> None:
    def error(status: str, code: int) -> Any:
        record = {"error": {"code": code, "message": "Oops", "status": status}}
        return [record] if in_list else record

    assert failed(PLAIN[0], error("UNAVAILABLE", 503)).error_type == "overloaded"
    assert failed(PLAIN[0], error("RESOURCE_EXHAUSTED", 429)).error_type == "rate_limited"
    broken = failed(PLAIN[0], error("INTERNAL", 500))
    assert (broken.error_type, broken.status) == ("stream_error", None)


@pytest.mark.parametrize(
    "record",
    [
        "text",
        7,
        {"candidates": "x"},
        {"candidates": ["x"]},
        {"candidates": [{"content": {"parts": ["x"]}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": {"args": {}}}]}}]},
    ],
)
def test_a_record_of_another_kind_is_no_answer(record: Any) -> None:
    assert failed(record).error_type == "invalid_response"


def test_a_whole_answer_is_read_as_a_stream_is() -> None:
    document = response(
        thought("Hm."),
        {"text": "Hi."},
        call("now", args={}),
        finish="STOP",
        promptTokenCount=7,
        candidatesTokenCount=3,
    )
    reader = GEMINI.reader()
    reader.read_whole(document)
    assert reader.is_finished
    assert reader.answer() == answer(document)
    assert reader.answer().parts == (
        Thinking("Hm.", "gemini"),
        Text("Hi."),
        ToolCall("call_0", "now", "{}"),
    )


def test_a_whole_document_of_another_kind_is_no_answer() -> None:
    with pytest.raises(CallFailed) as caught:
        GEMINI.reader().read_whole("<html>")
    assert caught.value.error_type == "invalid_response"


def test_thinking_within_the_text_is_no_part_of_the_answer() -> None:
    found = answer(
        response({"text": "<think>hm</thi"}), response({"text": "nk>Yes"}, finish="STOP")
    )
    assert found.parts == (Thinking("hm", "content"), Text("Yes"))
