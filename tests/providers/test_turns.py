"""A conversation is sent as each API takes it, and what was changed is said."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rolecall.registry.core.chat import Media, Text, ToolResult, Turn
from rolecall.registry.core.entities import Api
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.sent_chat import sent_chat
from rolecall.registry.providers.turns import taken_turns
from tests.providers.targets import CALL, QUESTION, RESULT, assistant, chat, target, user

SYSTEM = Turn("system", (Text("Write a haiku about rain."),))
BLANK = Turn("user", (Text(" \n"),))
NO_SYSTEM: tuple[Api, ...] = ("anthropic", "gemini")
ALONE = "the system prompt is all there is: sent as the user's message"
ORPHAN = "a tool's result has no call in the conversation: sent as text"


def built(api: Api, *turns: Turn) -> tuple[dict[str, Any], tuple[str, ...]]:
    place = target(
        api, {"anthropic": "claude-haiku-4-5", "gemini": "gemini-3.5-flash"}.get(api, "m")
    )
    found = sent_chat(place, chat(*turns))
    return dict(FORMATS[api].build(place, found.chat, stream=True).body), found.notes


@pytest.mark.parametrize("turns", [(SYSTEM,), (SYSTEM, BLANK), (SYSTEM, assistant())])
def test_a_system_prompt_alone_becomes_the_users_message_where_there_must_be_one(
    turns: tuple[Turn, ...],
) -> None:
    anthropic, notes = built("anthropic", *turns)
    text = "Write a haiku about rain."
    assert notes == (ALONE,)
    assert anthropic["messages"] == [{"role": "user", "content": [{"type": "text", "text": text}]}]
    assert "system" not in anthropic
    gemini, notes = built("gemini", *turns)
    assert (gemini["contents"], notes) == ([{"role": "user", "parts": [{"text": text}]}], (ALONE,))
    assert "systemInstruction" not in gemini


@pytest.mark.parametrize("api", ["openai", "ollama"])
def test_a_system_prompt_alone_is_sent_as_it_is_where_it_is_taken(api: Api) -> None:
    body, notes = built(api, SYSTEM)
    assert ([one["role"] for one in body["messages"]], notes) == (["system"], ())


@pytest.mark.parametrize("host", ["api.mistral.ai", "api.perplexity.ai"])
def test_some_hosts_of_openais_api_want_a_users_message_too(host: str) -> None:
    place = target("openai", "m", base_url=f"https://{host}/v1")
    found = sent_chat(place, chat(SYSTEM))
    assert (found.chat.turns, found.notes) == ((Turn("user", SYSTEM.parts),), (ALONE,))
    both = chat(SYSTEM, QUESTION)
    assert sent_chat(place, both).chat.turns == both.turns


@pytest.mark.parametrize("api", NO_SYSTEM)
def test_a_conversation_is_begun_by_the_user(api: Api) -> None:
    body, [note] = built(api, SYSTEM, assistant(Text("Welcome!")), QUESTION)
    turns = body.get("messages") or body["contents"]
    assert [one["role"] for one in turns] == [
        "user",
        {"anthropic": "assistant"}.get(api, "model"),
        "user",
    ]
    assert note == "the first message is the assistant's: a user's message is put before it"


@pytest.mark.parametrize("api", NO_SYSTEM)
def test_a_system_message_among_the_others_is_said_to_move(api: Api) -> None:
    later = Turn("system", (Text("now in French"),))
    _, notes = built(api, SYSTEM, user("hi"), assistant(Text("ho")), later, user("more"))
    assert notes == ("system messages among the others are sent with the system prompt",)


@pytest.mark.parametrize("api", ["openai", "anthropic", "gemini"])
def test_a_result_without_its_call_is_sent_as_text(api: Api) -> None:
    shown = ToolResult("9", (Text("4 degrees"), Media("image", "image/png", "QQ==")), "weather")
    body, notes = built(api, QUESTION, Turn("tool", (shown,)), user("so?"))
    assert notes == (ORPHAN,)
    said = str(body)
    assert "(result of the tool weather)" in said
    assert "4 degrees" in said
    assert not any(word in said for word in ("tool_result", "functionResponse", "'tool'"))


def test_a_result_with_its_call_stays_beside_one_without() -> None:
    lost = ToolResult("9", (Text("lost"),), "old")
    turns = (QUESTION, assistant(CALL), Turn("tool", (*RESULT.parts, lost)))
    found, notes = taken_turns(target("openai", "m").endpoint, turns)
    assert notes == (ORPHAN,)
    assert found == (
        *turns[:2],
        RESULT,
        Turn("user", (Text("(result of the tool old)"), Text("lost"))),
    )


@pytest.mark.parametrize("api", get_args(Api))
def test_an_ordinary_conversation_is_sent_as_it_is(api: Api) -> None:
    turns = (SYSTEM, QUESTION, assistant(Text("let me see"), CALL), RESULT, user("so?"))
    assert taken_turns(target(api, "m").endpoint, turns) == (turns, ())


@pytest.mark.parametrize("api", NO_SYSTEM)
def test_turns_of_one_role_in_a_row_are_one_message(api: Api) -> None:
    body, notes = built(api, user("a"), user("b"), assistant(Text("c")), assistant(), user("d"))
    turns = body.get("messages") or body["contents"]
    assert [one["role"] for one in turns][::2] == ["user", "user"]
    assert (len(turns), notes) == (3, ())


def test_a_begun_answer_is_marked_where_the_host_wants_that() -> None:
    begun = chat(QUESTION, assistant(Text("It is")))
    for base_url, mark in (("https://api.mistral.ai/v1", True), ("https://a.example/v1", None)):
        place = target("openai", "m", base_url=base_url)
        message = FORMATS["openai"].build(place, begun, stream=True).body["messages"][-1]
        assert (message["content"], message.get("prefix")) == ("It is", mark)


@pytest.mark.parametrize("said", [(), (assistant(),)])
def test_an_older_claude_goes_on_with_an_answer_without_thinking_and_that_is_said(
    said: tuple[Turn, ...],
) -> None:
    options = {"reasoning_effort": "high"}
    begun = chat(QUESTION, assistant(Text("It is")), *said, options=options)
    place = target("anthropic", "claude-sonnet-4-5", most=64_000)
    found = sent_chat(place, begun)
    body = FORMATS["anthropic"].build(place, found.chat, stream=True).body
    assert ("thinking" in body, found.dropped) == (False, ("reasoning_effort",))


@pytest.mark.parametrize("api", get_args(Api))
def test_what_an_assistant_attached_is_sent_or_said_to_be_left_out(api: Api) -> None:
    image = Media("image", "image/png", "aWNvbg==")
    sent, notes = built(api, user("Draw."), assistant(Text("There."), image), user("Bigger!"))
    said = "attachments in the assistant's messages are left out: only text is taken there"
    assert ("aWNvbg==" in str(sent)) == (api in ("gemini", "ollama"))
    assert notes == (() if api in ("gemini", "ollama") else (said,))
    assert "There." in str(sent)
