"""Usage, repetitions and ends of an answer are read as servers other than OpenAI's tell them."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import Text, TextDelta, Thinking, ToolCall, Usage
from rolecall.registry.core.errors import CallFailed
from tests.providers.openai.test_response import chunk, piece, read


def told(**usage: Any) -> dict[str, Any]:
    return {"prompt_tokens": 100, "completion_tokens": 50, **usage}


@pytest.mark.parametrize(
    "records",
    [
        # Moonshot's place for it, and Groq's.
        [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": told()}]}],
        [chunk(finish="stop", x_groq={"usage": told()}), chunk(usage=None)],
        # Counted up with every chunk, and forgotten in the last.
        [
            chunk({"content": "a"}, usage=told(completion_tokens=1)),
            chunk({"content": "b"}, usage=told()),
            chunk(finish="stop", usage={"prompt_tokens": 0, "completion_tokens": 0}),
        ],
        [chunk(usage=told()), chunk(finish="stop", usage=told(completion_tokens=None))],
        # As texts and fractions, and under Anthropic's names.
        [chunk(finish="stop", usage={"prompt_tokens": "100", "completion_tokens": 50.0})],
        [chunk(finish="stop", usage={"input_tokens": 100, "output_tokens": 50})],
    ],
)
def test_usage_is_found_wherever_it_is_told(records: list[Any]) -> None:
    reader, _ = read(*records)
    assert reader.answer().usage == Usage(100, 50)
    assert reader.answer().notes == ()


def test_deepseeks_cached_tokens_are_counted() -> None:
    reader, _ = read(chunk(usage=told(prompt_cache_hit_tokens=80, prompt_cache_miss_tokens=20)))
    assert reader.answer().usage == Usage(100, 50, cache_read_input_tokens=80)


@pytest.mark.parametrize("count", [-1, 2**63, 1e300, "-5", float("inf")])
def test_a_number_of_tokens_that_cannot_be_is_unknown_and_noted(count: Any) -> None:
    reader, _ = read(chunk(usage=told(completion_tokens=count)))
    assert reader.answer().usage == Usage(100, None)
    assert reader.answer().notes == (
        "the server told a number of tokens that cannot be: it is not counted",
    )


def test_a_time_among_the_counts_is_no_number_of_tokens() -> None:
    reader, _ = read(chunk(usage=told(queue_time=-0.5)))
    assert reader.answer().notes == ()


def message(content: str, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **fields}
    return {"choices": [{"index": 0, "message": said, "finish_reason": finish}]}


@pytest.mark.parametrize(
    "last",
    [
        message("ha ha", "stop"),
        message("ha ha"),
        chunk({"content": "ha ha"}, "stop"),
        {**chunk({}, "stop"), "object": "chat.completion.chunk"},
    ],
)
def test_a_message_that_comes_once_more_at_the_end_is_read_once(last: Any) -> None:
    reader, _ = read(chunk({"content": "ha"}), chunk({"content": " ha"}), last)
    assert reader.answer().text == "ha ha"


def test_a_message_that_thinks_between_tags_is_read_once_too() -> None:
    said = ("<think>hm</think>", "\nyes")
    reader, _ = read(
        *(chunk({"content": one}) for one in said), chunk({"content": "".join(said)}, "stop")
    )
    assert reader.answer().parts == (Thinking("hm", "content"), Text("yes"))


def test_a_repeated_message_repeats_no_calls() -> None:
    call = piece("f", "{}", id="a", index=0)
    once_more = message("", "tool_calls", tool_calls=[piece("f", "{}", id="a")])
    reader, _ = read(chunk({"tool_calls": [call]}), once_more)
    assert reader.answer().tool_calls == (ToolCall("a", "f", "{}"),)
    assert reader.answer().finish_reason == "tool_calls"


def test_pieces_may_stand_where_a_message_would() -> None:
    reader, events = read(message("ha"), message("ha"), message("!", "stop"))
    assert events == [TextDelta("ha"), TextDelta("ha"), TextDelta("!")]
    assert reader.is_finished


def test_an_unknown_reason_to_end_is_kept_and_a_filter_is_told_by_any_name() -> None:
    reader, _ = read(chunk({"content": "x"}), chunk(finish="repetition_truncation"))
    assert reader.answer().finish_reason == "repetition_truncation"
    reader, _ = read(chunk({"content": "x"}), chunk(finish="content_filter: RECITATION"))
    assert reader.answer().finish_reason == "content_filter"


@pytest.mark.parametrize("reason", ["abort", "aborted", "cancelled", "timeout"])
def test_an_answer_that_the_server_gave_up_is_not_a_whole_one(reason: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read(chunk({"content": "half of"}), chunk(finish=reason))
    assert caught.value.error_type == "stream_error"
    assert reason in caught.value.message


def test_arguments_that_begin_with_an_empty_object_are_those_that_follow() -> None:
    first = {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}
    pieces = [{"index": 0, "function": {"arguments": one}} for one in ('{"a"', ":1}")]
    reader, _ = read(*(chunk({"tool_calls": [one]}) for one in (first, *pieces)))
    assert reader.answer().tool_calls == (ToolCall("x", "f", '{"a":1}'),)


def test_an_index_may_be_written_as_a_text() -> None:
    choices = [{"index": "0", "message": {"content": "Hi"}, "finish_reason": "stop"}]
    assert read({"choices": choices})[0].answer().text == "Hi"
