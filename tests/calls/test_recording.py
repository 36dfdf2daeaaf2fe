"""A paid answer is shown first and never lost: what cannot be recorded is kept in a spool file."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.conversations import last_conversation
from rolecall.registry.storage.turns import read_turns
from rolecall.registry.telemetry import recorder, spooled
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan

BUDGET = "scopes: [{app: desk, budget: {usd: 5, per: day, mode: hard}}]"
ANSWERS = Plan(text="forty-two", input_tokens=1000, output_tokens=1000)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PATIENCE_S", 0.01)
    monkeypatch.setattr(recorder, "SPENT_PATIENCE_S", 0.01)
    monkeypatch.setattr(spooled, "PATIENCE_S", 0.01)


@pytest.fixture
def place(serving: Serving) -> Path:
    """Return the registry of one endpoint, whose examples are encoded already."""
    serving.one()
    serving.server.plan("m", ANSWERS)
    return Path(os.environ["ROLECALL_REGISTRY"])


@pytest.fixture
def spool(place: Path) -> Path:
    return place.with_name(f"{place.name}.spool")


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold the registry's write lock, as another program may."""
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_an_answer_under_a_lock_is_shown_and_recorded_by_the_next_command(
    rolecall: Rolecall, serving: Serving, place: Path, spool: Path
) -> None:
    rolecall("route", "hello")
    with locked(place):
        asked = rolecall("ask", "hello", "--app", "desk", "--check", "true")
        meanwhile = rolecall("telemetry", "list")
    assert (asked.exit_code, asked.stdout) == (0, "forty-two\n")
    notes = [line for line in asked.stderr.splitlines() if place.name in line]
    said = f"note: the registry {place} is locked by another program: the call is kept in {spool}"
    assert notes == [f"{said} and recorded by the next command"]
    assert "openai/m" not in meanwhile.stdout
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    [line] = spool.read_text().splitlines()
    assert [call["endpoint"] for call in json.loads(line)["calls"]] == ["openai/m"]

    assert "openai/m" in rolecall("telemetry", "list").stdout
    assert not spool.exists()
    [call] = serving.calls()
    assert (call.output_tokens, call.error_type) == (1000, None)
    assert call.finished_at is not None
    assert call.cost_usd is not None
    assert serving.spent_usd("app:desk") == pytest.approx(call.cost_usd)
    with open_registry(place) as db:
        conversation = last_conversation(db, "desk", None)
        assert conversation == call.conversation_id
        assert [turn.role for turn in read_turns(db, conversation or "")] == ["user", "assistant"]
    assert rolecall("feedback", str(call.decision_id), "good").exit_code == 0
    assert "1 outcome" not in rolecall("feedback", str(call.decision_id), "good").stdout
    assert rolecall("explain", str(call.decision_id)).exit_code == 0


def test_an_answer_is_printed_before_it_is_recorded(
    rolecall: Rolecall, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.one()
    serving.server.plan("m", ANSWERS)
    shown: list[bytes] = []
    flush = recorder.Recorder.flush

    def watched(self: recorder.Recorder) -> str | None:
        shown.append(cast(io.BytesIO, sys.stdout.buffer).getvalue())
        return flush(self)

    monkeypatch.setattr(recorder.Recorder, "flush", watched)
    assert rolecall("ask", "hello").exit_code == 0
    assert shown == [b"forty-two\n"]
    assert [call.error_type for call in serving.calls()] == [None]


def test_the_json_of_an_answer_that_is_not_recorded_is_whole(
    rolecall: Rolecall, place: Path
) -> None:
    with locked(place):
        asked = rolecall("ask", "hello", "--json")
    assert asked.exit_code == 0
    assert json.loads(asked.stdout)["answer"] == "forty-two"
    assert "is kept in" in asked.stderr


def test_what_cannot_be_held_against_a_hard_budget_is_not_asked(
    rolecall: Rolecall, serving: Serving, place: Path, spool: Path
) -> None:
    serving.apply(BUDGET)
    with locked(place):
        asked = rolecall("ask", "hello", "--app", "desk")
    assert (asked.exit_code, asked.stdout) == (1, "")
    said = "error: openai/m was not asked, as its cost cannot be held against a budget: "
    assert asked.stderr.startswith(f"{said}the registry {place} is locked by another program\n")
    assert serving.server.requests == []
    assert not spool.exists()


def test_spooled_money_counts_against_a_budget_before_the_next_is_spent(
    rolecall: Rolecall, serving: Serving, place: Path
) -> None:
    with locked(place):
        assert rolecall("ask", "hello", "--app", "desk").exit_code == 0
    serving.apply("scopes: [{app: desk, budget: {usd: 0.0001, per: day, mode: hard}}]")
    refused = rolecall("ask", "hello", "--app", "desk")
    assert (refused.exit_code, refused.stdout) == (6, "")
    assert len(serving.server.requests) == 1


def test_a_decision_under_a_lock_is_printed_and_said_not_to_be_recorded(
    rolecall: Rolecall, place: Path, spool: Path
) -> None:
    with locked(place):
        routed = rolecall("route", "hello")
    assert (routed.exit_code, routed.stdout) == (0, "openai/m\n")
    said = f"note: not recorded: the registry {place} is locked by another program\n"
    assert routed.stderr == said
    assert not spool.exists()


@pytest.mark.parametrize("becomes", ["gone", "another"])
def test_a_registry_that_is_taken_away_meanwhile_costs_no_record(
    rolecall: Rolecall,
    serving: Serving,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    becomes: str,
) -> None:
    end = recorder.Recorder.end

    def taken_away(self: recorder.Recorder, call: Any, mark: Any) -> Any:
        other = place.with_name("other.db")
        shutil.copy(place, other)
        for beside in place.parent.glob(f"{place.name}*"):
            beside.unlink()
        if becomes == "another":
            other.rename(place)
        return end(self, call, mark)

    with monkeypatch.context() as patch:
        patch.setattr(recorder.Recorder, "end", taken_away)
        asked = rolecall("ask", "hello", "--app", "desk")
    assert (asked.exit_code, asked.stdout) == (0, "forty-two\n")
    assert "was moved away or replaced meanwhile: the call is kept in" in asked.stderr
    assert "openai/m" in rolecall("telemetry", "list").stdout
    [call] = serving.calls()
    assert call.cost_usd == pytest.approx(serving.spent_usd("app:desk"))


def test_a_link_in_the_place_of_the_spool_is_not_followed(
    rolecall: Rolecall, place: Path, spool: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    spool.symlink_to(victim)
    with locked(place):
        asked = rolecall("ask", "hello")
    assert (asked.exit_code, asked.stdout) == (0, "forty-two\n")
    assert "note: the call could not be recorded: the registry" in asked.stderr
    assert victim.read_text() == "mine\n"
    assert rolecall("telemetry", "list").exit_code == 0
    assert victim.read_text() == "mine\n"


def test_a_failure_under_a_lock_counts_once_it_can_be_recorded(
    rolecall: Rolecall, serving: Serving, place: Path
) -> None:
    serving.server.plan("m", Plan(fault="bad_request"))
    with locked(place):
        assert rolecall("ask", "hello").exit_code == 4
    rolecall("telemetry", "stats")
    assert [call.error_type for call in serving.calls()] == ["bad_request"]


def test_counts_that_no_column_holds_are_unknown(rolecall: Rolecall, serving: Serving) -> None:
    serving.one()
    serving.server.plan("m", Plan(text="forty-two", input_tokens=2**63, output_tokens=-1))
    asked = rolecall("ask", "hello")
    assert (asked.exit_code, asked.stdout) == (0, "forty-two\n")
    [call] = serving.calls()
    assert (call.input_tokens, call.output_tokens, call.error_type) == (None, None, None)


@pytest.mark.parametrize("depth", [150, 900, 5_000])
def test_tool_arguments_nested_too_deep_are_printed_as_text_kept_and_sent_again(
    rolecall: Rolecall, serving: Serving, depth: int
) -> None:
    serving.one("anthropic")
    arguments = '{"a":' * depth + "1" + "}" * depth
    serving.server.plan("m", Plan(tool_calls=(("look_up", arguments),)))
    asked = rolecall("ask", "hello", "--json")
    assert asked.exit_code == 0
    [call] = json.loads(asked.stdout)["tool_calls"]
    assert call["arguments"] == arguments
    assert [one.error_type for one in serving.calls()] == [None]
    serving.server.plan("m", ANSWERS)
    assert rolecall("ask", "--continue", "and now?").stdout == "forty-two\n"
