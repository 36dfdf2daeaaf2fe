"""Each fault, in each API and at each place, as it is seen at the other end of the socket."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from rolecall.registry.core.entities import Api
from tests.faults.asking import APIS, KEY, address, ask, body, documents, headers, streamed_text
from tests.faults.plan import DEFAULT_TEXT, REFUSALS, At, Plan
from tests.faults.server import FaultServer

PLACES: tuple[At, ...] = ("before", "middle")
HALF = "Hello, wörld!"
FINISH: dict[Api, str] = {
    "openai": r'"finish_reason": ?"',
    "anthropic": r'"stop_reason": ?"',
    "gemini": r'"finishReason": ?"',
    "ollama": r'"done": ?true',
}
STATUSES: dict[str, tuple[int, int, int, int]] = {
    "rate_limit": (429, 429, 429, 429),
    "quota": (429, 400, 429, 402),
    "bad_key": (401, 401, 400, 401),
    "forbidden": (403, 403, 403, 403),
    "not_found": (404, 404, 404, 404),
    "context_too_long": (400, 400, 400, 400),
    "bad_parameter": (400, 400, 400, 400),
    "refused_content": (400, 200, 200, 400),
    "bad_request": (400, 400, 400, 400),
    "server_error": (500, 500, 500, 500),
    "overloaded": (503, 529, 503, 503),
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


def read(server: FaultServer, api: Api, timeout_s: float = 0.2) -> tuple[str, Exception | None]:
    """Return what came of a stream, and what broke it."""
    url = server.base_url(api) + address(api, "m")
    received = b""
    try:
        with (
            httpx.Client(verify=False, trust_env=False, timeout=timeout_s) as client,
            client.stream("POST", url, json=body(api, "m"), headers=headers(api)) as answer,
        ):
            until = time.monotonic() + timeout_s
            for piece in answer.iter_raw():
                received += piece
                if time.monotonic() > until:
                    raise TimeoutError
    except (httpx.TransportError, TimeoutError) as error:
        return received.decode(errors="replace"), error
    return received.decode(errors="replace"), None


def is_finished(api: Api, text: str) -> bool:
    return re.search(FINISH[api], text) is not None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", httpx.ReadError),
        ("close", httpx.RemoteProtocolError),
        ("stall", httpx.ReadTimeout),
        ("drip", TimeoutError),
        ("cut", None),
    ],
)
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_a_stream_breaks_off(
    server: FaultServer, api: Api, at: At, fault: str, error: type[Exception] | None
) -> None:
    server.plan("m", Plan(fault=fault, at=at))
    text, broken = read(server, api)
    assert broken is None if error is None else isinstance(broken, error)
    assert streamed_text(api, documents(api, text)) == ("" if at == "before" else HALF)
    assert not is_finished(api, text)


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_spoilt(server: FaultServer, api: Api, at: At) -> None:
    faults = ("garble", "html", "bad_utf8", "error_event")
    server.plan("m", *(Plan(fault=fault, at=at) for fault in faults))
    garbled, page, bytes_, error = (ask(server, api) for _ in faults)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        documents(api, garbled.text)
    assert page.text.rstrip().endswith("</html>")
    assert page.headers["content-type"].startswith("text/html") == (at == "before")
    with pytest.raises(UnicodeDecodeError):
        bytes_.content.decode()
    assert "error" in documents(api, error.text)[-1]
    assert {one.status_code for one in (garbled, page, bytes_, error)} == {200}
    assert [is_finished(api, one.text) for one in (garbled, bytes_, error)] == [True, True, False]


@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_empty_or_never_finished(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(fault="empty", thinking="Hm"), Plan(fault="no_finish"))
    empty, endless = ask(server, api).text, ask(server, api).text
    assert (is_finished(api, empty), streamed_text(api, documents(api, empty))) == (True, "")
    assert not is_finished(api, endless)
    assert streamed_text(api, documents(api, endless)) == DEFAULT_TEXT


@pytest.mark.parametrize("fault", sorted(REFUSALS))
def test_a_refusal_has_each_providers_status(server: FaultServer, fault: str) -> None:
    server.plan("m", Plan(fault=fault))
    found = [ask(server, api) for api in APIS]
    assert tuple(answer.status_code for answer in found) == STATUSES[fault]
    for answer in found:
        assert KEY not in answer.text
        assert answer.status_code == 200 or answer.json()["error"]


@pytest.mark.parametrize("fault", sorted(REFUSALS - {"refused_content"}))
@pytest.mark.parametrize("api", APIS)
def test_in_the_middle_a_refusal_is_an_error_record(
    server: FaultServer, api: Api, fault: str
) -> None:
    server.plan("m", Plan(fault=fault), Plan(fault=fault, at="middle"))
    before, middle = ask(server, api), ask(server, api)
    *said, last = documents(api, middle.text)
    assert streamed_text(api, said) == HALF
    assert last["error"] == before.json()["error"]


@pytest.mark.parametrize("api", APIS)
def test_an_error_may_repeat_the_key(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(fault="bad_key", echo_key=True, at="middle"))
    assert KEY in ask(server, api).text


def test_leaving_the_server_ends_every_connection_and_thread() -> None:
    threads = threading.active_count()
    with FaultServer(Plan(fault="stall")) as server:
        content = json.dumps(body("openai", "m")).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(content)}\r\n\r\n"
        stalled = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        stalled.sendall(head.encode() + content)
        while not server.requests:
            time.sleep(0.005)
        assert threading.active_count() == threads + 2
    assert threading.active_count() == threads
    stalled.close()


def test_a_mistake_of_the_server_itself_is_not_taken_for_a_fault() -> None:
    with (
        pytest.raises(AssertionError, match="the fault server itself failed"),
        FaultServer(Plan(tool_calls=(("f", "not JSON"),))) as server,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        ask(server, "ollama")
