"""Chat requests in the shapes that people have them in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.chat.parse import parse_chat, parse_json, parse_row, request_of
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.requests import Request

HI = {"role": "user", "content": "hi"}


def refusal(document: Any) -> str:
    with pytest.raises(InvalidPrompt) as caught:
        parse_chat(document, name="chat.json")
    return caught.value.message


def request_for(document: Any) -> Request:
    return request_of(parse_chat(document, name="chat.json"))


def user(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def test_openai_tools_and_schema_are_described() -> None:
    request = request_for(
        {
            "model": "any",
            "messages": [HI],
            "tools": [{"type": "function", "function": {"name": "look_up", "parameters": {}}}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object"}},
            },
            "temperature": 0,
            "seed": None,
            "max_completion_tokens": 100,
            "stream": True,
        }
    )
    assert request.tool_names == ("look_up",)
    assert '"name":"look_up"' in request.tools_text
    assert request.schema_text == '{"type":"object"}'
    assert request.parameters == ("temperature",)
    assert request.max_tokens == 100


def test_anthropic_system_tools_and_blocks_are_described() -> None:
    request = request_for(
        {
            "system": [{"type": "text", "text": "be brief"}],
            "tools": [{"name": "look_up", "input_schema": {}}, {"type": "web_search_20250305"}],
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "tool_use", "id": "t", "name": "look_up", "input": {"q": 1}},
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t", "content": "found"}],
                },
            ],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }
    )
    texts = [(message.role, message.text, message.attachments) for message in request.messages]
    assert texts == [
        ("system", "be brief", ()),
        ("user", "", ("image",)),
        ("assistant", 'hm\n{"name":"look_up","input":{"q":1}}', ()),
        ("tool", "found", ()),
    ]
    assert request.tool_names == ("look_up", "web_search_20250305")
    assert request.parameters == ("provider_tools", "thinking_budget")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (7, "chat.json: expected a list of messages or an object with `messages`"),
        ({}, "chat.json: messages: expected a list, found nothing"),
        ({"messages": {}}, "chat.json: messages: expected a list, found an object"),
        (["hi"], "chat.json: messages[0]: expected an object, found a string"),
        (
            [{"role": "usr", "content": "x"}],
            "chat.json: messages[0]: role 'usr' is unknown "
            "(known: system, developer, user, assistant, tool, function)",
        ),
        (
            user({"type": "hologram"}),
            "chat.json: messages[0].content[0]: unknown type of content part 'hologram'",
        ),
        (user({"type": "text"}), "chat.json: messages[0].content[0].text: expected a string"),
        ([{"role": "user", "content": " "}], "chat.json: the prompt is empty"),
        ([], "chat.json: the prompt is empty"),
        (
            {"messages": [HI], "tools": {"a": 1}},
            "chat.json: tools: expected a list, found an object",
        ),
        ({"messages": [HI], "tools": [{}]}, "chat.json: tools[0]: expected a tool with a name"),
        (
            {"messages": [HI], "response_format": {"type": "json_schema"}},
            "chat.json: response_format: expected a JSON schema under `schema`",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(document: Any, message: str) -> None:
    assert refusal(document) == message


def test_a_batch_line_carries_its_request_under_body() -> None:
    line = {"custom_id": "a1", "method": "POST", "body": {"messages": [HI], "top_p": 0.5}}
    chat, custom_id = parse_row(line, name="in.jsonl:1")
    request = request_of(chat)
    assert (request.messages[0].text, request.parameters, custom_id) == ("hi", ("top_p",), "a1")


def test_a_judged_row_is_a_prompt_and_its_scores_are_no_parameters() -> None:
    row = {"prompt": "hi", "scores": {"m": 1}, "task": "qa", "fold": 2, "group": "g"}
    chat, custom_id = parse_row(row, name="in.jsonl:1")
    assert (request_of(chat).parameters, custom_id) == ((), None)


@pytest.mark.parametrize("row", [3, None, [HI], {"custom_id": [], "prompt": "x"}, {"body": 3}])
def test_a_row_of_another_shape_is_refused_by_name(row: Any) -> None:
    with pytest.raises(InvalidPrompt, match=r"^in\.jsonl:1: "):
        parse_row(row, name="in.jsonl:1")


def test_json_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(InvalidPrompt, match="nested too deeply"):
        parse_json("[" * 100_000, name="x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "role", "content", "type", "text", "tools", "source"]),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values)
def test_any_json_is_a_request_or_a_named_refusal(document: Any) -> None:
    message = ""
    try:
        messages = request_of(parse_chat(document, name="x")).messages
    except InvalidPrompt as error:
        messages, message = (), error.message
    assert messages or message.startswith("x:")
