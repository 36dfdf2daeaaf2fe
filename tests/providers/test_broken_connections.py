"""A connection that breaks, is left or never ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from rolecall.registry.core.chat import (
    TextDelta,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.http import decoding, exchange
from tests.providers.chats import chat, target
from tests.providers.loopback import Connection, Loopback
from tests.providers.test_client import JSON, answering, call, failed, sse, word


def test_a_body_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_BODY_BYTES", 100)
    assert failed(answering(b"[" * 200, JSON)).error_type == "invalid_response"


def cutting(after: Callable[[Connection], None]) -> tuple[str, int | None]:
    with Loopback(after) as server, Client() as client:
        with pytest.raises(CallFailed) as caught:
            list(client.call(target(server.url), chat()))
        return caught.value.error_type, caught.value.status


def test_a_connection_that_breaks_before_an_answer_is_no_connection() -> None:
    assert cutting(lambda _: None) == ("connect_failed", None)
    assert cutting(lambda connection: connection.reset()) == ("connect_failed", None)


def test_a_connection_that_breaks_in_an_answer_cuts_it() -> None:
    def closing(connection: Connection) -> None:
        connection.chunked()
        connection.chunk(sse(word("half"), done=False))

    def resetting(connection: Connection) -> None:
        connection.head()
        connection.record(word("half"))
        connection.reset()

    assert cutting(closing) == ("stream_cut", 200)
    assert cutting(resetting) == ("stream_cut", 200)
    assert cutting(lambda connection: connection.chunked()) == ("stream_cut", 200)


def test_what_is_not_http_is_an_invalid_response() -> None:
    assert cutting(lambda connection: connection.send("SSH-2.0-x\r\n\r\n")) == (
        "invalid_response",
        None,
    )


def test_leaving_the_answer_closes_the_connection_at_once() -> None:
    closed: list[bool] = []

    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("a"))
        closed.append(connection.is_closed_within(2))

    with Loopback(script) as server, Client() as client:
        for event in client.call(target(server.url), chat()):
            assert event == TextDelta("a")
            break
    assert closed == [True]


def test_an_interrupt_closes_the_connection_at_once() -> None:
    closed: list[bool] = []

    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("a"))
        closed.append(connection.is_closed_within(2))

    with Loopback(script) as server, Client() as client:
        events = client.call(target(server.url), chat())
        next(events)
        with pytest.raises(KeyboardInterrupt):
            events.throw(KeyboardInterrupt)
    assert closed == [True]


def test_a_stream_without_end_is_given_up_with_what_had_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "MAX_ANSWER_BYTES", 100_000)
    record = f"data: {json.dumps(word('more '))}\n\n".encode()

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield record

    with pytest.raises(CallFailed, match="the answer is over 0 MiB") as caught:
        call(answering(Endless()))
    assert caught.value.error_type == "invalid_response"
    assert caught.value.partial is not None
    assert 100 < len(caught.value.partial.text) < 100_000
