"""Ctrl-C and SIGTERM, before the first token, within the answer, and between two tries."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.events import Answered, AskRequest
from rolecall.registry.chat.schema_bounds import WALL_LIMIT_S
from rolecall.registry.core.chat import Chat, Text, TextDelta, Turn
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.calls import CallFilter, recent_calls
from tests.calls.processes import WatchfulServer, running
from tests.calls.serving import Serving
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.server import FaultServer

SIGNALS = (signal.SIGINT, signal.SIGTERM)
HALF = "one two three "
STALLED = Plan(text="one two three four five", fault="stall", at="middle")
SILENT = Plan(first_delay_s=30.0)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with WatchfulServer() as one:
        yield one


@pytest.fixture
def watchful(server: FaultServer, serving: Serving) -> WatchfulServer:
    """Return the server of the one endpoint there is."""
    assert isinstance(server, WatchfulServer)
    serving.one()
    return server


@pytest.mark.parametrize("number", SIGNALS)
def test_before_the_first_token_the_call_is_recorded_and_the_connection_closed(
    serving: Serving, watchful: WatchfulServer, number: signal.Signals
) -> None:
    watchful.plan("m", SILENT)
    with running("ask", "hello") as command:
        command.wait_for(lambda: bool(watchful.requests))
        at = command.stop(number)
        assert command.end() == (130, "", "")
    check_left(watchful, at)
    [call] = serving.calls()
    assert (call.error_type, call.detail) == ("interrupted", "interrupted")
    assert call.finished_at is not None
    assert call.time_to_first_chunk_s is None
    assert call.duration_s is not None
    assert call.duration_s < SILENT.first_delay_s / 2
    assert (call.cost_usd, call.output_tokens) == (None, None)
    assert call.reserved_usd == pytest.approx(serving.spent_usd())


def test_a_schema_check_heeds_ctrl_c(watchful: WatchfulServer, tmp_path: Path) -> None:
    schema = tmp_path / "slow.json"
    schema.write_text('{"pattern": "^(a+)+$"}')
    watchful.plan("m", Plan(text=f'"{"a" * 40}!"'))
    with running("ask", "hello", "--schema", str(schema)) as command:
        command.wait_for(lambda: bool(watchful.left_at))
        command.look(0.6)  # for the check to begin
        at = command.stop(signal.SIGINT)
        code, _, _ = command.end()
    assert code == 130
    assert time.monotonic() - at < WALL_LIMIT_S / 2


def test_an_answer_is_out_before_its_check_begins(watchful: WatchfulServer, tmp_path: Path) -> None:
    watchful.plan("m", Plan())
    mark = tmp_path / "checking"
    with running("ask", "hello", "--check", f"touch {mark}; sleep 60") as command:
        command.wait_for(mark.exists)
        assert command.process.stdout is not None
        assert os.read(command.process.stdout.fileno(), 1_000).decode() == f"{DEFAULT_TEXT}\n"


@pytest.mark.parametrize("flags", [(), ("--retry-invalid", "1"), ("--json",)])
def test_an_answer_whose_check_is_interrupted_is_printed_and_recorded(
    serving: Serving, watchful: WatchfulServer, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    watchful.plan("m", Plan())
    mark = tmp_path / "checking"
    with running("ask", "hello", "--check", f"touch {mark}; sleep 60", *flags) as command:
        command.wait_for(mark.exists)
        command.stop(signal.SIGINT)
        code, out, _ = command.end()
    answer = json.loads(out)["answer"] if "--json" in flags else out.removesuffix("\n")
    assert (code, answer) == (130, DEFAULT_TEXT)
    [call] = serving.calls()
    assert (call.error_type, call.output_tokens) == (None, Plan().output_tokens)


def test_within_the_answer_a_pipe_got_nothing(serving: Serving, watchful: WatchfulServer) -> None:
    watchful.plan("m", STALLED)
    with running("ask", "hello") as command:
        command.wait_for(lambda: bool(watchful.requests))
        command.look(1.0)  # for half of the answer to arrive
        at = command.stop(signal.SIGTERM)
        assert command.end() == (130, "", "")
    check_left(watchful, at)
    check_half(serving)


def test_within_the_answer_a_terminal_has_what_was_shown(
    serving: Serving, watchful: WatchfulServer
) -> None:
    watchful.plan("m", STALLED)
    with running("ask", "hello", terminal="out") as command:
        command.wait_for(lambda: HALF.strip() in command.screen.decode())
        at = command.stop(signal.SIGINT)
        code, screen, err = command.end()
    assert (code, screen.strip(), err) == (130, HALF.strip(), "")
    check_left(watchful, at)
    check_half(serving)


def check_left(watchful: WatchfulServer, at: float) -> None:
    """Check that the one connection was over soon after the signal."""
    [left_at] = watchful.left_at
    assert at <= left_at < at + 4.0


def check_half(serving: Serving) -> None:
    """Check that the one call is recorded with what is known of it."""
    [call] = serving.calls()
    assert (call.error_type, call.cost_usd) == ("interrupted", None)
    assert call.finished_at is not None
    assert call.time_to_first_chunk_s is not None
    assert call.duration_s is not None
    assert 0 < call.time_to_first_chunk_s < call.duration_s
    assert call.reserved_usd is not None
    assert call.reserved_usd > 8_192 * 2e-6, "the server may go on to the end"
    assert call.reserved_usd == pytest.approx(serving.spent_usd())


def test_between_two_tries_nothing_is_waited_for(
    serving: Serving, watchful: WatchfulServer
) -> None:
    watchful.plan("m", Plan(fault="rate_limit", retry_after="15"))
    with running("ask", "hello") as command:
        command.wait_for(lambda: any(call.finished_at for call in serving.calls()))
        command.stop(signal.SIGINT)
        code, out, err = command.end()
    assert (code, out) == (130, "")
    assert err in ("", "note: waiting 15 s: openai/m asked for it\n")
    [call] = serving.calls()
    assert (call.error_type, call.retry_after_s, call.cost_usd) == ("rate_limited", 15.0, 0.0)


def test_json_is_not_printed_by_half(serving: Serving, watchful: WatchfulServer) -> None:
    watchful.plan("m", STALLED)
    with running("ask", "hello", "--json", terminal="err") as command:
        command.wait_for(lambda: "asking openai/m" in command.screen.decode())
        command.wait_for(lambda: bool(watchful.requests))
        command.stop(signal.SIGINT)
        code, _, _ = command.end()
        assert code == 130
    assert [call.error_type for call in serving.calls()] == ["interrupted"]


def test_an_endpoint_is_not_blamed_for_interruptions(serving: Serving) -> None:
    serving.one()
    serving.server.plan("m", STALLED)
    wanted = AskRequest(Chat((Turn("user", (Text("hello"),)),)), RoutingChoices())
    with open_registry(None) as db, open_asker(db) as asker:
        for _ in range(4):
            with closing(asker.ask(wanted)) as progress:
                assert any(isinstance(one, TextDelta) for one in progress)
        serving.server.plan("m", Plan())
        assert isinstance([*asker.ask(wanted)][-1], Answered)
        [*interrupted, last] = reversed(recent_calls(db, CallFilter()))
    assert {call.error_type for call in interrupted} == {"interrupted"}
    assert last.error_type is None
