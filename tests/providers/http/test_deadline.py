"""A call ends when its time is up, whatever keeps dripping in."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from rolecall.registry.core.chat import Completed, Event, TextDelta, Timeouts
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.http import exchange
from rolecall.registry.providers.http.deadline import Deadline
from tests.providers.chats import chat, target, turn
from tests.providers.loopback import Connection, Loopback

SHORT_S = 0.15
# How much later than its deadline a call may end on a busy machine.
SLACK_S = 2.0
EMPTY = {"choices": [{"index": 0, "delta": {"content": ""}}]}


def word(text: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def fails(
    script: Callable[[Connection], None], timeouts: Timeouts, *, stream: bool = True
) -> tuple[CallFailed, float]:
    """Call a server that does this; return the failure, and after how many seconds it came."""
    with Loopback(script) as server, Client(timeouts=timeouts) as client:
        started = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            list(client.call(target(server.url), chat(), stream=stream))
        return caught.value, time.monotonic() - started


def silent(connection: Connection) -> None:
    connection.is_over.wait(5)


def silent_after_headers(connection: Connection) -> None:
    connection.head()
    connection.is_over.wait(5)


def dripping_comments(connection: Connection) -> None:
    connection.head()
    connection.drip(b": keep-alive\n\n", 0.02)


def dripping_pings(connection: Connection) -> None:
    connection.chunked()
    for _ in range(200):
        connection.chunk(b'event: ping\ndata: {"type": "ping"}\n\n')
        time.sleep(0.02)


def dripping_empty_records(connection: Connection) -> None:
    connection.head()
    for _ in range(200):
        connection.record(EMPTY)
        time.sleep(0.02)


def dripping_headers(connection: Connection) -> None:
    connection.send("HTTP/1.1 200 OK\r\n")
    connection.drip(b"x-waiting: yes\r\n", 0.02)


@pytest.mark.parametrize(
    "script",
    [
        silent,
        silent_after_headers,
        dripping_comments,
        dripping_pings,
        dripping_empty_records,
        dripping_headers,
    ],
)
def test_nothing_of_an_answer_in_time_is_a_first_token_timeout(
    script: Callable[[Connection], None],
) -> None:
    failure, took_s = fails(script, Timeouts(first_token_s=SHORT_S, idle_s=5))
    assert (failure.error_type, failure.message) == (
        "first_token_timeout",
        "no answer within 0.15 s",
    )
    assert SHORT_S <= took_s < SHORT_S + SLACK_S


def test_blank_lines_before_a_whole_answer_are_no_answer() -> None:
    def script(connection: Connection) -> None:
        connection.head("application/json")
        connection.drip(b"\n", 0.02)

    failure, took_s = fails(script, Timeouts(first_token_s=SHORT_S, idle_s=5), stream=False)
    assert failure.error_type == "first_token_timeout"
    assert took_s < SHORT_S + SLACK_S


@pytest.mark.parametrize("keep_alive", [b"", b": keep-alive\n\n", b'data: {"type": "ping"}\n\n'])
def test_an_answer_that_stands_still_is_an_idle_timeout_with_what_had_come(
    keep_alive: bytes,
) -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("half"))
        connection.drip(keep_alive, 0.02)

    failure, took_s = fails(script, Timeouts(first_token_s=5, idle_s=SHORT_S))
    assert failure.error_type == "idle_timeout"
    assert failure.message == "the answer stood still for 0.15 s"
    assert failure.partial is not None
    assert failure.partial.text == "half"
    assert SHORT_S <= took_s < SHORT_S + SLACK_S


def test_a_whole_answer_that_drips_byte_by_byte_is_an_idle_timeout() -> None:
    def script(connection: Connection) -> None:
        connection.head("application/json")
        connection.drip(b"[", 0.02)

    failure, took_s = fails(script, Timeouts(first_token_s=5, idle_s=SHORT_S), stream=False)
    assert failure.error_type == "idle_timeout"
    assert took_s < SHORT_S + SLACK_S


def test_each_record_gives_an_answer_new_time() -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("a"))
        for _ in range(8):
            time.sleep(0.06)
            connection.record(EMPTY)
        connection.record(word("b", "stop"))

    with (
        Loopback(script) as server,
        Client(timeouts=Timeouts(first_token_s=0.4, idle_s=0.4)) as client,
    ):
        *_, last = client.call(target(server.url), chat())
    assert isinstance(last, Completed)
    assert last.answer.text == "ab"


def test_the_reader_of_the_answer_may_take_its_time() -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("a"))
        connection.record(word("b", "stop"))

    def slowly(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            time.sleep(0.25)
            yield event

    with Loopback(script) as server, Client(timeouts=Timeouts(idle_s=SHORT_S)) as client:
        *_, last = slowly(client.call(target(server.url), chat()))
    assert isinstance(last, Completed)


def test_a_server_that_holds_on_after_the_finish_marker_does_not_hold_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "_TRAILING_S", SHORT_S)

    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("whole", "stop"))
        connection.is_over.wait(5)

    started = time.monotonic()
    with Loopback(script) as server, Client() as client:
        *_, last = client.call(target(server.url), chat())
        assert time.monotonic() - started < SHORT_S + SLACK_S
    assert isinstance(last, Completed)
    assert last.answer.usage is None


def test_a_refusal_whose_body_never_ends_keeps_its_status() -> None:
    def script(connection: Connection) -> None:
        connection.head("application/json", "429 Too Many Requests")
        connection.send('{"error": ')
        connection.is_over.wait(5)

    failure, took_s = fails(script, Timeouts(idle_s=SHORT_S))
    assert (failure.error_type, failure.status) == ("rate_limited", 429)
    assert took_s < SHORT_S + SLACK_S


def test_a_request_that_nobody_reads_is_a_first_token_timeout() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Client(timeouts=Timeouts(first_token_s=SHORT_S)) as client,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            list(client.call(target(url), chat(turn("user", "x" * 10**7))))
    assert caught.value.error_type == "first_token_timeout"
    assert time.monotonic() - started < SHORT_S + 2 * SLACK_S


def test_no_thread_outlives_its_call() -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.record(word("a"))
        connection.record(word("b", "stop"))

    def watching() -> list[str]:
        names = (thread.name for thread in threading.enumerate())
        return [name for name in names if name == "rolecall-deadline"]

    with Loopback(script) as server, Client() as client:
        events = client.call(target(server.url), chat())
        assert next(events) == TextDelta("a")
        assert watching() == ["rolecall-deadline"]
        events.close()
        assert watching() == []
        list(client.call(target(server.url), chat()))
        assert watching() == []
    with Client() as client, pytest.raises(CallFailed):
        list(client.call(target("http://127.0.0.1:1"), chat()))
    assert watching() == []


def passes(deadline: Deadline) -> str | None:
    """Wait for a deadline to pass, for a moment at most, and return which did."""
    until = time.monotonic() + SLACK_S
    while deadline.passed is None and time.monotonic() < until:
        time.sleep(0.01)
    return deadline.passed


def test_a_deadline_that_moves_nearer_is_kept() -> None:
    with Deadline(connect_s=1, first_token_s=1) as deadline:
        deadline.arm("first_token_timeout", 60)
        time.sleep(0.05)
        deadline.arm("idle_timeout", 0.05)
        assert passes(deadline) == "idle_timeout"


def test_a_paused_deadline_does_not_pass() -> None:
    with Deadline(connect_s=1, first_token_s=1) as deadline:
        deadline.arm("first_token_timeout", 0.05)
        deadline.pause()
        time.sleep(0.15)
        assert deadline.passed is None
        deadline.arm("idle_timeout", 0.05)
        assert passes(deadline) == "idle_timeout"


def interrupted_at(step: int, ends: list[str]) -> None:
    """Arm and pause a deadline, interrupted at that step of all that Python does for it."""
    left = step

    def trace(*_: object) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    try:
        with Deadline(connect_s=60, first_token_s=60) as deadline:
            deadline.arm("first_token_timeout", 60)
            sys.settrace(trace)
            deadline.arm("idle_timeout", 30)
            deadline.pause()
            sys.settrace(None)
            ends.append("undisturbed")
    except KeyboardInterrupt:
        ends.append("interrupted")
    finally:
        sys.settrace(None)


def test_an_interrupt_at_any_moment_leaves_a_deadline_that_ends() -> None:
    for step in range(1, 100):
        ends: list[str] = []
        thread = threading.Thread(target=interrupted_at, args=(step, ends), daemon=True)
        thread.start()
        thread.join(5.0)
        assert ends, f"interrupted at step {step}, it never ends"
        if ends == ["undisturbed"]:
            return
    raise AssertionError("it never came to its end")


def test_the_time_to_connect_is_limited() -> None:
    def connect(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["connect"] == 0.25
        raise httpx.ConnectTimeout("timed out")

    timeouts = Timeouts(connect_s=0.25)
    transport = httpx.MockTransport(connect)
    with (
        Client(timeouts=timeouts, transport=transport) as client,
        pytest.raises(CallFailed) as caught,
    ):
        list(client.call(target(), chat()))
    assert caught.value.error_type == "connect_timeout"
    assert caught.value.message == "no connection to api.example.com within 0.25 s"
