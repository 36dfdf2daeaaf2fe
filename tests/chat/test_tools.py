"""Tools on offer, tools called, and what they gave, in both shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.registry.chat.options import read_tools
from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.chat import Media, Text, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import InvalidPrompt

HI = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}


def turns(*messages: Any) -> tuple[Turn, ...]:
    return parse_chat([HI, *messages], name="x").turns[1:]


def tools(*offered: Any) -> tuple[Tool, ...]:
    return parse_chat({"messages": [HI], "tools": list(offered)}, name="x").tools


def refusal(document: Any) -> str:
    with pytest.raises(InvalidPrompt) as caught:
        parse_chat(document, name="x")
    return caught.value.message


def calling(call_id: str | None = "1", name: str = "look_up") -> dict[str, Any]:
    function = {"name": name, "arguments": '{"q": 1}'}
    call = {"type": "function", "function": function} | ({"id": call_id} if call_id else {})
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize(
    "offered",
    [
        {
            "type": "function",
            "function": {"name": "look_up", "description": "finds", "parameters": SCHEMA},
        },
        {"type": "function", "name": "look_up", "description": "finds", "parameters": SCHEMA},
        {"name": "look_up", "description": "finds", "input_schema": SCHEMA},
        {
            "type": "custom",
            "name": "look_up",
            "description": "finds",
            "input_schema": SCHEMA,
        },
        {"name": "look_up", "description": "finds", "inputSchema": SCHEMA},
        {"name": "look_up", "description": "finds", "parametersJsonSchema": SCHEMA},
        {"name": "look_up", "description": "finds", "parameters_json_schema": SCHEMA},
        {
            "functionDeclarations": [
                {
                    "name": "look_up",
                    "description": "finds",
                    "parameters": {"type": "OBJECT", "properties": {"q": {"type": "STRING"}}},
                }
            ]
        },
    ],
)
def test_a_tool_is_the_same_in_every_shape(offered: dict[str, Any]) -> None:
    assert tools(offered) == (Tool("look_up", "finds", SCHEMA),)


def test_a_tool_may_take_nothing() -> None:
    legacy = {"messages": [HI], "functions": [{"name": "now"}]}
    assert parse_chat(legacy, name="x").tools == (Tool("now"),)


@pytest.mark.parametrize(
    ("offered", "name"),
    [
        ({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}, "web_search"),
        ({"type": "web_search_preview"}, "web_search_preview"),
        ({"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}}, "sh"),
    ],
)
def test_a_tool_of_the_provider_is_kept_whole(offered: dict[str, Any], name: str) -> None:
    document = {"messages": [HI], "tools": [offered]}
    assert tools(offered) == (Tool(name, native=offered),)
    assert request_of(parse_chat(document, name="x")).parameters == ("provider_tools",)


def test_tools_count_the_same_in_every_shape() -> None:
    anthropic = {"name": "look_up", "input_schema": SCHEMA}
    openai = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
    texts = {
        request_of(parse_chat({"messages": [HI], "tools": [tool]}, name="x")).tools_text
        for tool in (anthropic, openai)
    }
    assert texts == {json.dumps(openai, separators=(",", ":"))}


def test_openai_calls_and_results_are_told_apart() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": "found"}
    assert turns(calling(), result) == (
        Turn("assistant", (ToolCall("1", "look_up", '{"q": 1}'),)),
        Turn("tool", (ToolResult("1", (Text("found"),), "look_up"),)),
    )


def test_anthropic_calls_and_results_are_told_apart() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}}
    found = turns(
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "let me see"},
                {"type": "tool_use", "id": "a", "name": "look_up", "input": {"q": "é"}},
                {"type": "tool_use", "id": "b", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [image]},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                {"type": "text", "text": "go on"},
            ],
        },
    )
    looked = ToolResult("a", (Media("image", url="https://example.org/a"),), "look_up")
    assert found == (
        Turn(
            "assistant",
            (Text("let me see"), ToolCall("a", "look_up", '{"q":"é"}'), ToolCall("b", "now", "{}")),
        ),
        Turn("tool", (looked, ToolResult("b", (Text("no"),), "now", is_error=True))),
        Turn("user", (Text("go on"),)),
    )


def test_a_decision_is_by_what_the_person_said_last_not_by_what_a_tool_gave() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": "found"}
    request = request_of(parse_chat([HI, {"role": "user", "content": [result]}], name="x"))
    assert [(one.role, one.text) for one in request.messages] == [("user", "hi"), ("tool", "found")]


def test_legacy_calls_are_given_ids() -> None:
    call = {"role": "assistant", "function_call": {"name": "look_up", "arguments": ""}}
    result = {"role": "function", "name": "look_up", "content": "found"}
    assert turns(call, result, call, result) == (
        Turn("assistant", (ToolCall("call_0", "look_up", "{}"),)),
        Turn("tool", (ToolResult("call_0", (Text("found"),), "look_up"),)),
        Turn("assistant", (ToolCall("call_1", "look_up", "{}"),)),
        Turn("tool", (ToolResult("call_1", (Text("found"),), "look_up"),)),
    )


def test_a_made_up_id_is_no_other_calls() -> None:
    found = turns(calling("call_1"), calling(None), calling(None))
    assert [turn.parts[0].id for turn in found if isinstance(turn.parts[0], ToolCall)] == [
        "call_1",
        "call_2",
        "call_3",
    ]


def test_results_without_ids_answer_the_calls_of_their_names_in_order() -> None:
    results = [
        {"role": "tool", "tool_name": "now", "content": "noon"},
        {"role": "tool", "content": "found"},
    ]
    found = turns(calling("a"), calling("b", name="now"), *results)
    assert found[2:] == (
        Turn("tool", (ToolResult("b", (Text("noon"),), "now"),)),
        Turn("tool", (ToolResult("a", (Text("found"),), "look_up"),)),
    )


def test_a_result_whose_call_was_left_out_keeps_its_id() -> None:
    result = {"role": "tool", "tool_call_id": "9", "content": "found"}
    assert turns(result) == (Turn("tool", (ToolResult("9", (Text("found"),)),)),)


def test_a_call_in_free_text_is_carried_as_an_object() -> None:
    call = {"id": "1", "type": "custom", "custom": {"name": "sh", "input": 'echo "hi"'}}
    found = turns({"role": "assistant", "tool_calls": [call]})
    assert found[0].parts == (ToolCall("1", "sh", '{"input":"echo \\"hi\\""}'),)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (
            {"role": "assistant", "tool_calls": {}, "content": 3},
            ".content: expected text or a list of parts, found a number",
        ),
        (
            {"role": "assistant", "tool_calls": "f"},
            ".tool_calls: expected a list, found a string",
        ),
        (
            {"role": "assistant", "tool_calls": [3]},
            ".tool_calls[0]: expected an object, found a number",
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "1"}]},
            ".tool_calls[0].function: expected an object, found null",
        ),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [3]}}]},
            ".tool_calls[0].function.arguments: expected an object or JSON text, found a list",
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": "f"}}]},
            ".tool_calls[0].id: expected a string",
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": "{}"}]},
            ".content[0].input: expected an object, found a string",
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1"}]},
            ".content[0].name: expected a string",
        ),
    ],
)
def test_calls_that_are_none_are_named_with_their_place(message: Any, problem: str) -> None:
    assert refusal([HI, message]) == f"x: messages[1]{problem}"


def test_a_result_of_no_call_is_refused() -> None:
    problem = "x: a tool's result has no tool_call_id and no call"
    assert refusal([HI, {"role": "tool", "content": "found"}]) == problem
    answered = {"role": "tool", "tool_call_id": "1", "content": "found"}
    assert refusal([HI, calling(), answered, {"role": "tool", "content": "more"}]) == problem


def test_a_servers_whole_list_of_tools_is_read() -> None:
    listed = {"tools": [{"name": "look_up", "inputSchema": SCHEMA, "annotations": {"x": 1}}]}
    wanted = (Tool("look_up", parameters=SCHEMA),)
    assert parse_chat({"messages": [HI], "tools": listed}, name="x").tools == wanted
    declared = {"function_declarations": [{"name": "look_up", "parameters": SCHEMA}]}
    for document in (listed, {"jsonrpc": "2.0", "id": 1, "result": listed}, declared, [declared]):
        assert read_tools(json.dumps(document), "tools.json") == wanted


@pytest.mark.parametrize("key", ["args_schema", "params", "input", "json_schema"])
def test_a_schema_where_no_server_reads_it_is_refused_by_name(key: str) -> None:
    offered = [{"name": "a"}, {"name": "look_up", key: SCHEMA}]
    assert refusal({"messages": [HI], "tools": offered}) == (
        f"x: tools[1].{key}: no server reads a tool's schema there"
    )
    function = {"type": "function", "function": {"name": "look_up", key: SCHEMA}}
    with pytest.raises(InvalidPrompt, match=rf"^tools.json: tools\[0\].function.{key}: no server"):
        read_tools(json.dumps([function]), "tools.json")


def test_a_schema_beside_the_function_is_its_schema() -> None:
    offered = {"type": "function", "function": {"name": "look_up"}, "parameters": SCHEMA}
    assert tools(offered) == (Tool("look_up", parameters=SCHEMA),)


def test_a_tool_of_the_provider_with_a_key_is_refused() -> None:
    remote = {"type": "mcp", "server_url": "https://a.example", "headers": {"Authorization": "x"}}
    problem = "x: tools[0]: a key in a tool's definition is not sent"
    assert refusal({"messages": [HI], "tools": [remote]}) == problem


def test_what_stands_beside_declarations_is_refused_by_name() -> None:
    offered = {"functionDeclarations": [{"name": "f"}], "googleSearch": {}}
    assert refusal({"messages": [HI], "tools": [offered]}) == (
        "x: tools[0].googleSearch: cannot be asked for beside functionDeclarations"
    )


def test_what_a_tool_says_of_its_results_is_no_schema_of_it() -> None:
    assert tools({"name": "now", "outputSchema": SCHEMA}) == (Tool("now"),)


def test_what_a_tool_says_besides_is_kept() -> None:
    mark = {"type": "ephemeral"}
    function = {"name": "f", "strict": True, "parameters": SCHEMA}
    assert tools({"type": "function", "function": function, "cache_control": mark}) == (
        Tool("f", parameters=SCHEMA, extra={"cache_control": mark, "strict": True}),
    )
    assert tools({"name": "f", "strict": False}) == (Tool("f"),)


def test_tools_that_are_none_are_named_with_their_place() -> None:
    offered = [{"name": "a"}, {"type": "function", "function": {"name": "f", "parameters": []}}]
    assert refusal({"messages": [HI], "tools": offered}) == (
        "x: tools[1].function.parameters: expected an object, found a list"
    )
    assert refusal({"messages": [HI], "functions": [{"name": "f", "description": 3}]}) == (
        "x: functions[0].description: expected a string"
    )
