"""What a proxy sees of asks, fallbacks and probes, and what of their policies is held at last."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.registry.calls.attempt import Attempt, Caller
from rolecall.registry.calls.plan import CallPlan
from rolecall.registry.core.chat import Chat, Text, Turn
from rolecall.registry.core.entities import DataPolicy, Endpoint, Model, Strategy
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.core.requests import Task
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.http import exchange
from rolecall.registry.telemetry.recorder import Recorder
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served
from tests.providers.loopback import Connection, Loopback

HELLO = Chat((Turn("user", (Text("hello"),)),))
WHOLE = {"choices": [{"message": {"content": "by proxy"}, "finish_reason": "stop"}]}
FAR = "http://llm.invalid/v1"
STRATEGIES = "strategies: [{id: no-training, data_policy: {trains_on_data: false}}]"
pytestmark = pytest.mark.usefixtures("no_invalid_name_is_known")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A proxy that every variable names and that answers whatever it is asked."""

    def answer(connection: Connection) -> None:
        connection.head("application/json")
        connection.send(json.dumps(WHOLE))

    for name in ("no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Loopback(answer) as listener:
        for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, listener.url.removesuffix("/v1"))
        yield listener


@pytest.mark.parametrize("words", [[], ["--local-only"], ["--strategy", "private"]])
def test_asking_a_local_endpoint_shows_the_proxy_nothing_in_no_try_and_no_fallback(
    serving: Serving, rolecall: Rolecall, proxy: Loopback, words: list[str]
) -> None:
    serving.register(
        Served(endpoint="near/a", model="m", locality="local"),
        Served(endpoint="near/b", model="m", locality="local", reasoning_effort="low"),
    )
    for name in ("a", "b"):
        serving.server.plan(name, Plan(fault="server_error"), Plan(fault="server_error"))
    assert rolecall("ask", "a private matter", *words).exit_code == 4
    assert {one.endpoint for one in serving.calls()} == {"near/a", "near/b"}
    assert proxy.connections == []


def test_a_probe_of_a_local_endpoint_shows_the_proxy_nothing(
    serving: Serving, rolecall: Rolecall, proxy: Loopback
) -> None:
    serving.one(locality="local")
    assert rolecall("probe").exit_code == 0
    assert (len(serving.server.received("m")), proxy.connections) == (1, [])


def test_a_remote_endpoint_is_asked_through_the_proxy_unless_a_data_policy_restricts_it(
    serving: Serving, rolecall: Rolecall, proxy: Loopback
) -> None:
    serving.register(Served(endpoint="far/m", base_url=FAR))
    serving.apply(STRATEGIES)
    assert rolecall("ask", "hello").stdout == "by proxy\n"
    assert len(proxy.connections) == 1
    restricted = "endpoints: [{id: far/m, model: m, base_url: 'http://llm.invalid/v1', "
    serving.apply(f"{restricted}data_policy: {{trains_on_data: false}}}}]")
    refused = rolecall("ask", "a private matter", "--strategy", "no-training")
    assert (refused.exit_code, len(proxy.connections)) == (4, 1)
    assert "the proxy of http_proxy (" in refused.stderr
    assert "is not used: the policy allows none" in refused.stderr


def test_a_file_of_earlier_times_cannot_send_local_matters_away(
    serving: Serving, rolecall: Rolecall, proxy: Loopback
) -> None:
    serving.register(Served(endpoint="near/m", locality="local"))
    with open_registry(None) as db:
        db.run("UPDATE endpoints SET base_url = ?", (FAR,))
    refused = rolecall("ask", "a private matter", "--local-only")
    assert (refused.exit_code, proxy.connections) == (3, [])
    assert "only local is allowed, and its address is not" in refused.stderr
    checked = rolecall("registry", "check")
    assert (checked.exit_code, "write locality: remote" in checked.stdout) == (1, True)
    assert rolecall("endpoints", "list").stdout.splitlines()[1].split()[5] == "remote"


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy("s", local_only=True),
        Strategy("s", deny=("far/*",)),
        Strategy("s", allow=("near/*",)),
        Strategy("s", regions=("eu",)),
        Strategy("s", data_policy=DataPolicy(trains_on_data=False)),
    ],
)
def test_a_call_that_its_policy_forbids_is_not_made_whatever_was_decided(
    serving: Serving, proxy: Loopback, tmp_path: Path, strategy: Strategy
) -> None:
    command = f"touch {tmp_path}/ran; echo the-key"
    endpoint = Endpoint("far/m", "m", base_url=FAR, remote_model="m", key_command=command)
    task = Task("general", "declared", 1.0, "declared", input_tokens=1)
    attempt = Attempt(CallPlan(endpoint, Model("m"), HELLO, task, strategy, 1))
    with open_registry(None) as db, Client() as client:
        recorder = Recorder(db)
        caller = Caller(recorder, client, dict(os.environ))
        with pytest.raises(CallFailed) as caught:
            list(caller.events(attempt))
        assert recorder.flush() is None
    assert (caught.value.error_type, attempt.call.cost_usd) == ("not_sent", 0.0)
    assert "far/m is not asked: " in caught.value.message
    assert (proxy.connections, (tmp_path / "ran").exists()) == ([], False)
    assert [one.error_type for one in serving.calls()] == ["not_sent"]


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (["--local-only"], 4),
        (["--strategy", "private"], 4),
        (["--strategy", "in-eu"], 4),
        ([], 0),
    ],
)
def test_a_name_that_leads_out_of_the_private_network_gets_what_no_policy_limits(
    serving: Serving,
    rolecall: Rolecall,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    exit_code: int,
) -> None:
    serving.one(locality="local")
    serving.apply("strategies: [{id: in-eu, regions: [eu]}]")
    monkeypatch.setattr(exchange, "is_local_host", lambda address: address != "127.0.0.1")
    result = rolecall("ask", "a private matter", *words)
    assert result.exit_code == exit_code
    assert ("is at 127.0.0.1, which is not local" in result.stderr) is (exit_code == 4)
    assert len(serving.server.received("m")) == (exit_code == 0)
