"""Chat completions are read in all the dialects that servers speak."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.chat import (
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
from rolecall.registry.providers.openai.response import OpenAIReader


def chunk(delta: Any = None, finish: Any = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **fields}


def read(*records: Any) -> tuple[OpenAIReader, list[Event]]:
    reader = OpenAIReader()
    return reader, [event for record in records for event in reader.feed(record)]


def calls(*deltas: Any) -> tuple[ToolCall, ...]:
    reader, _ = read(*(chunk({"tool_calls": [delta]}) for delta in deltas))
    return reader.answer().tool_calls


def fails(*records: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        read(*records)
    return caught.value


def test_text_comes_piece_by_piece_and_as_a_whole() -> None:
    reader, events = read(
        chunk({"role": "assistant", "content": ""}, id="a", model="m-1"),
        chunk({"content": "he"}, id="a", model="m-1"),
        chunk({"content": "llo"}),
        chunk(finish="stop"),
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    assert events == [TextDelta("he"), TextDelta("llo")]
    answer = reader.answer()
    assert (answer.text, answer.finish_reason, answer.finish_reasons) == (
        "hello",
        "stop",
        ("stop",),
    )
    assert (answer.response_id, answer.response_model) == ("a", "m-1")
    assert answer.usage == Usage(3, 2)
    assert reader.is_finished


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"content": None, "tool_calls": None}}]},
        {"choices": [{"index": 1, "delta": {"content": "of another choice"}}]},
        {"usage": None},
        chunk(finish=""),
        chunk(finish="null"),
    ],
)
def test_a_chunk_that_says_nothing_is_no_event_and_no_end(record: Any) -> None:
    reader, events = read(record)
    assert (events, reader.is_finished, reader.answer().finish_reason) == ([], False, None)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_is_kept_apart_with_the_field_it_came_in(field: str) -> None:
    reader, events = read(chunk({field: "h"}), chunk({field: "m"}), chunk({"content": "yes"}))
    assert events == [ThinkingDelta("h"), ThinkingDelta("m"), TextDelta("yes")]
    assert reader.answer().parts == (Thinking("hm", field), Text("yes"))


def test_thinking_in_both_fields_is_read_once() -> None:
    reader, _ = read(chunk({"reasoning_content": "hm", "reasoning": "hm"}))
    assert reader.answer().parts == (Thinking("hm", "reasoning_content"),)


def test_content_in_parts_is_read() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    reader, _ = read(chunk({"content": [thought, {"type": "text", "text": "yes"}]}))
    assert reader.answer().parts == (Thinking("hm", "content"), Text("yes"))


def test_a_refusal_is_a_filtered_answer_that_is_not_streamed() -> None:
    reader, events = read(
        chunk({"refusal": "I "}), chunk({"refusal": "won't"}), chunk(finish="stop")
    )
    assert events == []
    assert reader.answer().parts == (Text("I won't"),)
    assert reader.answer().finish_reason == "content_filter"


def test_a_call_comes_in_fragments() -> None:
    reader, events = read(
        chunk(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": ": 1}"}}]}),
        chunk(finish="stop"),
    )
    assert events == [
        ToolCallDelta("f", ""),
        ToolCallDelta(None, '{"x"'),
        ToolCallDelta(None, ": 1}"),
    ]
    assert reader.answer().tool_calls == (ToolCall("a", "f", '{"x": 1}'),)
    assert reader.answer().finish_reason == "tool_calls"


def piece(name: str | None, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **fields}


TWICE = (("call_0", "f", '{"x": 1}'), ("call_1", "f", '{"x": 1}'))


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        # Interleaved by index.
        (
            [piece("f", "1", index=0), piece("g", "2", index=1), piece(None, "3", index=0)],
            [("call_0", "f", "13"), ("call_1", "g", "2")],
        ),
        # The id and the name are repeated with every piece.
        (
            [piece("f", "1", index=0, id="a"), piece("f", "2", index=0, id="a")],
            [("a", "f", "12")],
        ),
        # Whole calls that all have the index 0.
        (
            [piece("f", "1", index=0, id="a"), piece("f", "2", index=0, id="b")],
            [("a", "f", "1"), ("b", "f", "2")],
        ),
        # Whole calls without an index, with and without ids.
        ([piece("f", "1", id="a"), piece("g", "2", id="b")], [("a", "f", "1"), ("b", "g", "2")]),
        ([piece("f", "1"), piece("g", "2")], [("call_0", "f", "1"), ("call_1", "g", "2")]),
        # Whole calls that all have the index 0 and no ids, of one tool and of two.
        (
            [piece("f", '{"x": 1}', index=0), piece("f", '{"x": 2}', index=0)],
            [("call_0", "f", '{"x": 1}'), ("call_1", "f", '{"x": 2}')],
        ),
        (
            [piece("f", "", index=0), piece("g", "{}", index=0)],
            [("call_0", "f", "{}"), ("call_1", "g", "{}")],
        ),
        ([piece("f", {"x": 1}), piece("f", {"x": 1})], [*TWICE]),
        # The name is repeated with every fragment, without an id.
        (
            [piece("f", '{"x"', index=0), piece("f", ": 1}", index=0)],
            [("call_0", "f", '{"x": 1}')],
        ),
        # The id comes with the first piece alone.
        (
            [piece("f", '{"x"', index=0, id="a"), piece(None, ": 1}", index=0)],
            [("a", "f", '{"x": 1}')],
        ),
        # Each piece holds all that came before it.
        (
            [piece("f", one, index=0, id="a") for one in ("{", '{"x": ', '{"x": 1}')],
            [("a", "f", '{"x": 1}')],
        ),
        # The whole call comes once more at the end.
        (
            [piece("f", one, index=0, id="a") for one in ('{"x": ', "1}", '{"x": 1}')],
            [("a", "f", '{"x": 1}')],
        ),
        # Fragments without an index.
        ([piece("f", "1", id="a"), piece(None, "2", index=None)], [("a", "f", "12")]),
        # Arguments as an object, as null, and none at all.
        ([piece("f", {"x": "ä"}, index=0)], [("call_0", "f", '{"x": "ä"}')]),
        ([piece("f", None, index=0)], [("call_0", "f", "{}")]),
        ([{"index": 0, "function": {"name": "f"}}], [("call_0", "f", "{}")]),
    ],
)
def test_calls_are_put_together_however_they_come(deltas: Any, expected: Any) -> None:
    assert calls(*deltas) == tuple(ToolCall(*one) for one in expected)


def test_the_older_function_call_is_read() -> None:
    reader, _ = read(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}),
        chunk(finish="function_call"),
    )
    assert reader.answer().tool_calls == (ToolCall("call_0", "f", "{}"),)
    assert reader.answer().finish_reason == "tool_calls"


def test_geminis_thought_signature_is_kept() -> None:
    extra = {"google": {"thought_signature": "sig"}}
    (call,) = calls(piece("f", "{}", index=0, id="a", extra_content=extra))
    assert call.signature == "sig"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("sensitive", "content_filter"),
    ],
)
def test_finish_reasons_are_put_in_openais_words(said: str, meant: str) -> None:
    reader, _ = read(chunk({"content": "x"}, said), chunk(finish=said))
    assert (reader.answer().finish_reason, reader.answer().finish_reasons) == (meant, (said,))


@pytest.mark.parametrize(
    ("record", "error_type"),
    [
        ({"error": {"message": "boom"}}, "stream_error"),
        ({"error": {"message": "x", "code": 429}, **chunk(finish="error")}, "rate_limited"),
        ({"choices": [{"error": {"code": 503, "message": "x"}}]}, "overloaded"),
        ({"object": "error", "message": "busy", "code": 503}, "overloaded"),
        ([{"error": {"code": 503}}], "overloaded"),
        ({"x_groq": {"error": "failed"}}, "stream_error"),
        (chunk(finish="error"), "stream_error"),
        (chunk(finish="insufficient_system_resource"), "overloaded"),
        ("text", "invalid_response"),
        ([], "invalid_response"),
        (None, "invalid_response"),
        ({"choices": {"index": 0}}, "invalid_response"),
    ],
)
def test_an_error_in_place_of_a_chunk_fails(record: Any, error_type: str) -> None:
    assert fails(chunk({"content": "half"}), record).error_type == error_type


def test_what_came_before_an_error_and_with_it_is_kept() -> None:
    reader = OpenAIReader()
    list(reader.feed(chunk({"content": "half"})))
    with pytest.raises(CallFailed):
        list(reader.feed({"error": "boom", "usage": {"prompt_tokens": 7}}))
    assert (reader.answer().text, reader.answer().usage) == ("half", Usage(7))


def test_a_whole_answer_is_read_like_its_stream() -> None:
    message = {"content": "yes", "reasoning": "hm", "tool_calls": [piece("f", "{}", id="a")]}
    reader = OpenAIReader()
    reader.read_whole(
        {
            "id": "i",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }
    )
    answer = reader.answer()
    assert answer.parts == (Thinking("hm", "reasoning"), Text("yes"), ToolCall("a", "f", "{}"))
    assert (answer.finish_reason, answer.usage, answer.response_id) == (
        "tool_calls",
        Usage(1, 2),
        "i",
    )


@pytest.mark.parametrize("document", [{}, {"choices": []}, {"choices": [1]}, [], "x", None])
def test_a_whole_answer_needs_a_choice(document: Any) -> None:
    with pytest.raises(CallFailed) as caught:
        OpenAIReader().read_whole(document)
    assert caught.value.error_type == "invalid_response"


names = st.sampled_from(
    [
        *("choices", "delta", "index", "content", "tool_calls", "function", "id", "usage"),
        *("finish_reason", "arguments", "name", "reasoning", "prompt_tokens", "error", "message"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=25)
@given(st.lists(json_values, max_size=4))
def test_no_record_however_odd_breaks_the_reading(records: list[Any]) -> None:
    reader = OpenAIReader()
    try:
        for record in records:
            list(reader.feed(json.loads(json.dumps(record))))
    except CallFailed:
        pass
    reader.answer()
