"""One stream of events and one kind of failure, whatever a server does."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rolecall.registry.core.chat import (
    Answer,
    Completed,
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.protocol import Target
from tests.providers.chats import KEY, chat, target, turn
from tests.providers.loopback import Connection, Loopback

SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
WHOLE = {
    "id": "i",
    "model": "m",
    "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}


def word(text: str, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
        **fields,
    }


def sse(*records: Any, done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(record)}\n\n" for record in records]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


class Pieces(httpx.SyncByteStream):
    """A body that comes in these pieces, then breaks or ends."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces, self._error = pieces, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error


def answering(
    body: bytes | httpx.SyncByteStream,
    headers: dict[str, str] = SSE,
    status: int = 200,
) -> Client:
    def handle(_: httpx.Request) -> httpx.Response:
        stream = Pieces(body) if isinstance(body, bytes) else body
        return httpx.Response(status, headers=headers, stream=stream)

    return Client(transport=httpx.MockTransport(handle))


def call(client: Client, served: Target | None = None, *, stream: bool = True) -> list[Event]:
    with client:
        return list(client.call(served or target(), chat(), stream=stream))


def failed(client: Client, served: Target | None = None, *, stream: bool = True) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        call(client, served, stream=stream)
    return caught.value


def test_an_answer_is_yielded_as_it_comes_and_completed_once() -> None:
    body = sse(word("he", id="i", model="m"), word("llo"), word("", "stop"), USAGE)
    assert call(answering(body)) == [
        TextDelta("he"),
        TextDelta("llo"),
        Completed(
            Answer(
                parts=(Text("hello"),),
                finish_reason="stop",
                finish_reasons=("stop",),
                usage=Usage(5, 2),
                response_id="i",
                response_model="m",
            )
        ),
    ]


def test_text_is_there_before_the_rest_is_sent() -> None:
    def script(connection: Connection) -> None:
        connection.chunked()
        data = sse(word("first", None), done=False)
        connection.chunk(data[:9])
        connection.chunk(data[9:])
        connection.is_over.wait(5)

    with Loopback(script) as server, Client() as client:
        events = client.call(target(server.url), chat())
        assert next(events) == TextDelta("first")
        events.close()


def test_what_is_sent_is_what_the_format_built() -> None:
    def script(connection: Connection) -> None:
        connection.head("application/json")
        connection.send(json.dumps(WHOLE))

    with Loopback(script) as server, Client() as client:
        served = target(server.url)
        list(client.call(served, chat(turn("user", "grüße\ud83d")), stream=False))
        (connection,) = server.connections
    assert connection.headers["authorization"] == f"Bearer {KEY}"
    assert connection.headers["content-type"] == "application/json"
    assert connection.body["messages"] == [{"role": "user", "content": "grüße?"}]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("headers", [JSON, {}, {"content-type": "text/plain; charset=utf-8"}])
def test_a_whole_answer_is_read_whatever_was_asked(headers: dict[str, str], stream: bool) -> None:
    message = {
        **{"content": "hello", "reasoning": "hm"},
        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
    }
    document = {"choices": [{"message": message, "finish_reason": "stop"}]}
    body = b"\xef\xbb\xbf\n\n " + json.dumps(document, indent=2).encode()
    *deltas, last = call(answering(body, headers), stream=stream)
    assert deltas == [ThinkingDelta("hm"), TextDelta("hello"), ToolCallDelta("f", "{}")]
    assert isinstance(last, Completed)
    assert last.answer.parts == (
        Thinking("hm", "reasoning"),
        Text("hello"),
        ToolCall("a", "f", "{}"),
    )


@pytest.mark.parametrize(
    ("header", "in_usage", "cost_usd"),
    [
        ("0.0125", None, 0.0125),
        ("0.0125", 0.02, 0.02),
        ("1.2e-05", None, 1.2e-05),
        ("0.0", None, None),  # a stream's, whose cost is not yet known
        ("None", None, None),
        ("-1", None, None),
        ("nan", None, None),
    ],
)
def test_what_a_proxy_says_of_the_cost_is_kept(
    header: str, in_usage: float | None, cost_usd: float | None
) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "cost": in_usage}
    document = {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}
    body = json.dumps({**document, "usage": usage}).encode()
    headers = {**JSON, "x-litellm-response-cost": header}
    *_, last = call(answering(body, headers), stream=False)
    assert isinstance(last, Completed)
    assert last.answer.cost_usd == cost_usd


@pytest.mark.parametrize("headers", [SSE, {}, {"content-type": "text/plain"}])
def test_a_stream_is_read_although_none_was_asked(headers: dict[str, str]) -> None:
    body = Pieces(b"\n", b": wait\n\n" + sse(word("hello", "stop")))
    assert call(answering(body, headers), stream=False)[0] == TextDelta("hello")


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/json", ""])
@pytest.mark.parametrize("stream", [True, False])
def test_ollamas_lines_are_read_under_any_type(content_type: str, stream: bool) -> None:
    if not stream and content_type != "application/x-ndjson":
        lines = b'{"message": {"content": "hello"},\n "done": true}'
    else:
        lines = b'{"message": {"content": "hel"}}\n{"message": {"content": "lo"}, "done": true}'
    headers = {"content-type": content_type} if content_type else {}
    *_, last = call(answering(lines, headers), target(api="ollama"), stream=stream)
    assert isinstance(last, Completed)
    assert last.answer.text == "hello"


@pytest.mark.parametrize(
    "content_type",
    ["text/event-stream", "application/json", "text/html", "application/x-ndjson", "text/plain"],
)
@pytest.mark.parametrize(
    "body",
    [
        sse(word("hel"), word("lo", "stop"), USAGE),
        sse(word("hel"), word("lo", "stop"), USAGE).replace(b"\n\n", b"\n"),
        sse(word("hel"), word("lo", "stop"), USAGE).replace(b"\n", b"\r"),
        sse(word("hel"), word("lo", "stop"), USAGE, done=False).replace(b"data: ", b"data:"),
        b"\xef\xbb\xbf: hello\n\n" + sse(word("hello", "stop"), USAGE),
        sse(word("hello", "stop"), USAGE) + sse(word(" again")),
        "\n".join(map(json.dumps, (word("hel"), word("lo", "stop"), USAGE))).encode(),
        json.dumps(WHOLE).encode(),
        json.dumps(WHOLE, indent=2).encode(),
    ],
)
def test_the_bytes_tell_what_an_answer_is_not_its_type(content_type: str, body: bytes) -> None:
    client = answering(body, {"content-type": content_type})
    last = call(client)[-1]
    assert isinstance(last, Completed)
    assert (last.answer.text, last.answer.usage) == ("hello", Usage(5, 2))


def test_what_is_held_back_of_the_text_comes_before_the_end() -> None:
    body = sse(word("is 1 <"), word("", "stop"))
    *events, last = call(answering(body))
    assert [event for event in events if isinstance(event, TextDelta)][-1] == TextDelta("<")
    assert isinstance(last, Completed)
    assert last.answer.text == "is 1 <"


def test_a_filter_that_cut_the_answer_is_named() -> None:
    body = sse(word("half"), word("", "content_filter: RECITATION"))
    with pytest.raises(CallFailed, match="policy stopped the answer: content_filter: RECIT") as got:
        call(answering(body))
    assert got.value.error_type == "content_refused"


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(sse(word("hello", "stop")))
    pieces = Pieces(*(body[at : at + 1] for at in range(len(body))))
    assert call(answering(pieces, {**SSE, "content-encoding": "gzip"}))[0] == TextDelta("hello")


def test_damaged_compression_is_an_invalid_response() -> None:
    client = answering(b"no gzip at all", {**SSE, "content-encoding": "gzip"})
    assert failed(client).error_type == "invalid_response"


def test_a_character_cut_in_two_comes_out_whole() -> None:
    body = sse(word("a\ud83d"), word("\ude00", "stop"))
    events = call(answering(body))
    assert events[:2] == [TextDelta("a"), TextDelta("😀")]
    assert isinstance(events[2], Completed)
    assert events[2].answer.text == "a😀"


@pytest.mark.parametrize(
    ("body", "headers", "error_type"),
    [
        (b"", SSE, "stream_cut"),
        (b": only comments\n\n", SSE, "stream_cut"),
        (b"", {}, "stream_cut"),
        (sse(word("half"), done=False), SSE, "stream_cut"),
        (sse(word("half"), done=False) + b'data: {"cho', SSE, "stream_cut"),
        (sse(word("half"), done=False) + b"data: {oops}\n\n", SSE, "invalid_response"),
        (sse(word("half"), done=False) + b'data: "\xff"\n\n', SSE, "invalid_response"),
        (sse(word("half"), {"error": {"message": "boom"}}), SSE, "stream_error"),
        (sse(word("half"), {"error": {"code": 429}}), SSE, "rate_limited"),
        (sse(), SSE, "empty_answer"),
        (sse(word("", "stop"), USAGE), SSE, "empty_answer"),
        (sse(word(" \n", "stop")), SSE, "empty_answer"),
        (sse(word("", "length"), USAGE), SSE, "empty_answer"),
        (sse(word("", "content_filter"), USAGE), SSE, "content_refused"),
        (sse(word("half", "content_filter"), USAGE), SSE, "content_refused"),
        (b"<html>login</html>", {"content-type": "text/html"}, "invalid_response"),
        (b"{}", {"content-type": "image/png"}, "invalid_response"),
        (b"<html>login</html>", JSON, "invalid_response"),
        (b"", JSON, "invalid_response"),
        (b"\xff\xfe", JSON, "invalid_response"),
        (b"[]", JSON, "invalid_response"),
        (b'{"choices": []}', JSON, "invalid_response"),
        (b'{"error": {"code": 429}}', JSON, "rate_limited"),
        (b'{"error": "boom"}', JSON, "stream_error"),
    ],
)
def test_what_is_no_whole_answer_fails(
    body: bytes, headers: dict[str, str], error_type: str
) -> None:
    failure = failed(answering(body, headers))
    assert (failure.error_type, failure.status) == (error_type, 200)
    assert failure.message
    assert failure.message[0] != " "
    assert not failure.message.endswith(".")


def test_what_had_come_of_a_failed_answer_is_kept() -> None:
    failure = failed(answering(sse(word("half", id="i"), USAGE, {"error": "boom"})))
    assert failure.partial is not None
    assert (failure.partial.text, failure.partial.usage) == ("half", Usage(5, 2))
    refused = failed(answering(sse(word("", "content_filter"), USAGE)))
    assert refused.partial is not None
    assert refused.partial.usage == Usage(5, 2)
    assert failed(answering(b"")).partial is None


@pytest.mark.parametrize("finish", [sse(word("", "stop"), done=False), b"data: [DONE]\n\n"])
def test_either_finish_marker_ends_an_answer(finish: bytes) -> None:
    *_, last = call(answering(sse(word("whole"), done=False) + finish))
    assert isinstance(last, Completed)


@pytest.mark.parametrize(
    "rest",
    [
        Pieces(sse(word("whole", "stop"), done=False), error=httpx.ReadError("reset")),
        Pieces(sse(word("whole", "stop"), done=False), b'data: {"usa', error=httpx.ReadError("")),
        Pieces(sse(word("whole", "stop"), done=False), b"data: {oops}\n\n"),
        Pieces(sse(word("whole", "stop"), done=False).rstrip(), error=httpx.ReadError("reset")),
    ],
)
def test_an_answer_that_breaks_after_its_finish_marker_is_whole(rest: Pieces) -> None:
    *_, last = call(answering(rest))
    assert isinstance(last, Completed)
    assert (last.answer.text, last.answer.usage) == ("whole", None)


def test_nothing_after_done_is_waited_for() -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.send(sse(word("whole", "stop")))
        assert connection.is_closed_within(2)

    with Loopback(script) as server, Client() as client:
        assert len(list(client.call(target(server.url), chat()))) == 2


def test_an_error_after_the_finish_marker_is_an_error() -> None:
    body = sse(word("whole", "stop"), {"error": "boom"})
    assert failed(answering(body)).error_type == "stream_error"
