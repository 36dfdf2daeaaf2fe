"""Each field of a request is in the body that is sent, or a note names it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rolecall.registry.chat.fields import KNOWN
from rolecall.registry.chat.parse import parse_chat
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from tests.providers.targets import target

PLACES = (
    target("openai", "gpt-5.5", base_url="https://api.openai.com/v1"),
    target("openai", "qwen", base_url="http://127.0.0.1:8000/v1"),
    target("openai", "a/b", base_url="https://openrouter.ai/api/v1"),
    target("openai", "mistral-large", base_url="https://api.mistral.ai/v1"),
    target("anthropic", "claude-sonnet-4-5"),
    target("anthropic", "claude-sonnet-4-6"),
    target("gemini", "gemini-3.5-flash"),
    target("gemini", "gemma-4-31b-it"),
    target("ollama", "qwen3-vl"),
)
MARK = {"type": "ephemeral", "ttl": "1h"}
PNG = "iVBORw0KGgoAAAANSUhEUg=="
TOOL = {"name": "f", "input_schema": {"type": "object"}}
# A value of each parameter by which it is known again in the body, under whatever name.
VALUES: dict[str, Any] = {
    **dict.fromkeys(("parallel_tool_calls", "skip_special_tokens"), False),
    **{"temperature": 0.31, "top_p": 0.77, "n": 3, "top_k": 37, "logprobs": True, "store": True},
    **{"stop": ["STOP-1"], "stop_sequences": ["STOP-1"], "tool_choice": "required"},
    **{"function_call": {"name": "f"}, "thinking": {"type": "enabled", "budget_tokens": 3111}},
    **{"thinking_budget": 3111, "reasoning_effort": "high", "reasoning": {"effort": "high"}},
    **{"think": "high", "output_config": {"effort": "high"}, "max_tokens": 4111},
    **{"max_completion_tokens": 4111, "max_output_tokens": 4111, "num_predict": 4111},
    **{"n_predict": 4111, "max_new_tokens": 4111},
    **{"response_format": {"type": "json_object"}, "format": {"title": "FORM"}},
    **{"verbosity": "low", "metadata": {"team": "TEAM"}, "prediction": {"content": "TEAM"}},
    **{"modalities": ["text", "audio"], "service_tier": "flex", "mystery": 1},
    **{"structured_outputs": {"choice": ["FORM"]}},
}
SAID_OTHERWISE = {
    **dict.fromkeys(("stop", "stop_sequences"), "STOP-1"),
    **dict.fromkeys(("format", "structured_outputs"), "FORM"),
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "max_output_tokens"), "4111"),
    **dict.fromkeys(("num_predict", "n_predict", "max_new_tokens"), "4111"),
}
# Names under which the forms above are left out; the others go by their own.
LEFT_OUT_AS = {
    **dict.fromkeys(("reasoning", "think", "output_config"), "reasoning_effort"),
    "thinking": "thinking_budget",
    "function_call": "tool_choice",
}
FIELDS = sorted({*KNOWN, *VALUES} - {"structured_outputs"})


def sent_and_said(place: Target, **fields: Any) -> tuple[dict[str, Any], str]:
    """Return the body that is sent, and all that is said of what it lacks."""
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": [TOOL], **fields}
    chat = parse_chat(body, name="x")
    found = sent_chat(place, chat)
    sent = FORMATS[place.endpoint.api].build(place, found.chat, stream=True).body
    return dict(sent), " ".join([*chat.notes, *found.dropped, *found.notes, found.note or ""])


@pytest.mark.parametrize("place", PLACES, ids=lambda one: f"{one.endpoint.api}-{one.remote_model}")
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_sent_or_named(place: Target, name: str) -> None:
    value = VALUES.get(name, "VALUE-7")
    plain, _ = sent_and_said(place)
    sent, said = sent_and_said(place, **{name: value})
    if {name, LEFT_OUT_AS.get(name, name)} & set(re.findall(r"\w+", said)):
        return
    assert json.dumps(sent, sort_keys=True) != json.dumps(plain, sort_keys=True), said
    mark = SAID_OTHERWISE.get(name, value if isinstance(value, str) else None)
    if mark is not None and name not in ("think", "reasoning_effort", "tool_choice"):
        assert mark in json.dumps(sent)


@pytest.mark.parametrize("place", PLACES, ids=lambda one: f"{one.endpoint.api}-{one.remote_model}")
@pytest.mark.parametrize(
    ("name", "message", "mark"),
    [
        ("cache_control", {"role": "system", "content": [
            {"type": "text", "text": "a", "cache_control": MARK}]}, '"1h"'),
        ("cache_control", {"role": "user", "content": [
            {"type": "text", "text": "a", "cache_control": MARK}]}, '"1h"'),
        ("cache_control", {"role": "user", "content": [
            {"type": "image", "source": {"data": PNG}, "cache_control": MARK}]}, '"1h"'),
        ("cache_control", {"role": "user", "content": "a", "cache_control": MARK}, '"1h"'),
        ("detail", {"role": "user", "content": [{"type": "image_url", "image_url": {
            "url": f"data:image/png;base64,{PNG}", "detail": "low"}}]}, '"low"'),
        ("name", {"role": "user", "content": "a", "name": "ann"}, '"ann"'),
        ("citations", {"role": "user", "content": [{"type": "document", "citations": {
            "enabled": True}, "source": {"type": "text", "data": "facts"}}]}, '"enabled"'),
        ("title", {"role": "user", "content": [{"type": "document", "title": "Law 7",
            "source": {"type": "text", "data": "facts"}}]}, '"Law 7"'),
        ("context", {"role": "user", "content": [{"type": "document", "context": "of 1999",
            "source": {"type": "text", "data": "facts"}}]}, '"of 1999"'),
    ],
)  # fmt: skip
def test_what_a_message_says_besides_is_sent_or_named(
    place: Target, name: str, message: dict[str, Any], mark: str
) -> None:
    question = {"role": "user", "content": "hi"}
    sent, said = sent_and_said(place, messages=[message, question])
    assert (mark in json.dumps(sent["messages" if "messages" in sent else "contents"])
            or mark in json.dumps(sent.get("system"))) != (name in said)  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda one: f"{one.endpoint.api}-{one.remote_model}")
@pytest.mark.parametrize(("name", "value"), [("strict", True), ("cache_control", MARK)])
def test_what_a_tool_says_besides_is_sent_or_named(place: Target, name: str, value: Any) -> None:
    sent, said = sent_and_said(place, tools=[{**TOOL, name: value}])
    assert (f'"{name}"' in json.dumps(sent["tools"])) != (name in said)


def test_a_name_is_sent_as_openai_takes_one() -> None:
    message = {"role": "user", "name": "Ann\tO/Lee" + "x" * 80, "content": "hi"}
    sent, _ = sent_and_said(PLACES[0], messages=[message])
    assert sent["messages"][0]["name"] == "Ann_O_Lee" + "x" * 55


def test_a_strict_tool_has_the_schema_that_anthropic_takes_of_one() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number", "minimum": 1}}}
    tool = {"name": "f", "strict": True, "input_schema": schema}
    sent, _ = sent_and_said(PLACES[4], tools=[tool])
    closed = {**schema, "properties": {"a": {"type": "number"}}, "additionalProperties": False}
    assert sent["tools"] == [{"name": "f", "strict": True, "input_schema": closed}]
    loose, _ = sent_and_said(PLACES[4], tools=[{**tool, "strict": False}])
    assert loose["tools"] == [{"name": "f", "input_schema": schema}]


def test_where_what_is_to_be_cached_goes() -> None:
    tool = {**TOOL, "cache_control": MARK}
    system = [{"type": "text", "text": "manual", "cache_control": MARK}]
    said = [{"type": "text", "text": "doc", "cache_control": MARK}, {"type": "text", "text": "q"}]
    result = {"type": "tool_result", "tool_use_id": "1", "content": "4", "cache_control": MARK}
    messages = [
        {"role": "user", "content": said},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f"}]},
        {"role": "user", "content": [result]},
    ]
    fields = {"tools": [tool], "system": system, "messages": messages}
    sent, said_of_it = sent_and_said(PLACES[5], **fields)
    assert said_of_it.strip() == ""
    assert sent["system"] == system
    assert sent["tools"][0]["cache_control"] == MARK
    assert [block.get("cache_control") for block in sent["messages"][0]["content"]] == [MARK, None]
    assert sent["messages"][2]["content"][0]["cache_control"] == MARK
    sent, said_of_it = sent_and_said(PLACES[2], **fields)
    assert said_of_it.strip() == ""
    assert sent["messages"][0] == {"role": "system", "content": system}
    assert sent["tools"][0]["cache_control"] == MARK
    assert sent["messages"][3]["content"][0]["cache_control"] == MARK
    plain, said_of_it = sent_and_said(PLACES[0], **fields)
    assert (said_of_it.strip(), "cache_control" in json.dumps(plain)) == ("cache_control", False)
    assert plain["messages"][0] == {"role": "system", "content": "manual"}


def test_openai_itself_is_told_metadata_only_of_what_it_stores() -> None:
    stored, said = sent_and_said(PLACES[0], metadata={"a": "b"}, store=True)
    assert (stored["metadata"], stored["store"], said.strip()) == ({"a": "b"}, True, "")
    bare, said = sent_and_said(PLACES[0], metadata={"a": "b"})
    assert ("metadata" in bare, said.strip()) == (False, "metadata")
    elsewhere, said = sent_and_said(PLACES[1], metadata={"a": "b"})
    assert (elsewhere["metadata"], said.strip()) == ({"a": "b"}, "")


def test_anthropic_is_told_the_user_and_other_apis_the_same_one() -> None:
    sent, said = sent_and_said(PLACES[4], user="u")
    assert (sent["metadata"], said.strip()) == ({"user_id": "u"}, "")
    sent, said = sent_and_said(PLACES[4], metadata={"user_id": "u"})
    assert (sent["metadata"], said.strip()) == ({"user_id": "u"}, "")
    sent, said = sent_and_said(PLACES[1], metadata={"user_id": "u"})
    assert (sent["user"], said.strip()) == ("u", "")


def test_how_to_call_tools_is_left_out_without_any_and_said_where_it_asks_for_something() -> None:
    for place in PLACES:
        sent, said = sent_and_said(place, tools=[], tool_choice="required")
        assert "tool_choice" not in sent
        assert "no tools are attached: tool_choice left out" in said
        for neutral in ("auto", "none"):
            assert sent_and_said(place, tools=[], tool_choice=neutral)[1].strip() == ""


def test_an_object_with_a_schema_is_asked_for_in_each_apis_own_form() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    asked = {"response_format": {"type": "json_object", "schema": schema}}
    closed = {**schema, "additionalProperties": False}
    openai, _ = sent_and_said(PLACES[1], **asked)
    assert openai["response_format"]["json_schema"]["schema"] == schema
    anthropic, _ = sent_and_said(PLACES[5], **asked)
    assert anthropic["output_config"]["format"] == {"type": "json_schema", "schema": closed}
    gemini, _ = sent_and_said(PLACES[6], **asked)
    assert gemini["generationConfig"]["responseJsonSchema"] == schema
    ollama, _ = sent_and_said(PLACES[8], **asked)
    assert ollama["format"] == schema
