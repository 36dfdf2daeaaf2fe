"""Messages in the shapes that servers, and `ask --json` itself, give them in."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.registry.calls.answer_json import describe_answer
from rolecall.registry.calls.events import Answered
from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.chat import (
    Answer,
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from rolecall.registry.core.errors import InvalidPrompt
from tests.telemetry.calls import call

HI = {"role": "user", "content": "hi"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(20)).decode()
CALLED = ToolCall("call_7", "weather", '{"city":"Oslo"}')


def turns(*messages: Any) -> tuple[Turn, ...]:
    return parse_chat({"messages": [HI, *messages]}, name="x").turns[1:]


def parts(message: Any) -> tuple[Part, ...]:
    [turn] = turns(message)
    return turn.parts


def refusal(message: Any) -> str:
    with pytest.raises(InvalidPrompt) as caught:
        turns(message)
    return caught.value.message


def answered(*said: Any) -> dict[str, Any]:
    """What `ask --json` printed of an answer."""
    decision: Any = SimpleNamespace(id="d", chosen="place/model", notes=())
    result = Answered(decision, Answer(said), call(0), "c", (), ())
    plain: dict[str, Any] = json.loads(json.dumps(describe_answer(result)))
    return plain


def test_the_tool_calls_that_ask_printed_are_read_back() -> None:
    printed = answered(Text("let me see"), CALLED)
    said = {
        "role": "assistant",
        "content": printed["answer"],
        "tool_calls": printed["tool_calls"],
    }
    result = {"role": "tool", "tool_call_id": "call_7", "content": "4 C"}
    assert turns(said, result) == (
        Turn("assistant", (Text("let me see"), CALLED)),
        Turn("tool", (ToolResult("call_7", (Text("4 C"),), "weather"),)),
    )


def test_all_that_ask_printed_is_a_message_of_the_assistant() -> None:
    printed = answered(Thinking("hm", "anthropic", signature="s"), Text("so"), CALLED)
    assert parts(printed) == (Thinking("hm", "reasoning_content"), Text("so"), CALLED)
    assert parts(answered(Text("so"))) == (Text("so"),)
    assert parts({"role": "assistant", **printed})[1:] == (Text("so"), CALLED)
    assert parse_chat([HI, printed], name="x").notes == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "chat.completion", "choices": [{"index": 0, "message": "MESSAGE"}]},
        {"index": 0, "message": "MESSAGE", "finish_reason": "stop"},
        {"model": "m", "message": "MESSAGE", "done": True},
        "MESSAGE",
    ],
)
def test_a_servers_whole_answer_is_its_message(answer: Any) -> None:
    function = {"name": "weather", "arguments": '{"city":"Oslo"}'}
    message = {
        **{"role": "assistant", "content": None, "refusal": None},
        "tool_calls": [{"id": "call_7", "type": "function", "function": function}],
    }
    given = json.loads(json.dumps(answer).replace('"MESSAGE"', json.dumps(message)))
    assert parts(given) == (CALLED,)


RESPONSE = (
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
    {
        **{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"},
        "content": [{"type": "output_text", "text": "let me see", "annotations": []}],
    },
    {
        **{"type": "function_call", "id": "fc_1", "call_id": "call_7", "name": "weather"},
        "arguments": '{"city":"Oslo"}',
    },
)


def test_the_items_of_a_response_are_one_answer() -> None:
    output = {"type": "function_call_output", "call_id": "call_7", "output": "4 C"}
    wanted = (
        Turn("assistant", (Thinking("hm", "reasoning"), Text("let me see"), CALLED)),
        Turn("tool", (ToolResult("call_7", (Text("4 C"),), "weather"),)),
    )
    assert turns(*RESPONSE, output) == wanted
    assert turns({"object": "response", "output": [*RESPONSE]}, output) == wanted
    assert parse_chat([HI, *RESPONSE, output], name="x").notes == ()


def test_answers_that_are_no_items_stay_apart() -> None:
    said = {"role": "assistant", "content": "a"}
    assert turns(said, said) == (Turn("assistant", (Text("a"),)),) * 2


def test_an_item_without_its_name_is_refused_with_its_place() -> None:
    broken = {"object": "response", "output": [{"type": "function_call", "call_id": "1"}]}
    assert refusal(broken) == "x: messages[1].output[0].name: expected a string"


def test_an_answer_of_anthropics_is_its_message() -> None:
    answer = {
        **{"id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "tool_use"},
        "content": [
            {"type": "text", "text": "let me see"},
            {"type": "tool_use", "id": "call_7", "name": "weather", "input": {"city": "Oslo"}},
        ],
    }
    assert parts(answer) == (Text("let me see"), CALLED)


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "weather", "arguments": {"city": "Oslo"}}},
        {"id": "call_0", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}},
        {"id": "call_0", "name": "weather", "arguments": {"city": "Oslo"}},
        {"id": "call_0", "name": "weather", "args": {"city": "Oslo"}},
        {"id": "call_0", "type": "tool_use", "name": "weather", "input": {"city": "Oslo"}},
    ],
)
def test_a_call_is_the_same_in_every_shape(call: dict[str, Any]) -> None:
    [found] = parts({"role": "assistant", "content": "", "tool_calls": [call]})
    assert found == ToolCall("call_0", "weather", '{"city":"Oslo"}')


def test_images_beside_the_text_are_attached_by_what_their_bytes_say() -> None:
    found = parts({"role": "user", "content": "look", "images": [PNG, JPEG]})
    assert found == (
        Text("look"),
        Media("image", "image/png", PNG),
        Media("image", "image/jpeg", JPEG),
    )
    shown = {"role": "tool", "tool_name": "camera", "tool_call_id": "1", "images": [PNG]}
    [result] = parts(shown)
    assert result == ToolResult("1", (Media("image", "image/png", PNG),), "camera")
    request = request_of(parse_chat([{"role": "user", "content": "", "images": [PNG]}], name="x"))
    assert request.messages[0].attachments == ("image",)


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        (PNG, "images: expected a list, found a string"),
        ([3], "images[0]: expected base64, found a number"),
        (["./photo.png"], "images[0].source: the data is not base64"),
        ([""], "images[0]: expected an image as base64"),
    ],
)
def test_images_that_are_none_are_refused_by_name(images: Any, problem: str) -> None:
    assert refusal({**HI, "images": images}) == f"x: messages[1].{problem}"


def test_what_ollama_thought_is_thinking() -> None:
    message = {"role": "assistant", "content": "so", "thinking": "hm"}
    assert parts(message) == (Thinking("hm", "ollama"), Text("so"))


def test_a_participant_has_a_name_and_a_tools_name_is_its_tools() -> None:
    assert turns({"role": "user", "name": "ann", "content": "hi"}) == (
        Turn("user", (Text("hi"),), "ann"),
    )
    [turn] = turns({"role": "function", "name": "f", "tool_call_id": "1", "content": "x"})
    assert turn == Turn("tool", (ToolResult("1", (Text("x"),), "f"),))


def test_odd_messages_of_the_first_days_are_read() -> None:
    found = turns(
        {"role": "developer", "content": "be brief"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "4"},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": None},
    )
    assert found == (
        Turn("system", (Text("be brief"),)),
        Turn("assistant", (ToolCall("call_0", "f", "{}"),)),
        Turn("tool", (ToolResult("call_0", (Text("4"),), "f"),)),
        Turn("assistant", (Text("no"),)),
        Turn("assistant", (Text("no"),)),
        Turn("user", ()),
    )


def test_a_tools_content_may_be_parts() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    [result] = parts({"role": "tool", "tool_call_id": "1", "content": content})
    assert result == ToolResult("1", (Text("a"), Text("b")))


MARK = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "text", "text": "a", **MARK}]},
        {"role": "user", "content": "a", **MARK},
        {"role": "system", "content": "a", **MARK},
        {"role": "user", "content": [{"type": "image", "source": {"data": PNG}, **MARK}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", **MARK}]},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "f", **MARK}]},
        {"role": "tool", "tool_call_id": "1", "content": "x", **MARK},
    ],
)
def test_a_mark_of_what_is_to_be_cached_stays_with_its_block(message: dict[str, Any]) -> None:
    [part] = parts(message)
    assert not isinstance(part, Thinking)
    assert part.extra == MARK


def test_a_document_that_is_to_be_cited_stays_one() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "facts"}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    assert parts({"role": "user", "content": [document]}) == (
        Text("facts", {"citations": {"enabled": True}}),
    )


@pytest.mark.parametrize(
    ("said", "start", "kind"),
    [
        ("image/png", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("image/jpg", b"....", "image/jpeg"),
        ("image/jpeg", b"\x89PNG\r\n", "image/png"),
        ("image/png", b"RIFF....WEBP", "image/webp"),
        ("image/png", b"%PDF-1.7", "application/pdf"),
        ("application/octet-stream", b"GIF89a", "image/gif"),
        ("image/heic", b"....ftypheic", "image/heic"),
        ("", b"\x89PNG\r\n", "image/png"),
        ("text/plain", b"\x89PNG\r\n", "image/png"),
        ("IMAGE/PNG; charset=x", b"....", "image/png"),
    ],
)
def test_the_bytes_say_what_an_attachment_is(said: str, start: bytes, kind: str) -> None:
    data = base64.b64encode(start + bytes(20)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:{said};base64,{data}"}}
    [media] = parts({"role": "user", "content": [part]})
    assert isinstance(media, Media)
    assert (media.mime_type, media.modality) == (kind, "pdf" if "pdf" in kind else "image")
