"""The fault server's HTTP: connections, chunks, records of what came, and its end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import httpx
import pytest

from rolecall.registry.core.entities import Api
from tests.faults.asking import APIS, KEY, address, ask, body, documents, headers, streamed_text
from tests.faults.plan import DEFAULT_TEXT, Plan, pieces, plan_of_name
from tests.faults.server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


def raw(server: FaultServer, api: Api, model: str = "m") -> bytes:
    """Return the bytes of a request."""
    content = json.dumps(body(api, model)).encode()
    prefix = "/v1" if api == "openai" else ""
    lines = [
        f"POST {prefix}{address(api, model)} HTTP/1.1",
        f"host: 127.0.0.1:{server.port}",
        f"content-length: {len(content)}",
        *(f"{name}: {value}" for name, value in headers(api).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def chunks(answer: bytes) -> list[bytes]:
    """Return the chunks of a chunked body, without the one that ends it."""
    _, _, rest = answer.partition(b"\r\n\r\n")
    found = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    assert found[-1] == b""
    return found[:-1]


def answered(server: FaultServer, api: Api) -> bytes:
    """Return the bytes of an answer; the connection is told to close."""
    request = raw(server, api).replace(b"content-length", b"connection: close\r\ncontent-length")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request)
        received = b""
        while more := connection.recv(65536):
            received += more
    return received


@pytest.mark.parametrize("api", APIS)
def test_one_connection_serves_several_calls(server: FaultServer, api: Api) -> None:
    with httpx.Client(verify=False, trust_env=False) as client:
        url = server.base_url(api) + address(api, "m")
        for _ in range(3):
            answer = client.post(url, json=body(api, "m"), headers=headers(api))
            assert streamed_text(api, documents(api, answer.text)) == DEFAULT_TEXT
        assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]
    assert len(server.received("m")) == 3


@pytest.mark.parametrize("api", APIS)
def test_a_call_is_recorded_as_it_came(server: FaultServer, api: Api) -> None:
    before = time.monotonic()
    ask(server, api, "some/model-1")
    [received] = server.received("some/model-1")
    assert received.api == api
    assert received.body == body(api, "some/model-1")
    assert json.loads(received.raw) == received.body
    assert KEY in " ".join(received.headers.values())
    assert before < received.at < time.monotonic()
    assert received.path.startswith(("/v1/", "/v1beta/models/some/model-1:", "/api/"))
    assert received.query == ({"alt": "sse"} if api == "gemini" else {})


def test_plans_are_taken_in_turn_and_the_last_stays(server: FaultServer) -> None:
    server.plan("m", Plan(fault="overloaded"), Plan(text="a b"), Plan(text="c d"))
    assert ask(server, "openai").status_code == 503
    texts = [ask(server, "ollama", stream=False).json()["message"]["content"] for _ in range(3)]
    assert texts == ["a b", "c d", "c d"]


def test_a_plan_of_one_model_is_not_that_of_another(server: FaultServer) -> None:
    server.plan("bad", Plan(fault="not_found"))
    assert ask(server, "anthropic", "bad").status_code == 404
    assert ask(server, "anthropic", "good").status_code == 200


def test_a_model_may_be_named_after_a_fault(server: FaultServer) -> None:
    assert ask(server, "openai", "fault-rate_limit").status_code == 429
    assert plan_of_name("fault-bad_utf8-middle") == Plan(fault="bad_utf8", at="middle")
    assert plan_of_name("fault-nonsense") is None
    assert plan_of_name("gpt-5") is None


def test_an_unknown_fault_is_refused_when_it_is_planned() -> None:
    with pytest.raises(ValueError, match="no fault nonsense"):
        Plan(fault="nonsense")


@pytest.mark.parametrize("text", ["", "a", "ab", DEFAULT_TEXT, " x  y\n\n z ", "\n", "日本語"])
def test_pieces_add_up_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize("api", APIS)
def test_each_record_is_a_chunk_of_its_own(server: FaultServer, api: Api) -> None:
    end = {"ollama": b"}\n", "gemini": b"}\r\n\r\n"}.get(api, b"\n\n")
    found = chunks(answered(server, api))
    assert len(found) > 4
    assert all(chunk.endswith(end) and chunk.count(end) == 1 for chunk in found)


@pytest.mark.parametrize("api", APIS)
def test_chunks_may_split_characters_and_lines(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(chunking="bytes"))
    found = chunks(answered(server, api))
    assert max(map(len, found)) == 3
    with pytest.raises(UnicodeDecodeError):
        _ = [chunk.decode() for chunk in found]
    assert streamed_text(api, documents(api, b"".join(found).decode())) == DEFAULT_TEXT
    assert streamed_text(api, documents(api, ask(server, api).text)) == DEFAULT_TEXT


@pytest.mark.parametrize("api", APIS)
def test_all_records_may_come_together(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(chunking="together"))
    [only] = chunks(answered(server, api))
    assert streamed_text(api, documents(api, only.decode())) == DEFAULT_TEXT


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("api", APIS)
def test_an_answer_may_be_compressed(server: FaultServer, api: Api, stream: bool) -> None:
    server.plan("m", Plan(gzip=True))
    answer = ask(server, api, stream=stream)
    assert answer.headers["content-encoding"] == "gzip"
    assert "world" in answer.text.replace("wörld", "world")


@pytest.mark.parametrize("api", APIS)
def test_lines_end_as_the_plan_says(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(newline="\r\n"), Plan(newline="\n"))
    windows, unix = ask(server, api).content, ask(server, api).content
    assert windows.count(b"\r\n") == windows.count(b"\n") > 0 == unix.count(b"\r")


@pytest.mark.parametrize("api", APIS)
def test_keep_alives_stand_between_records(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(comments=True))
    text = ask(server, api).text
    assert streamed_text(api, documents(api, text)) == DEFAULT_TEXT
    assert "\n\n\n" in text.replace("\r", "") or api == "ollama"
    assert (": keep-alive" in text) == (api != "ollama")
    assert (text.count("event: ping") > 1) == (api == "anthropic")
    assert "\n\n" in text.replace("\r", "")


def test_delays_come_before_the_head_and_between_tokens(server: FaultServer) -> None:
    server.plan("m", Plan(text="a b c", first_delay_s=0.2, token_delay_s=0.05))
    url = server.base_url("ollama") + "/api/chat"
    began, at = time.monotonic(), []
    with (
        httpx.Client(verify=False, trust_env=False) as client,
        client.stream("POST", url, json=body("ollama", "m")) as answer,
    ):
        for _ in answer.iter_lines():
            at.append(time.monotonic() - began)
    assert at[0] >= 0.2
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(at[:3]))


def test_loading_a_model_is_waited_for_and_reported_by_ollama_alone(server: FaultServer) -> None:
    server.plan("m", Plan(load_s=0.15))
    began = time.monotonic()
    assert documents("ollama", ask(server, "ollama").text)[-1]["load_duration"] == 150_000_000
    assert time.monotonic() - began >= 0.15
    began = time.monotonic()
    ask(server, "openai")
    assert time.monotonic() - began < 0.15


def test_the_lists_of_models_have_each_apis_shape(server: FaultServer) -> None:
    server.plan("m", Plan())
    with httpx.Client(
        verify=False, trust_env=False, base_url=f"http://127.0.0.1:{server.port}"
    ) as client:
        assert client.get("/v1/models").json()["data"][0]["id"] == "m"
        version = {"anthropic-version": "2023-06-01"}
        assert client.get("/v1/models", headers=version).json()["has_more"] is False
        assert client.get("/v1beta/models").json()["models"][0]["name"] == "models/m"
        assert client.get("/api/tags").json()["models"][0]["model"] == "m"
        assert client.get("/api/version").json() == {"version": "0.13.0"}
        assert client.get("/nowhere").status_code == 404
        assert client.get("/v1/chat/completions").status_code == 404
        assert client.post("/v1/models").status_code == 404
    assert server.requests == []


def test_a_chunked_request_and_a_wait_for_100_are_understood(server: FaultServer) -> None:
    content = json.dumps(body("ollama", "m")).encode()
    half = len(content) // 2
    parts = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (content[:half], content[half:]))
    head = b"POST /api/chat HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(parts + b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.requests[0].body == body("ollama", "m")


def test_leaving_the_server_ends_every_connection_and_thread() -> None:
    threads = threading.active_count()
    with FaultServer() as server:
        server.plan("stalled", Plan(fault="stall", at="middle"))
        stalled, idle = (
            socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(2)
        )
        stalled.sendall(raw(server, "openai", "stalled"))
        idle.sendall(raw(server, "openai"))
        assert stalled.recv(10)
        assert idle.recv(10)
        assert threading.active_count() == threads + 3
    assert threading.active_count() == threads
    with stalled, idle:
        for connection in (stalled, idle):
            while connection.recv(65536):
                pass


def test_a_client_that_leaves_ends_the_thread_that_waits_for_it(server: FaultServer) -> None:
    threads = threading.active_count()
    server.plan("m", Plan(fault="stall"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(raw(server, "gemini"))
        while not server.requests:
            time.sleep(0.005)
        assert threading.active_count() == threads + 1
    until = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.005)
    assert threading.active_count() == threads


def test_a_mistake_of_the_server_itself_is_not_taken_for_a_fault() -> None:
    with (
        pytest.raises(AssertionError, match="the fault server itself failed"),
        FaultServer(Plan(tool_calls=(("f", "not JSON"),))) as server,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        ask(server, "ollama")
