"""What a message holds: texts, attachments, thoughts."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.chat.attachments import MEDIA_PARTS, refuse_missing_content
from rolecall.registry.chat.messages import CHAT_ROLES
from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.chat import Chat, Media, Part, Text, Thinking, ToolCall, Turn
from rolecall.registry.core.errors import InvalidPrompt

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(20)).decode()


def turns(*messages: Any, **body: Any) -> tuple[Turn, ...]:
    return parse_chat({"messages": list(messages), **body}, name="x").turns


def parts(*content: Any, role: str = "user") -> tuple[Part, ...]:
    return turns({"role": role, "content": list(content)})[-1].parts


def refusal(*messages: Any) -> str:
    with pytest.raises(InvalidPrompt) as caught:
        turns(*messages)
    return caught.value.message


def part_refusal(part: Any, role: str = "user") -> str:
    return refusal({"role": role, "content": [part]}).removeprefix("x: messages[0].content[0]")


def test_the_older_and_newer_names_of_a_role_are_one() -> None:
    found = turns(
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}, "there"]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "well"}]},
        system="be kind",
    )
    assert found == (
        Turn("system", (Text("be kind"),)),
        Turn("system", (Text("be brief"),)),
        Turn("user", (Text("hi"), Text("there"))),
        Turn("assistant", (Text("well"),)),
    )


def test_empty_texts_are_left_out_and_their_turns_kept() -> None:
    found = turns(
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": " a"}]},
        {"role": "assistant", "content": ""},
    )
    assert found == (Turn("user", (Text(" a"),)), Turn("assistant", ()))


@pytest.mark.parametrize(
    ("part", "media"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/a", "detail": "low"}},
            Media("image", url="https://example.org/a", extra={"detail": "low"}),
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            Media("image", "image/png", PNG),
        ),
        (
            {"type": "input_image", "image_url": f"data:image/webp;base64,{PNG}"},
            Media("image", "image/png", PNG),
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
            },
            Media("image", "image/png", PNG),
        ),
        ({"type": "image", "source": {"data": PNG}}, Media("image", "image/png", PNG)),
        (
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
            Media("image", url="https://example.org/a"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            Media("audio", "audio/mpeg", "AAAA"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            Media("audio", "audio/wav", "AAAA"),
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
            Media("video", url="https://example.org/a.mp4"),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            },
            Media("pdf", "application/pdf", PDF, name="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
            Media("pdf", "application/pdf", PDF, name="a.pdf"),
        ),
        (
            {"type": "input_file", "file_url": "https://example.org/a.pdf"},
            Media("pdf", url="https://example.org/a.pdf"),
        ),
        (
            {
                "type": "document",
                "title": "A report",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            },
            Media("pdf", "application/pdf", PDF, name="A report"),
        ),
        (
            {"type": "file", "file": {"file_data": f"data:image/png;base64,{PNG}"}},
            Media("image", "image/png", PNG),
        ),
    ],
)
def test_an_attachment_keeps_its_content(part: dict[str, Any], media: Media) -> None:
    assert parts(part) == (media,)


def test_base64_is_made_whole() -> None:
    wrapped = f"{PNG[:20]}\r\n{PNG[20:].rstrip('=')}\n"
    assert parts({"type": "image", "source": {"data": wrapped}}) == (
        Media("image", "image/png", PNG),
    )


def test_text_files_given_inline_are_text() -> None:
    words = base64.b64encode("\ufeffcafé".encode()).decode()
    blocks = [{"type": "text", "text": "one"}, {"type": "image", "source": {"data": PNG}}]
    found = parts(
        {"type": "file", "file": {"file_data": f"data:text/plain;base64,{words}"}},
        {"type": "document", "source": {"type": "text", "data": "plain"}},
        {"type": "document", "source": {"type": "content", "content": blocks}},
        {"type": "document", "source": {"type": "content", "content": "words"}},
    )
    image = Media("image", "image/png", PNG)
    assert found == (Text("café"), Text("plain"), Text("one"), image, Text("words"))


def test_thoughts_remember_in_which_form_they_came() -> None:
    found = turns(
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "cipher"},
                {"type": "text", "text": "so"},
            ],
        },
        {"role": "assistant", "content": "so", "reasoning_content": "hm", "reasoning": "hm"},
        {"role": "assistant", "content": "so", "reasoning_content": None, "reasoning": "hm"},
    )
    assert [turn.parts for turn in found] == [
        (
            Thinking("hm", "anthropic", signature="s"),
            Thinking("", "anthropic", redacted="cipher"),
            Text("so"),
        ),
        (Thinking("hm", "reasoning_content"), Text("so")),
        (Thinking("hm", "reasoning"), Text("so")),
    ]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"type": "image", "source": {"data": "no!"}}, ".source: the data is not base64"),
        ({"type": "image", "source": {"data": "AAAAA"}}, ".source: the data is not base64"),
        (
            {"type": "image_url", "image_url": "data:image/png;base64,ä"},
            ".image_url: the data is not base64",
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}},
            ".image_url: expected a data URI in base64",
        ),
        (
            {"type": "image_url", "image_url": {"url": 3}},
            ".image_url.url: expected a string, found a number",
        ),
        ({"type": "image", "source": [PNG]}, ".source: expected an object, found a list"),
        (
            {"type": "file", "file": {"file_data": "data:text/plain;base64,/w=="}},
            ".file: the file is said to be text, but is not UTF-8",
        ),
        ({"type": "tool_use", "name": "f"}, ": tool_use belongs in a message of the assistant"),
        ({"type": "thinking"}, ": thinking belongs in a message of the assistant"),
        ({"type": ["text"]}, ": unknown type of content part ['text']"),
    ],
)
def test_content_that_no_server_would_take_is_named(part: Any, problem: str) -> None:
    assert part_refusal(part) == problem


def test_a_result_belongs_to_the_user() -> None:
    problem = part_refusal({"type": "tool_result", "content": "x"}, role="assistant")
    assert problem == ": tool_result belongs in a message of the user"


def test_thoughts_that_are_no_text_are_refused() -> None:
    message = {"role": "assistant", "content": "a", "reasoning": ["hm"]}
    assert refusal(message) == "x: messages[0].reasoning: expected a string"


def test_arguments_nested_beyond_reason_are_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    call = {"type": "tool_use", "name": "f", "input": {"a": deep}}
    message = {"role": "assistant", "content": [call]}
    assert refusal(message) == "x: the JSON is nested too deeply"


def test_what_has_neither_data_nor_url_can_be_decided_but_not_sent() -> None:
    kept_elsewhere = {"type": "file", "file": {"file_id": "file-1"}}
    result = {"role": "tool", "tool_call_id": "1", "content": [kept_elsewhere]}
    for chat in (
        parse_chat([{"role": "user", "content": ["read", kept_elsewhere]}], name="x"),
        parse_chat([result], name="x"),
    ):
        assert request_of(chat).messages[0].attachments == ("pdf",)
        with pytest.raises(InvalidPrompt, match=r"^turn 1: the pdf has neither data nor a URL$"):
            refuse_missing_content(chat)


def test_what_is_all_there_can_be_sent() -> None:
    both = (Media("image", "image/png", PNG), Media("image", url="https://example.org/a"))
    refuse_missing_content(Chat((Turn("user", (*both, Text("look"))),)))


def test_a_decision_counts_thoughts_as_text() -> None:
    chat = Chat((Turn("assistant", (Thinking("hm", "reasoning"), ToolCall("1", "f", "{}"))),))
    assert request_of(chat).messages[0].text == 'hm\n{"name":"f","input":{}}'


KEYS = (
    *("source", "image_url", "input_audio", "file", "url", "data", "file_data", "media_type"),
    *("format", "text", "thinking", "content", "input", "name", "id", "function", "arguments"),
    *("tool_use_id", "type", "filename", "custom"),
)
WORDS = st.sampled_from(
    ["", "text", "AA", "data:image/png;base64,AA", "data:", "content", "base64", "AAAA", "%"]
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)
odd_parts = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from([*MEDIA_PARTS, "text", "thinking", "tool_use", "tool_result", "refusal"]),
    st.dictionaries(st.sampled_from(KEYS), junk, max_size=4),
)
odd_messages = st.builds(
    lambda role, content, rest: {"role": role, "content": content, **rest},
    st.sampled_from([*CHAT_ROLES]),
    junk | st.lists(odd_parts, max_size=3),
    st.dictionaries(
        st.sampled_from(["tool_calls", "function_call", "tool_call_id", "name", "reasoning"]),
        junk | st.lists(junk, max_size=2),
        max_size=2,
    ),
)


@settings(max_examples=25)
@given(st.lists(odd_messages, min_size=1, max_size=3))
def test_any_message_is_read_or_refused_by_name(messages: list[Any]) -> None:
    message = ""
    try:
        request_of(parse_chat(messages, name="x"))
    except InvalidPrompt as error:
        message = error.message
    assert not message or message.startswith("x: ")


def test_the_title_and_context_of_a_text_count_as_input() -> None:
    source = {"type": "text", "data": "facts"}
    document = {"type": "document", "title": "Law 7", "context": "of 1999", "source": source}
    request = request_of(parse_chat([{"role": "user", "content": [document]}], name="x"))
    assert request.messages[0].text == "facts\nLaw 7\nof 1999"
    assert request.notes == ()
