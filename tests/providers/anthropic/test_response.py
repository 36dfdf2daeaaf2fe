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
from rolecall.registry.providers.anthropic.request import ANTHROPIC

Records = Sequence[dict[str, Any]]


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **said}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def begin(**usage: int) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def end(reason: str, **usage: Any) -> list[dict[str, Any]]:
    said = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": said, "usage": usage},
        {"type": "message_stop"},
    ]


PLAIN = [
    begin(),
    start(0, type="text", text=""),
    {"type": "ping"},
    delta(0, "text_delta", text="Hello"),
    delta(0, "text_delta", text="!"),
    stop(0),
    *end("end_turn", output_tokens=15),
]
TOOL_LOOP = [
    begin(cache_read_input_tokens=1_000, cache_creation_input_tokens=200),
    start(0, type="thinking", thinking="", signature=""),
    delta(0, "thinking_delta", thinking="The weather… "),
    delta(0, "thinking_delta", thinking="a tool."),
    delta(0, "signature_delta", signature="EqQBCg"),
    stop(0),
    start(1, type="redacted_thinking", data="EmwKAhgB"),
    stop(1),
    start(2, type="text", text=""),
    delta(2, "text_delta", text="Let me look."),
    stop(2),
    start(3, type="tool_use", id="toolu_01", name="get_weather", input={}),
    delta(3, "input_json_delta", partial_json=""),
    delta(3, "input_json_delta", partial_json='{"city": '),
    delta(3, "input_json_delta", partial_json='"Oslo"}'),
    stop(3),
    *end("tool_use", output_tokens=89, output_tokens_details={"thinking_tokens": 40}),
]


def read(records: Records) -> tuple[list[Event], AnswerReader]:
    reader = ANTHROPIC.reader()
    return [event for record in records for event in reader.feed(record)], reader


def answer(records: Records) -> Answer:
    return read(records)[1].answer()


def test_a_text_comes_in_pieces_and_ends_with_its_usage() -> None:
    events, reader = read(PLAIN)
    assert events == [TextDelta("Hello"), TextDelta("!")]
    assert reader.is_finished
    assert reader.answer() == Answer(
        parts=(Text("Hello!"),),
        finish_reason="stop",
        finish_reasons=("end_turn",),
        usage=Usage(input_tokens=25, output_tokens=15),
        response_id="msg_1",
        response_model="claude-sonnet-4-5-20250929",
    )


def test_a_stream_is_not_finished_before_its_stop() -> None:
    _, reader = read(PLAIN[:-1])
    assert not reader.is_finished
    assert reader.answer().finish_reason == "stop"


def test_what_came_of_a_cut_stream_is_kept_without_an_output_count() -> None:
    cut = answer(PLAIN[:4])
    assert cut.parts == (Text("Hello"),)
    assert cut.usage == Usage(input_tokens=25)
    assert cut.finish_reason is None


def test_thinking_and_tool_calls_come_as_events_and_parts() -> None:
    events, reader = read(TOOL_LOOP)
    assert events == [
        ThinkingDelta("The weather… "),
        ThinkingDelta("a tool."),
        TextDelta("Let me look."),
        ToolCallDelta("get_weather", ""),
        ToolCallDelta(None, '{"city": '),
        ToolCallDelta(None, '"Oslo"}'),
    ]
    read_answer = reader.answer()
    assert read_answer.parts == (
        Thinking("The weather… a tool.", "anthropic", signature="EqQBCg"),
        Thinking("", "anthropic", redacted="EmwKAhgB"),
        Text("Let me look."),
        ToolCall("toolu_01", "get_weather", '{"city": "Oslo"}'),
    )
    assert read_answer.finish_reason == "tool_calls"
    assert read_answer.usage == Usage(
        input_tokens=1_225,
        output_tokens=89,
        cache_read_input_tokens=1_000,
        cache_write_input_tokens=200,
        reasoning_output_tokens=40,
    )


def test_what_is_kept_in_the_cache_for_an_hour_is_counted_apart() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    }
    reader = ANTHROPIC.reader()
    content = [{"type": "text", "text": "hello"}]
    reader.read_whole({"content": content, "stop_reason": "end_turn", "usage": usage})
    assert reader.answer().usage == Usage(
        *(310, 5), cache_write_input_tokens=300, cache_write_1h_input_tokens=200
    )


def test_thinking_whose_text_is_withheld_keeps_its_signature() -> None:
    records = [
        begin(),
        start(0, type="thinking", thinking="", signature=""),
        delta(0, "signature_delta", signature="abc"),
        stop(0),
    ]
    events, reader = read(records)
    assert events == []
    assert reader.answer().parts == (Thinking("", "anthropic", signature="abc"),)


def test_blocks_may_come_interleaved() -> None:
    records = [
        start(1, type="tool_use", id="b", name="two", input={}),
        start(0, type="tool_use", id="a", name="one", input={}),
        delta(1, "input_json_delta", partial_json='{"x":'),
        delta(0, "input_json_delta", partial_json='{"y":1}'),
        delta(1, "input_json_delta", partial_json="2}"),
    ]
    assert answer(records).parts == (
        ToolCall("a", "one", '{"y":1}'),
        ToolCall("b", "two", '{"x":2}'),
    )


def test_a_call_without_arguments_has_an_empty_object() -> None:
    assert answer([start(0, type="tool_use", id="a", name="now", input={})]).parts == (
        ToolCall("a", "now", "{}"),
    )


def test_tools_that_the_server_runs_and_citations_are_passed_over() -> None:
    found = [{"type": "web_search_result", "url": "https://x.test", "title": "X"}]
    records = [
        begin(),
        start(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"query":"oslo"}'),
        stop(0),
        start(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=found),
        stop(1),
        start(2, type="text", text="", citations=[]),
        delta(2, "citations_delta", citation={"type": "web_search_result_location"}),
        delta(2, "text_delta", text="4 degrees"),
        stop(2),
        {"type": "something_new", "content": 1},
        *end("end_turn", output_tokens=5, server_tool_use={"web_search_requests": 1}),
    ]
    events, reader = read(records)
    assert events == [TextDelta("4 degrees")]
    assert reader.answer().parts == (Text("4 degrees"),)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "something_new"),
        ("content_filtered", "content_filter"),
    ],
)
def test_the_reason_to_stop_is_told_in_openai_s_words(reason: str, finish: str) -> None:
    got = answer(end(reason, output_tokens=1))
    assert (got.finish_reason, got.finish_reasons) == (finish, (reason,))


def test_calls_may_share_an_index_and_have_no_ids() -> None:
    records = [
        begin(),
        start(0, type="tool_use", name="f", input={}),
        delta(0, "input_json_delta", partial_json='{"x": 1}'),
        start(0, type="tool_use", name="f", input={"x": 2}),
        *end("tool_use", output_tokens=1),
    ]
    _, reader = read(records)
    assert reader.answer().tool_calls == (
        ToolCall("call_0", "f", '{"x": 1}'),
        ToolCall("call_1", "f", '{"x":2}'),
    )


def test_a_whole_message_may_stand_in_a_stream() -> None:
    message = {
        "type": "message",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": "3", "output_tokens": 2**63},
    }
    events, reader = read([message])
    assert events == [TextDelta("hello")]
    assert (reader.is_finished, reader.answer().usage) == (True, Usage(3))
    assert len(reader.answer().notes) == 1


def test_counts_only_grow() -> None:
    """Some servers count the input first at the end, others give zeros there."""
    late = [begin(input_tokens=0), *end("end_turn", input_tokens=30, output_tokens=5)]
    assert answer(late).usage == Usage(input_tokens=30, output_tokens=5)
    zeros = [begin(), *end("end_turn", input_tokens=0, output_tokens=5)]
    assert answer(zeros).usage == Usage(input_tokens=25, output_tokens=5)


def test_an_input_of_no_tokens_is_unknown() -> None:
    nothing = [begin(input_tokens=0), *end("end_turn", output_tokens=5)]
    assert answer(nothing).usage == Usage(output_tokens=5)


def test_without_usage_nothing_is_known() -> None:
    assert answer([start(0, type="text", text="hi")]).usage is None


def test_a_piece_whose_type_is_no_text_is_passed_over() -> None:
    strange: dict[str, Any] = {"type": [None], "text": "?"}
    piece = {"type": "content_block_delta", "index": 0, "delta": strange}
    assert answer([*PLAIN[:-1], piece, PLAIN[-1]]) == answer(PLAIN)


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "stream_error"),
        ("timeout_error", "stream_error"),
        ("something_new", "stream_error"),
    ],
)
def test_an_error_in_the_stream_is_told_by_its_kind(kind: str, error_type: str) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "Oops"}}
    with pytest.raises(CallFailed) as caught:
        read([*PLAIN[:4], error])
    assert caught.value.error_type == error_type
    assert caught.value.status is None


@pytest.mark.parametrize(
    "record",
    [
        "text",
        [],
        {},
        {"choices": []},
        {"type": {"type": None}},
        {"type": []},
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
    ],
)
def test_a_record_of_another_api_is_no_answer(record: Any) -> None:
    with pytest.raises(CallFailed) as caught:
        list(ANTHROPIC.reader().feed(record))
    assert caught.value.error_type == "invalid_response"


WHOLE = {
    "id": "msg_2",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Look:"},
        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"city": "Århus"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 7},
}


def test_a_whole_answer_is_read_as_a_stream_is() -> None:
    reader = ANTHROPIC.reader()
    reader.read_whole(WHOLE)
    assert reader.is_finished
    assert reader.answer() == Answer(
        parts=(
            Thinking("Hm.", "anthropic", signature="s"),
            Text("Look:"),
            ToolCall("toolu_2", "get_weather", '{"city":"Århus"}'),
        ),
        finish_reason="tool_calls",
        finish_reasons=("tool_use",),
        usage=Usage(input_tokens=15, output_tokens=7, cache_read_input_tokens=5),
        response_id="msg_2",
        response_model="claude-sonnet-4-5",
    )


def test_a_whole_answer_without_a_reason_to_stop_is_not_finished() -> None:
    reader = ANTHROPIC.reader()
    reader.read_whole(WHOLE | {"stop_reason": None})
    assert not reader.is_finished


@pytest.mark.parametrize("document", ["<html>", None, {"content": "x"}, {"content": ["x"]}])
def test_a_whole_document_of_another_kind_is_no_answer(document: Any) -> None:
    with pytest.raises(CallFailed) as caught:
        ANTHROPIC.reader().read_whole(document)
    assert caught.value.error_type == "invalid_response"


@pytest.mark.parametrize("pieces", [["<think>hm", "</thi", "nk>", "Yes"], ["hm\n</think>\n\nYes"]])
def test_thinking_within_the_text_is_no_part_of_the_answer(pieces: list[str]) -> None:
    given = [delta(0, "text_delta", text=piece) for piece in pieces]
    call = start(1, type="tool_use", id="t", name="f", input={"a": 1})
    found = answer([begin(), start(0, type="text", text=""), *given, call, *end("tool_use")])
    thought, said, called = found.parts
    assert isinstance(thought, Thinking)
    assert (thought.text.strip(), thought.origin) == ("hm", "content")
    assert said == Text("Yes")
    assert called == ToolCall("t", "f", '{"a":1}')


def test_an_answer_that_speaks_of_thinking_tags_is_left_as_it_is() -> None:
    said = "Models write `<think>` and then `</think>`."
    given = [start(0, type="text", text=""), delta(0, "text_delta", text=said)]
    assert answer([begin(), *given, *end("end_turn")]).parts == (Text(said),)
