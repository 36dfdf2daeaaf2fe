"""All four APIs over a real connection, by servers that send an answer in their own ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from rolecall.registry.core.chat import (
    Answer,
    Completed,
    TextDelta,
    Thinking,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.core.entities import Api
from rolecall.registry.providers.client import Client
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.server import FaultServer
from tests.providers.chats import WEATHER, chat, target

APIS: tuple[Api, ...] = get_args(Api)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


def events(
    server: FaultServer, api: Api, plan: Plan, *, stream: bool = True, **fields: Any
) -> list[Any]:
    server.plan("remote", plan)
    served = target(server.base_url(api), api=api)
    with Client() as client:
        return list(client.call(served, chat(max_tokens=100, **fields), stream=stream))


def answer(
    server: FaultServer, api: Api, plan: Plan, *, stream: bool = True, **fields: Any
) -> Answer:
    last = events(server, api, plan, stream=stream, **fields)[-1]
    assert isinstance(last, Completed)
    return last.answer


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan(gzip=True),
        Plan(chunking="bytes", comments=True),
        Plan(chunking="together", newline="\r\n"),
        Plan(usage="twice"),
    ],
)
def test_an_answer_comes_whole_however_it_is_sent(
    server: FaultServer, api: Api, plan: Plan, stream: bool
) -> None:
    *deltas, last = events(server, api, plan, stream=stream)
    assert "".join(one.text for one in deltas if isinstance(one, TextDelta)) == DEFAULT_TEXT
    assert last.answer.text == DEFAULT_TEXT
    assert last.answer.finish_reason == "stop"
    assert last.answer.usage.input_tokens == plan.input_tokens
    assert last.answer.usage.output_tokens == plan.output_tokens
    assert last.answer.response_model is not None


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [True, False])
def test_tools_thinking_and_every_kind_of_token_are_read(
    server: FaultServer, api: Api, stream: bool
) -> None:
    plan = Plan(
        thinking="let me see",
        tool_calls=(("weather", '{"city": "Bern"}'), ("weather", '{"city": "Wien"}')),
        input_tokens=100,
        output_tokens=50,
        cached_tokens=60,
        reasoning_tokens=20,
    )
    found = events(server, api, plan, stream=stream, tools=(WEATHER,))
    told = found[-1].answer
    assert [call.name for call in told.tool_calls] == ["weather", "weather"]
    assert ["Bern" in call.arguments for call in told.tool_calls] == [True, False]
    assert len({call.id for call in told.tool_calls}) == 2
    assert told.finish_reason == "tool_calls"
    assert any(isinstance(one, ToolCallDelta) and one.name == "weather" for one in found)
    thoughts = [part.text for part in told.parts if isinstance(part, Thinking)]
    assert "".join(thoughts) == "let me see"
    assert told.usage.cache_read_input_tokens == 60
    assert (told.usage.input_tokens, told.usage.output_tokens) == (100, 50)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("usage", ["missing", "null"])
def test_usage_that_is_not_told_is_unknown(server: FaultServer, api: Api, usage: Any) -> None:
    told = answer(server, api, Plan(usage=usage)).usage
    assert told is None or told == Usage()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("finish", ["length", "stop"])
def test_the_finish_reason_is_in_openais_words(server: FaultServer, api: Api, finish: Any) -> None:
    assert answer(server, api, Plan(finish=finish)).finish_reason == finish
