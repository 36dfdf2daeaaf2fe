"""A chat becomes the request that OpenAI, or the server that follows it, takes."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import Media, Thinking, Tool, ToolCall, ToolResult
from rolecall.registry.providers.openai.request import OPENAI
from rolecall.registry.providers.openai.strict_schema import is_strict
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from tests.providers.chats import KEY, WEATHER, chat, target, turn

OPENAI_HOSTS = (
    "https://api.openai.com/v1",
    "https://eu.api.openai.com/v1",
    "https://mine.openai.azure.com/openai/v1",
)
STRICT = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/b"}},
    "required": ["a", "b"],
    "additionalProperties": False,
    "$defs": {"b": {"type": "array", "items": {"enum": [1, 2]}}},
}
CALL = ToolCall("call_1", "weather", '{"city": "Bern"}')


def body(served: Target | None = None, asked: Any = None, *, stream: bool = True) -> dict[str, Any]:
    served = served or target()
    sent = sent_chat(served, asked or chat()).chat
    return dict(OPENAI.build(served, sent, stream=stream).body)


def test_a_plain_chat_is_a_plain_request() -> None:
    request = OPENAI.build(
        target(), chat(turn("system", "be brief"), turn("user", "hi")), stream=True
    )
    assert request.url == "https://api.example.com/v1/chat/completions"
    assert request.headers == {"authorization": f"Bearer {KEY}"}
    assert request.body == {
        "model": "remote",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hi"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_key_is_not_in_what_a_request_shows_of_itself() -> None:
    request = OPENAI.build(target(), chat(), stream=True)
    assert KEY not in repr(request)
    assert KEY not in repr(target())


def test_without_a_key_and_a_stream_neither_is_mentioned() -> None:
    request = OPENAI.build(target(key=None), chat(), stream=False)
    assert request.headers == {}
    assert not {"stream", "stream_options"} & set(request.body)


def test_a_server_may_refuse_stream_options() -> None:
    sent = body(target(unsupported_parameters=("stream_options",)))
    assert sent["stream"] is True
    assert "stream_options" not in sent


def test_options_go_under_their_own_names() -> None:
    options = {
        **{"temperature": 0, "stop": ["END"], "seed": 7, "reasoning_effort": "low", "top_k": 5},
        **{"logit_bias": {"1": 2}, "user": "u", "metadata": {"a": "b"}},
    }
    sent = body(asked=chat(options={**options, "thinking_budget": 100}))
    assert {name: sent[name] for name in options} == options
    assert "thinking_budget" not in sent


def test_options_cannot_change_what_is_asked() -> None:
    sent = body(asked=chat(options={"model": "other", "messages": [], "stream": False}))
    assert (sent["model"], sent["stream"], len(sent["messages"])) == ("remote", True, 1)


@pytest.mark.parametrize("base_url", OPENAI_HOSTS)
def test_openai_itself_limits_completion_tokens(base_url: str) -> None:
    sent = body(target(base_url), chat(max_tokens=9))
    assert sent["max_completion_tokens"] == 9
    assert "max_tokens" not in sent


def test_all_others_limit_tokens() -> None:
    sent = body(target("https://openai.com.example/v1"), chat(max_tokens=9))
    assert sent["max_tokens"] == 9
    assert "max_completion_tokens" not in sent


def test_a_limit_goes_under_the_name_that_the_endpoint_takes() -> None:
    served = target(unsupported_parameters=("max_tokens",))
    assert body(served, chat(max_tokens=9))["max_completion_tokens"] == 9


def test_tools_are_offered_and_chosen() -> None:
    bare = Tool("now")
    options = {"tool_choice": {"name": "now"}, "parallel_tool_calls": False}
    sent = body(asked=chat(tools=(WEATHER, bare), options=options))
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "tells the weather",
                "parameters": WEATHER.parameters,
            },
        },
        {
            "type": "function",
            "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
        },
    ]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "now"}}
    assert sent["parallel_tool_calls"] is False


def test_a_choice_among_no_tools_is_not_sent() -> None:
    native = Tool("search", native={"type": "web_search"})
    options = {"tool_choice": "auto", "parallel_tool_calls": True}
    sent = body(asked=chat(tools=(native,), options=options))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(sent)


def test_any_json_and_a_schema_are_asked_for_in_their_own_ways() -> None:
    assert body(asked=chat(schema={}))["response_format"] == {"type": "json_object"}
    asked = chat(schema=STRICT, schema_name="my answer!")
    assert body(asked=asked)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "my_answer_", "schema": STRICT, "strict": True},
    }
    loose = body(asked=chat(schema={"type": "object"}))["response_format"]["json_schema"]
    assert loose == {"name": "answer", "schema": {"type": "object"}, "strict": False}


@pytest.mark.parametrize(
    "change",
    [
        {"type": "array"},
        {"additionalProperties": True},
        {"additionalProperties": None},
        {"required": ["a"]},
        {"required": None},
        {"properties": {"a": {"type": "object"}, "b": {"type": "string"}}},
        {"properties": {"a": {}, "b": {"type": "string"}}},
        {"properties": {"a": True, "b": {"type": "string"}}},
        {"anyOf": [{"type": "object"}]},
        {"allOf": []},
        {"$defs": {"b": {"type": "array", "items": {"oneOf": []}}}},
        {"properties": {"a": {"anyOf": [{"type": ["object", "null"]}]}, "b": {"type": "null"}}},
    ],
)
def test_a_schema_that_breaks_a_rule_of_strict_mode_is_not_strict(change: dict[str, Any]) -> None:
    assert is_strict(STRICT)
    assert not is_strict({**STRICT, **change})


def test_a_history_with_tools_is_told_in_full() -> None:
    asked = chat(
        turn("user", "weather?"),
        turn("assistant", "let me see", CALL),
        turn("tool", ToolResult("call_1", turn("user", "sun", "20 C").parts)),  # type: ignore[arg-type]
        turn("assistant", "sunny"),
        turn("user", "thanks"),
    )
    function = {"name": "weather", "arguments": '{"city": "Bern"}'}
    assert body(asked=asked)["messages"] == [
        {"role": "user", "content": "weather?"},
        {
            "role": "assistant",
            "content": "let me see",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sun\n20 C"},
        {"role": "assistant", "content": "sunny"},
        {"role": "user", "content": "thanks"},
    ]


def test_a_failed_tool_and_a_wordless_call_are_told() -> None:
    failed = ToolResult("call_1", turn("user", "no such city").parts, is_error=True)  # type: ignore[arg-type]
    sent = body(asked=chat(turn("assistant", CALL), turn("tool", failed)))["messages"]
    assert sent[0]["content"] is None
    assert sent[1]["content"] == "error: no such city"


def test_attachments_of_every_kind_are_carried() -> None:
    parts = [
        "look",
        Media("image", "image/jpeg", "QUJD"),
        Media("image", url="https://a.example/b.png"),
        Media("audio", "audio/mpeg", "QUJD"),
        Media("pdf", "application/pdf", "QUJD", name="a.pdf"),
        Media("video", url="https://a.example/c.mp4"),
    ]
    sent = body(asked=chat(turn("user", *parts)))["messages"][0]["content"]
    pdf = "data:application/pdf;base64,QUJD"
    assert sent == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUJD"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
        {"type": "video_url", "video_url": {"url": "https://a.example/c.mp4"}},
    ]


def test_what_tools_attach_follows_their_results_in_a_user_message() -> None:
    image = Media("image", "image/png", "QUJD")
    asked = chat(
        turn("assistant", ToolCall("a", "look", "{}"), ToolCall("b", "read", "{}")),
        turn("tool", ToolResult("a", (image,), name="look")),
        turn("tool", ToolResult("b", turn("user", "words").parts)),  # type: ignore[arg-type]
        turn("user", "so?"),
    )
    sent = body(asked=asked)["messages"]
    assert [message["role"] for message in sent] == ["assistant", "tool", "tool", "user", "user"]
    assert [message["content"] for message in sent[1:3]] == ["(attached below)", "words"]
    assert sent[3]["content"] == [
        {"type": "text", "text": "(attached by the tool look)"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
    ]


def thoughts(base_url: str, origin: str = "reasoning_content", **fields: Any) -> list[Any]:
    """Return what is given back of the thinking in a history of three answers."""
    asked = chat(
        turn("user", "hi"),
        turn("assistant", Thinking("idle", origin), "hello"),
        turn("user", "weather?"),
        turn("assistant", Thinking("hm", origin), CALL),
        turn("tool", ToolResult("call_1", ())),
        turn("assistant", "sunny"),
        turn("user", "and now?"),
    )
    sent = body(target(base_url, **fields), asked)["messages"]
    return [one.get("reasoning_content") for one in sent if one["role"] == "assistant"]


def test_thinking_is_given_back_where_tools_were_called() -> None:
    assert thoughts("http://localhost:8000/v1") == [None, "hm", None]


def test_thinking_is_kept_from_hosts_that_refuse_it() -> None:
    for base_url in (*OPENAI_HOSTS, "https://api.groq.com/openai/v1", "https://api.mistral.ai/v1"):
        assert thoughts(base_url) == [None, None, None]
    served = thoughts("http://localhost", unsupported_parameters=("reasoning_content",))
    assert served == [None, None, None]


def test_hosts_that_demand_thinking_get_a_placeholder_for_what_is_missing() -> None:
    assert thoughts("https://api.deepseek.com") == ["idle", "hm", "(not kept)"]
    assert thoughts("https://api.moonshot.ai/v1", "anthropic") == ["(not kept)"] * 3


def test_a_conversation_without_tools_needs_no_thinking() -> None:
    asked = chat(turn("user", "hi"), turn("assistant", Thinking("hm", "reasoning_content"), "yes"))
    assert "reasoning_content" not in body(target("https://api.deepseek.com"), asked)["messages"][1]


def test_calls_of_one_id_are_told_apart() -> None:
    asked = chat(
        *(turn("assistant", CALL), turn("tool", ToolResult("call_1", ()))),
        *(turn("assistant", CALL), turn("tool", ToolResult("call_1", ()))),
    )
    sent = body(asked=asked)["messages"]
    first, second = (sent[at]["tool_calls"][0]["id"] for at in (0, 2))
    assert first != second
    assert [sent[at]["tool_call_id"] for at in (1, 3)] == [first, second]


@pytest.mark.parametrize(
    ("base_url", "identity"), [("https://api.mistral.ai/v1", "call_1"), ("http://x", "c" * 41)]
)
def test_an_id_that_a_server_does_not_take_is_replaced_in_both_places(
    base_url: str, identity: str
) -> None:
    call = ToolCall(identity, "now", "{}")
    asked = chat(turn("assistant", call), turn("tool", ToolResult(identity, ())))
    sent = body(target(base_url), asked)["messages"]
    replaced = sent[0]["tool_calls"][0]["id"]
    assert sent[1]["tool_call_id"] == replaced
    assert replaced.isalnum()
    assert len(replaced) == 9


def test_geminis_thought_signature_goes_back_to_google_alone() -> None:
    asked = chat(turn("assistant", ToolCall("a", "now", "{}", signature="sig")))
    google = target("https://generativelanguage.googleapis.com/v1beta/openai")
    call = body(google, asked)["messages"][0]["tool_calls"][0]
    assert call["extra_content"] == {"google": {"thought_signature": "sig"}}
    assert "extra_content" not in body(asked=asked)["messages"][0]["tool_calls"][0]


def test_a_refusal_is_read_by_the_shared_rules() -> None:
    assert OPENAI.failure(429, {"error": {"message": "slow"}}).error_type == "rate_limited"
