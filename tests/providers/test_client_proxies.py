"""What goes through a proxy, what never does, and what is said of one that fails."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given

from rolecall.registry.core.addresses import is_local_host
from rolecall.registry.core.chat import Timeouts
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.http import exchange
from rolecall.registry.providers.protocol import Target
from tests.core.url_spellings import SPELLINGS
from tests.providers.chats import chat, target
from tests.providers.loopback import Connection, Loopback

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
WHOLE = {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}
REMOTE = "http://llm.invalid/v1"
pytestmark = pytest.mark.usefixtures("no_invalid_name_is_known")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def answer(connection: Connection) -> None:
    connection.head("application/json")
    connection.send(json.dumps(WHOLE))


@contextmanager
def proxy(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[Loopback]:
    """A listener on loopback that these variables name, and that answers whatever it is asked."""
    with Loopback(answer) as listener:
        for name in names:
            monkeypatch.setenv(name, listener.url.removesuffix("/v1"))
        yield listener


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def served(base_url: str, *, local_only: bool = False, **fields: Any) -> Target:
    made = target(base_url, **fields)
    return Target(made.endpoint, made.model, made.key, local_only, not local_only)


def said(where: Target) -> list[Any]:
    with Client(timeouts=Timeouts(2.0, 5.0, 5.0)) as client:
        return list(client.call(where, chat(), stream=False))


def failure(where: Target) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        said(where)
    return caught.value


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001"])
def test_what_is_asked_of_a_local_address_passes_by_every_proxy(
    name: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(monkeypatch, name) as listener, Loopback(answer) as server:
        assert len(said(served(server.url.replace("127.0.0.1", host)))) == 2
        assert (len(listener.connections), len(server.connections)) == (0, 1)


def test_what_is_asked_of_another_address_goes_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with proxy(monkeypatch, "HTTP_PROXY") as listener:
        assert len(said(served(REMOTE))) == 2
        assert len(listener.connections) == 1


def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", ".invalid")
    with proxy(monkeypatch, "HTTP_PROXY") as listener:
        assert failure(served(REMOTE)).error_type == "connect_failed"
        assert not listener.connections


def test_what_the_policy_restricts_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    made = target(REMOTE)
    with proxy(monkeypatch, "HTTP_PROXY") as listener:
        failed = failure(Target(made.endpoint, made.model, made.key, allows_proxy=False))
        assert not listener.connections
    assert "HTTP_PROXY" in failed.message
    assert "the policy allows none" in failed.message


def test_a_proxy_that_is_not_there_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"127.0.0.1:{closed_port()}"
    monkeypatch.setenv("HTTP_PROXY", f"http://me:password@{address}")
    failed = failure(served(REMOTE))
    assert failed.error_type == "not_sent"
    assert f"the proxy of HTTP_PROXY (http://{address})" in failed.message
    assert "password" not in failed.message


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_refuses_is_named(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback(lambda one: one.head(status=status)) as listener:
        monkeypatch.setenv("HTTP_PROXY", listener.url.removesuffix("/v1"))
        assert "the proxy of HTTP_PROXY (" in failure(served(REMOTE)).message


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "socks", "gopher", "http://[::"])
def test_a_proxy_that_cannot_be_used_is_named_and_stops_only_what_needs_it(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:password@127.0.0.1:{closed_port()}")
    failed = failure(served("https://llm.invalid/v1"))
    assert failed.error_type == "not_sent"
    assert failed.message.count("ALL_PROXY") == 1
    assert "password" not in failed.message
    assert ("pip install socksio" in failed.message) is scheme.startswith("socks5")
    with Loopback(answer) as server:
        assert len(said(served(server.url))) == 2
        monkeypatch.setenv("NO_PROXY", "llm.invalid")
        assert failure(served("https://llm.invalid/v1")).error_type == "connect_failed"


def test_certificates_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    with pytest.raises(CallFailed) as caught:
        Client()
    assert "SSL_CERT_FILE" in caught.value.message


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_a_redirect_carries_the_prompt_nowhere(status: str) -> None:
    with Loopback(answer) as elsewhere:

        def redirect(connection: Connection) -> None:
            place = f"location: {elsewhere.url}/chat/completions"
            connection.head(f"text/plain\r\n{place}", status)

        with Loopback(redirect) as server:
            failed = failure(served(server.url, local_only=True, locality="local"))
        assert not elsewhere.connections
    assert "redirects to" in failed.message


@pytest.mark.parametrize("locality", ["local", "remote"])
@pytest.mark.parametrize("base_url", ["http://8.8.8.8/v1", "http://127.0.0.1@8.8.8.8", REMOTE])
def test_only_local_is_held_against_the_address_just_before_it_is_sent(
    base_url: str, locality: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(monkeypatch, "ALL_PROXY") as listener:
        failed = failure(served(base_url, local_only=True, locality=locality))
        assert not listener.connections
    assert failed.error_type == "not_sent"
    assert "only local is allowed" in failed.message


def test_a_local_address_of_an_endpoint_that_is_stated_remote_is_not_for_local_requests() -> None:
    with Loopback(answer) as server:
        assert failure(served(server.url, local_only=True)).error_type == "not_sent"
        assert not server.connections
        assert len(said(served(server.url, local_only=True, locality="local"))) == 2


def test_a_name_that_leads_to_a_public_address_gets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Loopback(answer) as server:
        monkeypatch.setattr(exchange, "is_local_host", lambda address: address != "127.0.0.1")
        failed = failure(served(server.url, local_only=True, locality="local"))
        assert all(one.body is None for one in server.connections)
    assert (failed.error_type, "is at 127.0.0.1" in failed.message) == ("not_sent", True)


def test_a_transport_of_its_own_is_held_to_the_policy_too() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=WHOLE)

    with Client(transport=httpx.MockTransport(handle)) as client:
        with pytest.raises(CallFailed):
            list(client.call(served(REMOTE, local_only=True), chat(), stream=False))
        assert not seen
        list(client.call(served(REMOTE), chat(), stream=False))
        assert len(seen) == 1


@given(SPELLINGS)
def test_however_a_url_is_spelled_only_local_hosts_are_asked_what_only_they_may_be(
    base_url: str,
) -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json=WHOLE)

    with contextlib.suppress(CallFailed), Client(transport=httpx.MockTransport(handle)) as client:
        where = served(base_url, local_only=True, locality="local")
        list(client.call(where, chat(), stream=False))
    for host in asked:
        assert is_local_host(host) or "." not in host
