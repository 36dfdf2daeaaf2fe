"""Each fault, in each API and at each place, as it is seen at the other end of the socket."""

from __future__ import annotations

import json
import re
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


def read(
    server: FaultServer, api: Api, *, timeout_s: float = 0.2, whole: bool = False
) -> tuple[str, Exception | None]:
    """Return what came of an answer, and what broke it."""
    url = server.base_url(api) + address(api, "m", stream=not whole)
    received = b""
    try:
        with (
            httpx.Client(verify=False, trust_env=False, timeout=timeout_s) as client,
            client.stream(
                "POST", url, json=body(api, "m", stream=not whole), headers=headers(api)
            ) as answer,
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


def expected(at: At) -> str:
    return "" if at == "before" else HALF


@pytest.mark.parametrize("api", APIS)
def test_nobody_listens_at_the_refusing_url(server: FaultServer, api: Api) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.post(server.refusing_url(api) + address(api, "m"), trust_env=False, verify=False)
    assert server.refusing_url(api) != server.base_url(api)


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
    assert streamed_text(api, documents(api, text)) == expected(at)
    assert not is_finished(api, text)


@pytest.mark.parametrize("fault", ["reset", "close", "stall", "drip", "cut"])
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_a_document_breaks_off(server: FaultServer, api: Api, at: At, fault: str) -> None:
    server.plan("m", Plan(fault=fault, at=at))
    text, broken = read(server, api, whole=True)
    assert (broken is None) == (fault == "cut")
    assert (text.strip() == "") == (at == "before")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(text)


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_noise_drips_without_end(server: FaultServer, api: Api, at: At) -> None:
    server.plan("m", Plan(fault="drip", at=at))
    text, _ = read(server, api)
    noise = {"ollama": "\n", "anthropic": "event: ping"}.get(api, ": keep-alive")
    assert text.count(noise) > 4


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_one_record_is_garbled(server: FaultServer, api: Api, at: At, whole: bool) -> None:
    server.plan("m", Plan(fault="garble", at=at))
    text, broken = read(server, api, whole=whole)
    assert broken is None
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(text) if whole else documents(api, text)
    assert is_finished(api, text)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_a_page_comes_under_status_200(server: FaultServer, api: Api, at: At, whole: bool) -> None:
    server.plan("m", Plan(fault="html", at=at, echo_key=True))
    answer = ask(server, api, stream=not whole)
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("</html>")
    assert KEY in answer.text
    assert answer.headers["content-type"].startswith("text/html") == (at == "before")
    assert answer.text.startswith("<!DOCTYPE") == (at == "before")


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_the_text_holds_bytes_that_are_not_utf8(
    server: FaultServer, api: Api, at: At, whole: bool
) -> None:
    server.plan("m", Plan(fault="bad_utf8", at=at))
    answer = ask(server, api, stream=not whole)
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    lenient = answer.content.decode(errors="replace")
    if not whole:
        assert streamed_text(api, documents(api, lenient)).startswith(
            "\ufffd(\ufffd" if at == "before" else "Hello, wörld!\ufffd(\ufffd"
        )
    assert is_finished(api, lenient)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("api", APIS)
def test_an_empty_answer_is_finished(server: FaultServer, api: Api, whole: bool) -> None:
    server.plan("m", Plan(fault="empty", thinking="Hm", tool_calls=(("f", "{}"),)))
    text = ask(server, api, stream=not whole).text
    assert is_finished(api, text)
    assert not any(word in text for word in ("Hello", "Hm", '"f"'))
    if not whole:
        assert streamed_text(api, documents(api, text)) == ""


@pytest.mark.parametrize("api", APIS)
def test_all_of_the_text_comes_without_a_finish(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(fault="no_finish"))
    answer = ask(server, api)
    assert streamed_text(api, documents(api, answer.text)) == DEFAULT_TEXT
    assert not is_finished(api, answer.text)
    assert "[DONE]" not in answer.text
    document = ask(server, api, stream=False).text
    assert not is_finished(api, document)
    assert "world" in document.replace("wörld", "world")


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("api", APIS)
def test_an_error_record_ends_the_stream(server: FaultServer, api: Api, at: At) -> None:
    server.plan("m", Plan(fault="error_event", at=at))
    answer = ask(server, api)
    found = documents(api, answer.text)
    assert answer.status_code == 200
    assert "error" in found[-1]
    assert streamed_text(api, found) == expected(at)
    assert not is_finished(api, answer.text)
    assert "error" in ask(server, api, stream=False).json()
    if api == "anthropic":
        assert "event: error\n" in answer.text
        assert found[-1]["error"]["type"] == "api_error"


@pytest.mark.parametrize("fault", sorted(REFUSALS))
@pytest.mark.parametrize("stream", [True, False])
def test_a_refusal_has_each_providers_status(server: FaultServer, fault: str, stream: bool) -> None:
    server.plan("m", Plan(fault=fault))
    found = [ask(server, api, stream=stream) for api in APIS]
    assert tuple(answer.status_code for answer in found) == STATUSES[fault]
    for answer in found:
        if answer.status_code != 200:
            assert answer.json()["error"]
            assert answer.headers["content-type"] == "application/json"
            assert KEY not in answer.text


@pytest.mark.parametrize("fault", sorted(REFUSALS - {"refused_content"}))
@pytest.mark.parametrize("api", APIS)
def test_in_the_middle_a_refusal_is_an_error_record(
    server: FaultServer, api: Api, fault: str
) -> None:
    server.plan("m", Plan(fault=fault), Plan(fault=fault, at="middle"))
    before, middle = ask(server, api), ask(server, api)
    assert middle.status_code == 200
    *said, last = documents(api, middle.text)
    assert streamed_text(api, said) == HALF
    assert last["error"] == before.json()["error"]


def test_errors_have_each_providers_shape(server: FaultServer) -> None:
    server.plan("m", Plan(fault="quota"))
    openai, anthropic, gemini, ollama = (ask(server, api).json() for api in APIS)
    assert set(openai["error"]) == {"message", "type", "param", "code"}
    assert openai["error"]["code"] == "insufficient_quota"
    assert (anthropic["type"], anthropic["error"]["type"]) == ("error", "invalid_request_error")
    assert anthropic["error"]["message"].startswith("Your credit balance is too low")
    assert anthropic["request_id"].startswith("req_")
    assert (gemini["error"]["code"], gemini["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert "PerDay" in gemini["error"]["details"][0]["violations"][0]["quotaId"]
    assert list(ollama) == ["error"]


def test_the_wait_is_told_in_a_header_or_in_geminis_details(server: FaultServer) -> None:
    server.plan("m", Plan(fault="rate_limit", retry_after="7"))
    found = {api: ask(server, api) for api in APIS}
    waits = {api: answer.headers.get("retry-after") for api, answer in found.items()}
    assert waits == {"openai": "7", "anthropic": "7", "gemini": None, "ollama": "7"}
    details = found["gemini"].json()["error"]["details"]
    assert details[-1]["@type"].endswith("google.rpc.RetryInfo")
    assert details[-1]["retryDelay"] == "7s"
    server.plan("m", Plan(fault="rate_limit", retry_after="Fri, 31 Dec 2027 23:59:59 GMT"))
    assert "31 Dec" in ask(server, "gemini").headers["retry-after"]


def test_each_provider_names_its_request(server: FaultServer) -> None:
    assert ask(server, "openai").headers["x-request-id"].startswith("req_")
    assert ask(server, "anthropic").headers["request-id"].startswith("req_")
    server.plan("m", Plan(fault="server_error"))
    assert ask(server, "openai").headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("api", APIS)
def test_an_error_may_repeat_the_key(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(fault="bad_key", echo_key=True, at="middle"), Plan(fault="bad_key"))
    assert KEY in ask(server, api).text
    assert KEY not in ask(server, api).text


@pytest.mark.parametrize("api", APIS)
def test_a_refused_parameter_is_named(server: FaultServer, api: Api) -> None:
    server.plan("m", Plan(fault="bad_parameter", parameter="top_k"))
    text = ask(server, api).text
    assert ("topK" if api == "gemini" else "top_k") in text
    if api == "openai":
        assert json.loads(text)["error"]["param"] == "top_k"


@pytest.mark.parametrize("stream", [True, False])
def test_refused_content_may_be_told_under_status_200(server: FaultServer, stream: bool) -> None:
    server.plan("m", Plan(fault="refused_content"))
    gemini = ask(server, "gemini", stream=stream).text.replace(": ", ":")
    assert '"blockReason":"PROHIBITED_CONTENT"' in gemini
    assert "candidates" not in gemini.replace("candidatesToken", "")
    anthropic = ask(server, "anthropic", stream=stream).text
    assert '"stop_reason":"refusal"' in anthropic
    assert "text_delta" not in anthropic


@pytest.mark.parametrize(
    ("api", "word"),
    [("openai", "content_filter"), ("anthropic", "refusal"), ("gemini", "SAFETY")],
)
def test_content_may_be_refused_in_the_middle(server: FaultServer, api: Api, word: str) -> None:
    server.plan("m", Plan(fault="refused_content", at="middle"))
    text = ask(server, api).text
    assert word in text
    assert streamed_text(api, documents(api, text)) == HALF


def test_the_head_may_drip(server: FaultServer) -> None:
    server.plan("m", Plan(fault="slow_header", token_delay_s=0.002))
    began = time.monotonic()
    answer = ask(server, "ollama")
    assert time.monotonic() - began > 0.1
    assert streamed_text("ollama", documents("ollama", answer.text)) == DEFAULT_TEXT


@pytest.mark.parametrize("api", APIS)
def test_the_middle_is_after_the_thinking_and_half_of_the_text(
    server: FaultServer, api: Api
) -> None:
    server.plan("m", Plan(fault="cut", at="middle", thinking="Hm hm", text="word"))
    text = ask(server, api).text
    assert "hm" in text
    assert streamed_text(api, documents(api, text)) == "wo"
