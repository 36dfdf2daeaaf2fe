"""One connection tells whether a server answers: nothing is sent, and it is soon given up."""

from __future__ import annotations

import socket
import time
from threading import Event

import pytest

from rolecall.registry.providers.reach import CONNECT_S, is_reached, place
from tests.faults.server import FaultServer


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_server_is_reached_and_gets_no_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_reached(f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        connection, _ = server.accept()
        assert connection.recv(1) == b""
        connection.close()
    assert not is_reached(f"http://127.0.0.1:{closed_port()}")


@pytest.mark.parametrize("url", ["http://", "http://[::1", "ftp://localhost", "http://h:99999"])
def test_an_address_that_names_no_place_is_not_reached(url: str) -> None:
    assert place(url) is None
    assert not is_reached(url)


def test_a_name_that_takes_long_to_look_up_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up = Event()

    def look_up(*_: object, **__: object) -> list[object]:
        looked_up.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.perf_counter()
    assert not is_reached("http://gpu.lan:8000/v1")
    assert time.perf_counter() - started < 10 * CONNECT_S
    looked_up.set()


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url("ollama"))
        assert not is_reached(f"http://127.0.0.1:{closed_port()}")
