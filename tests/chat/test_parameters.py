"""How an answer is asked for: every API's words, one form."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.chat.parse import parse_chat, parse_json, request_of
from rolecall.registry.core.chat import Chat
from rolecall.registry.core.errors import InvalidPrompt

HI = {"role": "user", "content": "hi"}


def chat(**body: Any) -> Chat:
    return parse_chat({"messages": [HI], **body}, name="x")


def refusal(**body: Any) -> str:
    with pytest.raises(InvalidPrompt) as caught:
        chat(**body)
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"temperature": 0, "seed": None, "logit_bias": {"5": 1}},
         {"temperature": 0, "logit_bias": {"5": 1}}),
        ({"stream": True, "model": "m", "metadata": {}}, {}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"stop": []}, {}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"tool_choice": "auto"}, {}),
        ({"tool_choice": "any"}, {"tool_choice": "required"}),
        ({"tool_choice": {"type": "any"}}, {"tool_choice": "required"}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": "none"}),
        ({"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice": {"name": "f"}}),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}},
         {"tool_choice": {"name": "f"}}),
        ({"function_call": {"name": "f"}}, {"tool_choice": {"name": "f"}}),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
         {"parallel_tool_calls": False}),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}}, {}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"thinking_budget": 2048}),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
        ({"thinking": {"type": "enabled"}}, {"reasoning_effort": "medium"}),
        ({"thinking": {"type": "adaptive"}}, {"reasoning_effort": "medium"}),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
         {"reasoning_effort": "low"}),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}),
        ({"reasoning_effort": "high", "output_config": {"effort": "low"}},
         {"reasoning_effort": "high"}),
        ({"reasoning": {"effort": "high", "exclude": True}}, {"reasoning_effort": "high"}),
        ({"reasoning": {"max_tokens": 500}}, {"thinking_budget": 500}),
        ({"reasoning": {"enabled": True}}, {"reasoning_effort": "medium"}),
        ({"reasoning": {"enabled": False}}, {"reasoning_effort": "none"}),
        ({"thinking_budget": 7}, {"thinking_budget": 7}),
    ],
)  # fmt: skip
def test_parameters_have_one_name_and_one_form(
    body: dict[str, Any], options: dict[str, Any]
) -> None:
    found = chat(**body, tools=[{"name": "f"}])
    assert found.options == options
    assert request_of(found).parameters == tuple(sorted(options))


@pytest.mark.parametrize(
    ("body", "schema", "name"),
    [
        ({"response_format": {"type": "json_schema",
                              "json_schema": {"name": "n", "schema": {"type": "array"}}}},
         {"type": "array"}, "n"),
        ({"output_format": {"type": "json_schema", "schema": {"type": "array"}}},
         {"type": "array"}, "answer"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "array"}}}},
         {"type": "array"}, "answer"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
         {"type": "object"}, "answer"),
        ({"response_format": {"type": "json_object"}}, {}, "answer"),
        ({"response_format": {"type": "text"}}, None, "answer"),
        ({}, None, "answer"),
    ],
)  # fmt: skip
def test_the_answers_schema_is_the_same_in_every_shape(
    body: dict[str, Any], schema: Any, name: str
) -> None:
    assert (chat(**body).schema, chat(**body).schema_name) == (schema, name)


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_the_limit_of_the_output_has_three_names(key: str) -> None:
    assert (chat(**{key: 9}).max_tokens, chat(**{key: 9}).options) == (9, {})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"stop": 3}, "stop: expected a text or a list of texts"),
        ({"stop_sequences": [""]}, "stop_sequences: expected a text or a list of texts"),
        ({"tool_choice": "f"}, "tool_choice: expected auto, none, required or a tool's name"),
        ({"tool_choice": {"type": "tool"}},
         "tool_choice: expected auto, none, required or a tool's name"),
        ({"thinking": "on"}, "thinking: expected an object, found a string"),
        ({"thinking": {"type": "enabled", "budget_tokens": "much"}},
         "thinking.budget_tokens: expected a whole number of tokens"),
        ({"reasoning": {"max_tokens": -1}},
         "reasoning.max_tokens: expected a whole number of tokens"),
        ({"reasoning_effort": 3}, "reasoning_effort: expected a word, found a number"),
        ({"output_config": []}, "output_config: expected an object, found a list"),
        ({"max_tokens": True}, "max_tokens: expected a whole number above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_named(body: dict[str, Any], problem: str) -> None:
    assert refusal(**body) == f"x: {problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"temperature": NaN}', "NaN is no number"),
        ('{"temperature": 1e999}', "1e999 is too large a number"),
    ],
)
def test_numbers_that_cannot_be_sent_on_are_no_json(text: str, problem: str) -> None:
    with pytest.raises(InvalidPrompt, match=f"^x:7: not JSON: {problem}$"):
        parse_json(text, name="x", first_line=7)
