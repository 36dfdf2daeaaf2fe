"""Ollama is spoken to in its own terms, and given the window that a request needs."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import (
    Media,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.ollama.request import OLLAMA
from rolecall.registry.providers.ollama.response import OllamaReader
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from tests.providers.chats import WEATHER, chat, target, turn

IMAGE = Media("image", "image/png", "QUJD")
DONE = {
    **{"model": "m", "message": {"role": "assistant", "content": ""}, "done": True},
    **{"done_reason": "stop", "load_duration": 2_500_000_000, "prompt_eval_count": 11},
    **{"eval_count": 7, "prompt_eval_cached_count": 4, "total_duration": 9},
}


def served(base_url: str = "http://localhost:11434", **fields: Any) -> Target:
    return target(base_url, api="ollama", key=None, **fields)


def body(asked: Any = None, *, stream: bool = True, **fields: Any) -> dict[str, Any]:
    place = served(**fields)
    sent = sent_chat(place, asked or chat()).chat
    return dict(OLLAMA.build(place, sent, stream=stream).body)


def line(content: str = "", **message: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": content, **message}}


def test_a_plain_chat_is_a_plain_request() -> None:
    request = OLLAMA.build(
        served(), chat(turn("system", "be brief"), turn("user", "hi")), stream=True
    )
    assert (request.url, request.headers) == ("http://localhost:11434/api/chat", {})
    assert request.body == {
        "model": "remote",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hi"},
        ],
        "stream": True,
    }


def test_not_to_stream_must_be_said() -> None:
    assert body(stream=False)["stream"] is False


def test_a_base_url_with_the_api_path_is_taken_as_meant() -> None:
    request = OLLAMA.build(served("http://localhost:11434/api/"), chat(), stream=True)
    assert request.url == "http://localhost:11434/api/chat"


def test_a_key_goes_as_a_bearer() -> None:
    request = OLLAMA.build(target(api="ollama", key="sesame"), chat(), stream=True)
    assert request.headers == {"authorization": "Bearer sesame"}


def test_options_go_under_ollamas_names() -> None:
    options = {"temperature": 0, "top_k": 5, "min_p": 0.1, "seed": 3, "stop": ["x"]}
    options |= {"presence_penalty": 1, "frequency_penalty": 1, "repeat_penalty": 1.1, "top_p": 1}
    sent = body(chat(options={**options, "user": "u", "tool_choice": "auto"}, max_tokens=50))
    assert sent["options"] == {**options, "num_predict": 50}
    assert not {"user", "tool_choice"} & set(sent)


@pytest.mark.parametrize(
    ("options", "think"),
    [
        ({"reasoning_effort": "low"}, "low"),
        ({"reasoning_effort": "minimal"}, "low"),
        ({"reasoning_effort": "xhigh"}, "high"),
        ({"reasoning_effort": "none"}, False),
        ({"thinking_budget": 0}, False),
        ({"thinking_budget": 900}, True),
        ({"thinking_budget": 900, "reasoning_effort": "medium"}, "medium"),
    ],
)
def test_thinking_is_asked_for_or_off(options: dict[str, Any], think: Any) -> None:
    assert body(chat(options=options))["think"] == think


def test_thinking_that_nobody_asked_for_is_not_mentioned() -> None:
    assert "think" not in body(chat(options={"temperature": 1}))
    refused = ("reasoning_effort",)
    asked = chat(options={"reasoning_effort": "low"})
    assert "think" not in body(asked, unsupported_parameters=refused)


def test_json_and_schemas_are_formats() -> None:
    assert body(chat(schema={}))["format"] == "json"
    assert body(chat(schema={"type": "object"}))["format"] == {"type": "object"}


def test_a_history_with_tools_is_told_in_full() -> None:
    call = ToolCall("call_0", "weather", '{"city": "Bern"}')
    asked = chat(
        turn("user", "weather?", IMAGE),
        turn("assistant", Thinking("hm", "ollama"), Thinking("no", "anthropic"), "so", call),
        turn("tool", ToolResult("call_0", (Text("sun"), IMAGE))),
        turn("tool", ToolResult("other", (Text("bad"),), name="given", is_error=True)),
        tools=(WEATHER,),
    )
    sent = body(asked)
    assert sent["messages"] == [
        {"role": "user", "content": "weather?", "images": ["QUJD"]},
        {
            "role": "assistant",
            "content": "so",
            "thinking": "hm",
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Bern"}}}],
        },
        {"role": "tool", "content": "sun", "tool_name": "weather", "images": ["QUJD"]},
        {"role": "tool", "content": "error: bad", "tool_name": "given"},
    ]
    assert sent["tools"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize(
    ("written", "sent"), [("[1]", {"arguments": [1]}), ("{bad", {"arguments": "{bad"})]
)
def test_arguments_that_are_no_object_are_wrapped_in_one(written: str, sent: Any) -> None:
    message = body(chat(turn("assistant", ToolCall("a", "f", written))))["messages"][0]
    assert message["tool_calls"][0]["function"]["arguments"] == sent


@pytest.mark.parametrize(
    "media",
    [Media("image", url="https://a.example/x.png"), Media("pdf", "application/pdf", "QQ==")],
)
def test_an_attachment_that_would_be_lost_fails_the_call(media: Media) -> None:
    with pytest.raises(CallFailed, match=r"takes no (image by URL|pdf)") as caught:
        body(chat(turn("user", media)))
    assert caught.value.error_type == "parameter_unsupported"


def window(asked: Any, **fields: Any) -> Any:
    return body(asked, **fields).get("options", {}).get("num_ctx")


def test_a_small_request_leaves_the_window_alone() -> None:
    assert window(chat(turn("user", "word " * 2_000))) is None


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        (chat(turn("user", "word " * 5_000)), 8_192),
        (chat(turn("user", "ü" * 12_000)), 16_384),
        (chat(turn("user", "hi"), max_tokens=20_000), 32_768),
        (chat(turn("user", *[IMAGE] * 4)), 8_192),
        (chat(turn("user", "hi"), schema={"enum": ["word " * 5_000]}), 8_192),
        (chat(turn("assistant", ToolCall("a", "f", f'{{"x": "{"word " * 5_000}"}}'))), 8_192),
    ],
)
def test_a_large_request_asks_for_a_window_that_holds_it(asked: Any, tokens: int) -> None:
    assert window(asked) == tokens


def test_no_window_is_larger_than_the_endpoints_or_the_models() -> None:
    asked = chat(turn("user", "word " * 40_000))
    assert window(asked) == 65_536
    assert window(asked, model_context_tokens=50_000) == 50_000
    assert window(asked, context_tokens=40_000, model_context_tokens=50_000) == 40_000


def test_an_answer_is_read_line_by_line() -> None:
    reader = OllamaReader()
    records = [line(thinking="h"), line(thinking="m"), line("he"), line("llo"), DONE]
    events = [event for record in records for event in reader.feed(record)]
    assert events == [ThinkingDelta("h"), ThinkingDelta("m"), TextDelta("he"), TextDelta("llo")]
    answer = reader.answer()
    assert answer.parts == (Thinking("hm", "ollama"), Text("hello"))
    assert (answer.finish_reason, answer.finish_reasons) == ("stop", ("stop",))
    assert answer.usage == Usage(11, 7, 4)
    assert (answer.response_model, answer.load_duration_s) == ("m", 2.5)


def test_calls_are_numbered() -> None:
    reader = OllamaReader()
    told = [{"function": {"name": "f", "arguments": {"x": 1}}}, {"function": {"name": "g"}}]
    assert list(reader.feed(line(tool_calls=told))) == [
        ToolCallDelta("f", '{"x": 1}'),
        ToolCallDelta("g", "{}"),
    ]
    list(reader.feed(DONE))
    assert reader.answer().tool_calls == (
        ToolCall("call_0", "f", '{"x": 1}'),
        ToolCall("call_1", "g", "{}"),
    )
    assert reader.answer().finish_reason == "tool_calls"


def test_arguments_may_be_text() -> None:
    reader = OllamaReader()
    told = {"function": {"name": "f", "arguments": '{"x": 1}'}}
    list(reader.feed(line(tool_calls=[told])))
    assert reader.answer().tool_calls == (ToolCall("call_0", "f", '{"x": 1}'),)


def test_a_last_line_that_says_it_all_again_is_read_once() -> None:
    reader = OllamaReader()
    for record in (line("ha"), line(" ha"), {**line("ha ha"), "done": True}):
        list(reader.feed(record))
    assert reader.answer().text == "ha ha"


def test_a_reason_to_end_that_is_unknown_is_kept() -> None:
    reader = OllamaReader()
    list(reader.feed({**line("x"), "done": True, "done_reason": "unload"}))
    assert reader.answer().finish_reason == "unload"


def test_counts_that_cannot_be_are_unknown_and_noted() -> None:
    reader = OllamaReader()
    list(reader.feed({**line("x"), "done": True, "eval_count": -3, "prompt_eval_count": 5}))
    assert reader.answer().usage == Usage(5, None)
    assert len(reader.answer().notes) == 1


def test_only_done_ends_an_answer() -> None:
    reader = OllamaReader()
    list(reader.feed({**line("x"), "done": False}))
    assert not reader.is_finished
    assert reader.answer().finish_reason is None
    list(reader.feed({**DONE, "done_reason": "length"}))
    assert reader.is_finished
    assert reader.answer().finish_reason == "length"


def test_counts_that_are_missing_are_unknown() -> None:
    reader = OllamaReader()
    list(reader.feed({"done": True, "eval_count": 7}))
    assert reader.answer().usage == Usage(None, 7)
    bare = OllamaReader()
    list(bare.feed({"done": True}))
    assert (bare.answer().usage, bare.answer().load_duration_s) == (None, None)


def test_a_whole_answer_is_one_line() -> None:
    reader = OllamaReader()
    reader.read_whole({**DONE, **line("hello")})
    assert (reader.answer().text, reader.is_finished) == ("hello", True)


@pytest.mark.parametrize("document", [{"done": True}, [], "x", None])
def test_what_is_no_answer_is_an_invalid_response(document: Any) -> None:
    with pytest.raises(CallFailed) as caught:
        OllamaReader().read_whole(document)
    assert caught.value.error_type == "invalid_response"


def test_an_error_line_fails_the_answer() -> None:
    with pytest.raises(CallFailed, match="error in the answer: out of memory") as caught:
        list(OllamaReader().feed({"error": "out of memory"}))
    assert caught.value.error_type == "stream_error"


@pytest.mark.parametrize(
    ("status", "said", "error_type", "parameter"),
    [
        (404, "model 'x' not found", "not_found", None),
        (400, '"x" does not support tools', "parameter_unsupported", "tools"),
        (400, '"x" does not support thinking', "parameter_unsupported", "reasoning_effort"),
        (503, "server busy, please try again", "overloaded", None),
        (500, "llama runner process has terminated", "server_error", None),
    ],
)
def test_refusals_are_read(status: int, said: str, error_type: str, parameter: Any) -> None:
    failure = OLLAMA.failure(status, {"error": said})
    assert (failure.error_type, failure.parameter) == (error_type, parameter)
