from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.registry.core.chat import Media, Text, Thinking, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.anthropic.request import ANTHROPIC
from tests.providers.targets import (
    CALL,
    QUESTION,
    RESULT,
    WEATHER,
    assistant,
    body,
    chat,
    target,
    user,
)

SONNET = target("anthropic", "claude-sonnet-4-5", most=64_000)


def built(*turns: Turn, **fields: Any) -> dict[str, Any]:
    return body(ANTHROPIC, SONNET, chat(*turns, **fields))


def options(**given: Any) -> dict[str, Any]:
    return built(options=given)


def tool_options(**given: Any) -> dict[str, Any]:
    return built(options=given, tools=(WEATHER,))


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("https://proxy.test/anthropic/v1", "https://proxy.test/anthropic/v1/messages"),
        ("https://proxy.test/v1/messages", "https://proxy.test/v1/messages"),
        ("https://proxy.test/v1?beta=true", "https://proxy.test/v1/messages?beta=true"),
    ],
)
def test_a_base_url_leads_to_the_messages(base_url: str, url: str) -> None:
    place = target("anthropic", "claude-sonnet-4-5", base_url=base_url)
    assert ANTHROPIC.build(place, chat(), stream=True).url == url


def test_the_key_is_a_header_and_shown_nowhere() -> None:
    request = ANTHROPIC.build(SONNET, chat(), stream=True)
    assert request.headers == {"x-api-key": "secret-key", "anthropic-version": "2023-06-01"}
    assert "secret-key" not in repr(request)
    assert "secret-key" not in str(request.body)


def test_a_plain_question_is_one_message() -> None:
    assert built() == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 32_000,
        "stream": True,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]}
        ],
    }


def test_system_turns_are_one_prompt_wherever_they_stand() -> None:
    sent = built(
        Turn("system", (Text("Be brief."),)),
        user("Hi"),
        Turn("system", (Text("Answer in French."),)),
    )
    assert sent["system"] == "Be brief.\n\nAnswer in French."
    assert [message["role"] for message in sent["messages"]] == ["user"]


def test_turns_of_one_role_become_one_message_and_blank_texts_none() -> None:
    sent = built(
        user("one"), user("two"), assistant(Text("  ")), user("three"), assistant(Text("x"))
    )
    assert [
        (message["role"], [block["text"] for block in message["content"]])
        for message in sent["messages"]
    ] == [("user", ["one", "two", "three"]), ("assistant", ["x"])]


def test_tool_results_come_first_in_the_message_of_the_user() -> None:
    sent = built(QUESTION, assistant(Text("Let me look."), CALL), RESULT, user("And tomorrow?"))
    assert sent["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {
                    "type": "tool_use",
                    "id": "call_7",
                    "name": "get_weather",
                    "input": {"city": "Oslo"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_7",
                    "content": [{"type": "text", "text": "4 degrees"}],
                },
                {"type": "text", "text": "And tomorrow?"},
            ],
        },
    ]


def test_a_failed_tool_and_an_image_it_gave_are_told() -> None:
    image = Media("image", "image/jpeg", data="aGk=")
    results = (
        ToolResult("a", (Text("no such city"),), is_error=True),
        ToolResult("b", (image,)),
        ToolResult("c", ()),
    )
    calls = [ToolCall(one, "get_weather", "") for one in "abc"]
    sent = built(QUESTION, assistant(*calls), Turn("tool", results))
    assert sent["messages"][2]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [{"type": "text", "text": "no such city"}],
            "is_error": True,
        },
        {
            "type": "tool_result",
            "tool_use_id": "b",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/jpeg", "data": "aGk="},
                }
            ],
        },
        {"type": "tool_result", "tool_use_id": "c"},
    ]


def test_ids_of_other_servers_are_made_unique_and_allowed() -> None:
    """Kimi names calls with a dot and a colon, Gemini's calls are counted anew in each answer."""
    first, again = ToolCall("f.get:0", "get", "{}"), ToolCall("f.get:0", "get", "{}")
    answer = Turn("tool", (ToolResult("f.get:0", (Text("x"),)),))
    sent = built(QUESTION, assistant(first), answer, assistant(again), answer)
    ids = [
        block.get("id") or block.get("tool_use_id")
        for message in sent["messages"][1:]
        for block in message["content"]
    ]
    assert ids == ["f_get_0", "f_get_0", "f_get_0_2", "f_get_0_2"]


@pytest.mark.parametrize("arguments", ["not json", "[1]", '"text"'])
def test_arguments_that_are_no_object_are_put_into_one(arguments: str) -> None:
    sent = built(QUESTION, assistant(ToolCall("a", "t", arguments)))
    assert set(sent["messages"][1]["content"][0]["input"]) == {"arguments"}


def test_images_and_documents_are_sent_inline_or_by_url() -> None:
    sent = built(
        Turn(
            "user",
            (
                Media("image", data="aGk="),
                Media("image", url="https://x.test/a.png"),
                Media("pdf", "application/pdf", data="JVBERg==", name="report.pdf"),
                Media("pdf", url="https://x.test/b.pdf"),
            ),
        )
    )
    assert sent["messages"][0]["content"] == [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
        },
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "report.pdf",
        },
        {"type": "document", "source": {"type": "url", "url": "https://x.test/b.pdf"}},
    ]


def test_sound_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(CallFailed) as caught:
        built(Turn("user", (Media("audio", "audio/wav", data="aGk="),)))
    assert (caught.value.error_type, caught.value.parameter) == ("parameter_unsupported", "audio")


def test_tools_are_described_and_native_ones_passed_as_they_are() -> None:
    native = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    sent = built(tools=(WEATHER, Tool("stop_all"), Tool("web_search", native=native)))
    assert sent["tools"] == [
        {
            "name": "get_weather",
            "description": "Tells the weather in a place",
            "input_schema": dict(WEATHER.parameters),
        },
        {"name": "stop_all", "input_schema": {"type": "object", "properties": {}}},
        native,
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": {"name": "get_weather"}}, {"type": "tool", "name": "get_weather"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"tool_choice": "required", "parallel_tool_calls": False},
            {"type": "any", "disable_parallel_tool_use": True},
        ),
        ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
        ({"parallel_tool_calls": True}, None),
    ],
)
def test_the_choice_of_tools_is_told_in_the_words_of_the_api(
    given: dict[str, Any], sent: dict[str, Any] | None
) -> None:
    assert tool_options(**given).get("tool_choice") == sent


def test_a_choice_without_tools_is_not_sent() -> None:
    assert "tool_choice" not in options(tool_choice="required", parallel_tool_calls=False)


def test_options_go_by_their_names_at_the_api() -> None:
    sent = options(top_k=40, top_p=0.9, stop=["END"], user="u-1", service_tier="default", seed=7)
    del sent["messages"]
    assert sent == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 32_000,
        "stream": True,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "service_tier": "standard_only",
    }


def test_a_temperature_stays_on_the_scale_of_the_api_and_goes_before_top_p() -> None:
    sent = options(temperature=1.7, top_p=0.9)
    assert sent["temperature"] == 1.0
    assert "top_p" not in sent


@pytest.mark.parametrize(
    ("asked", "most", "limit", "sent"),
    [
        (500, 64_000, None, 500),
        (None, 64_000, None, 32_000),
        (None, 4_096, None, 4_096),
        (None, 64_000, 2_000, 2_000),
        (None, None, None, 8_192),
    ],
)
def test_the_output_is_limited_as_asked_else_usually(
    asked: int | None, most: int | None, limit: int | None, sent: int
) -> None:
    place = target("anthropic", "claude-sonnet-4-5", most=most, max_output_tokens=limit)
    assert body(ANTHROPIC, place, chat(max_tokens=asked))["max_tokens"] == sent


def test_a_schema_is_sent_closed_and_without_limits() -> None:
    schema = {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "minimum": 0},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 2},
            "place": {"$ref": "#/$defs/place"},
        },
        "required": ["minimum"],
        "$defs": {"place": {"type": "object", "properties": {"x": {"type": "number"}}}},
    }
    assert built(schema=schema)["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "minimum": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "place": {"$ref": "#/$defs/place"},
            },
            "required": ["minimum"],
            "$defs": {
                "place": {
                    "type": "object",
                    "properties": {"x": {"type": "number"}},
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        },
    }


def test_any_json_object_cannot_be_asked_for() -> None:
    assert "output_config" not in built(schema={})


def test_thinking_goes_back_only_in_the_tool_loop_going_on() -> None:
    old = Thinking("old", "anthropic", signature="s0")
    new = Thinking("new", "anthropic", signature="s1")
    hidden = Thinking("", "anthropic", redacted="opaque")
    others = (Thinking("x", "gemini"), Thinking("y", "anthropic"))
    sent = built(
        QUESTION,
        assistant(old, Text("4 degrees")),
        user("And in Rome?"),
        assistant(new, hidden, *others, CALL),
        RESULT,
    )
    kinds = [[block["type"] for block in message["content"]] for message in sent["messages"]]
    assert kinds == [
        ["text"],
        ["text"],
        ["text"],
        ["thinking", "redacted_thinking", "tool_use"],
        ["tool_result"],
    ]
    assert sent["messages"][3]["content"][:2] == [
        {"type": "thinking", "thinking": "new", "signature": "s1"},
        {"type": "redacted_thinking", "data": "opaque"},
    ]


def test_what_the_user_says_beside_the_results_of_tools_does_not_end_the_loop() -> None:
    first = assistant(Thinking("first", "anthropic", signature="s0"), CALL)
    second = assistant(Thinking("second", "anthropic", signature="s1"), CALL)
    beside = (user("Be quick."), Turn("system", (Text("Be kind."),)), user("Please."))
    sent = built(QUESTION, first, RESULT, *beside, second, RESULT, *beside)
    kinds = [[block["type"] for block in message["content"]] for message in sent["messages"]]
    assert kinds == [["text"], *[["thinking", "tool_use"], ["tool_result", "text", "text"]] * 2]


def test_a_question_after_the_answer_of_a_loop_ends_it() -> None:
    first = assistant(Thinking("first", "anthropic", signature="s0"), CALL)
    answer = assistant(Thinking("second", "anthropic", signature="s1"), Text("4 degrees"))
    sent = built(QUESTION, first, RESULT, user("Be quick."), answer, user("And in Rome?"))
    assert '"thinking"' not in json.dumps(sent["messages"])


def test_other_makers_behind_this_api_get_their_unsigned_thinking_back() -> None:
    place = target("anthropic", "deepseek-v4")
    asked = chat(QUESTION, assistant(Thinking("hm", "anthropic"), CALL), RESULT)
    sent = body(ANTHROPIC, place, asked)
    assert sent["messages"][1]["content"][0] == {"type": "thinking", "thinking": "hm"}
