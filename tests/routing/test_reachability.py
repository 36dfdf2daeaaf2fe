"""A chosen endpoint of one's own that nobody serves is said to be so, and still chosen."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.registry.core.decisions import Exclusion
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.reachability import reachability_notes
from tests.faults.server import FaultServer
from tests.providers.test_reach import closed_port

if TYPE_CHECKING:
    from tests.conftest import Rolecall

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HERE = Endpoint("lab/x", "x", base_url="http://gpu.lan:8000/v1", locality="local")
THERE = Endpoint("p/x", "x", base_url="https://p.example", key_env="P_KEY")
UNSET = (Exclusion("p/x", "AUTH_UNAVAILABLE", "P_KEY is not set"),)


def at(rolecall: Rolecall, url: str) -> None:
    """Move the starter registry's local endpoints to another address."""
    text = rolecall("registry", "export").stdout
    rolecall("registry", "apply", "-", input=text.replace("http://localhost:11434", url))


def test_route_says_that_nobody_serves_what_it_chose(rolecall: Rolecall) -> None:
    port = closed_port()
    at(rolecall, f"http://127.0.0.1:{port}")
    done = rolecall("route", "hello")
    assert (done.exit_code, done.stdout) == (0, "ollama/qwen3-8b\n")
    said = f"nobody answers at 127.0.0.1:{port}; start its server, or set a key: export "
    assert said in done.stderr
    assert said in " ".join(json.loads(rolecall("route", "hello", "--json").stdout)["notes"])


def test_a_server_that_answers_is_passed_over_in_silence_and_gets_no_prompt(
    rolecall: Rolecall,
) -> None:
    with FaultServer() as server:
        at(rolecall, server.base_url("ollama"))
        done = rolecall("route", "hello")
        assert (done.exit_code, done.stderr) == (0, "")
        assert server.received("qwen3:8b") == []


def test_ask_fails_in_one_line_that_says_what_to_do(rolecall: Rolecall) -> None:
    port = closed_port()
    at(rolecall, f"http://127.0.0.1:{port}")
    done = rolecall("ask", "hello", "--local-only")
    assert (done.exit_code, done.stdout) == (4, "")
    said, hint = done.stderr.splitlines()[-2:]
    assert said.count(f"cannot connect to 127.0.0.1:{port}") == 1
    assert hint.startswith("hint: start its server")


def test_a_wait_for_nobody_is_not_repeated_within_a_minute(tmp_path: Path) -> None:
    asked: list[str] = []

    def slow(url: str) -> bool:
        asked.append(url)
        time.sleep(0.03)
        return False

    with open_registry(tmp_path / "r.db") as db:
        for seconds in (0, 30, 61):
            now = NOW + timedelta(seconds=seconds)
            [note] = reachability_notes(db, HERE, (HERE, THERE), UNSET, now, slow)
            assert note.endswith("or set a key: export P_KEY=...")
    assert asked == [HERE.base_url] * 2


def test_what_refuses_at_once_is_asked_again_and_nothing_remote_ever(tmp_path: Path) -> None:
    asked: list[str] = []

    def refuse(url: str) -> bool:
        asked.append(url)
        return False

    with open_registry(tmp_path / "r.db") as db:
        for _ in range(2):
            [note] = reachability_notes(db, HERE, (HERE,), (), NOW, refuse)
            assert note == "lab/x: nobody answers at gpu.lan:8000; start its server"
        assert reachability_notes(db, THERE, (THERE,), (), NOW, refuse) == ()
    assert len(asked) == 2
