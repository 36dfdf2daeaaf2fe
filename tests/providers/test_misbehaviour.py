"""All four APIs over a real connection, by servers that behave and by those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from rolecall.registry.core.chat import (
    Answer,
    Completed,
    TextDelta,
    Thinking,
    Timeouts,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from tests.faults.plan import DEFAULT_TEXT, FAULTS, Plan
from tests.faults.server import FaultServer
from tests.providers.chats import KEY, WEATHER, chat, target

APIS: tuple[Api, ...] = get_args(Api)
FAILURES = {
    "reset": ("connect_failed", "stream_cut"),
    "close": ("connect_failed", "stream_cut"),
    "cut": ("stream_cut", "stream_cut"),
    "stall": ("first_token_timeout", "idle_timeout"),
    "drip": ("first_token_timeout", "idle_timeout"),
    "slow_header": ("first_token_timeout", "first_token_timeout"),
    "garble": ("invalid_response", "invalid_response"),
    "bad_utf8": ("invalid_response", "invalid_response"),
    "html": ("invalid_response", None),
    "empty": ("empty_answer", "empty_answer"),
    "no_finish": ("stream_cut", "stream_cut"),
    "error_event": ("stream_error", "stream_error"),
    "rate_limit": ("rate_limited", "rate_limited"),
    "quota": ("quota_exceeded", "quota_exceeded"),
    "bad_key": ("auth", "auth"),
    "forbidden": ("auth", None),
    "not_found": ("not_found", "not_found"),
    "context_too_long": ("context_too_long", "context_too_long"),
    "bad_parameter": (None, None),
    "refused_content": ("content_refused", "content_refused"),
    "bad_request": ("bad_request", "stream_error"),
    "server_error": ("server_error", "stream_error"),
    "overloaded": ("overloaded", "overloaded"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


def events(
    server: FaultServer, api: Api, plan: Plan, *, stream: bool = True, **fields: Any
) -> list[Any]:
    server.plan("remote", plan)
    served = target(server.base_url(api), api=api)
    timeouts = Timeouts(first_token_s=0.15, idle_s=0.15) if plan.fault else Timeouts()
    with Client(timeouts=timeouts) as client:
        return list(client.call(served, chat(max_tokens=100, **fields), stream=stream))


def answer(
    server: FaultServer, api: Api, plan: Plan, *, stream: bool = True, **fields: Any
) -> Answer:
    last = events(server, api, plan, stream=stream, **fields)[-1]
    assert isinstance(last, Completed)
    return last.answer


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("fault", "place", "error_type"),
    [
        (fault, place, error_type)
        for fault, told in FAILURES.items()
        for place, error_type in zip(("before", "middle"), told, strict=True)
        if error_type is not None
    ],
)
def test_every_fault_has_one_name_in_every_api(
    server: FaultServer, api: Api, fault: str, place: Any, error_type: str
) -> None:
    with pytest.raises(CallFailed) as caught:
        events(server, api, Plan(fault=fault, at=place, echo_key=True))
    failure = caught.value
    assert failure.error_type == error_type
    assert KEY not in repr(vars(failure))
    if place == "middle" and fault not in ("empty", "slow_header", "no_finish"):
        assert failure.partial is not None
        assert failure.partial.text in (DEFAULT_TEXT[:13], DEFAULT_TEXT[:6])


def test_every_fault_is_tried() -> None:
    assert set(FAILURES) == set(FAULTS) - {"refuse"}


@pytest.mark.parametrize("api", APIS)
def test_nobody_listening_is_no_connection(server: FaultServer, api: Api) -> None:
    served = target(server.refusing_url(api), api=api)
    with Client() as client, pytest.raises(CallFailed, match="Connection refused") as caught:
        list(client.call(served, chat()))
    assert caught.value.error_type == "connect_failed"


@pytest.mark.parametrize("api", ["openai", "anthropic", "gemini"])
def test_a_refused_parameter_is_named(server: FaultServer, api: Api) -> None:
    with pytest.raises(CallFailed) as caught:
        events(server, api, Plan(fault="bad_parameter"), options={"temperature": 0})
    failure = caught.value
    assert (failure.error_type, failure.parameter) == ("parameter_unsupported", "temperature")


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
