"""Refusals, addresses that lead nowhere, and keys that must not be seen."""

from __future__ import annotations

import base64
import traceback
from typing import Any

import httpx
import pytest

from rolecall.registry.core.chat import Completed
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from tests.providers.chats import KEY, chat, target


def refusing(
    status: int, *, headers: dict[str, str] | None = None, **body: Any
) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, **body))


def failed(
    transport: httpx.BaseTransport | None = None,
    base_url: str = "https://api.example.com/v1",
    key: str = KEY,
    **options: Any,
) -> CallFailed:
    with Client(transport=transport) as client, pytest.raises(CallFailed) as caught:
        list(client.call(target(base_url, key=key), chat(options=options)))
    return caught.value


def test_a_refusal_is_told_with_its_status_and_wait() -> None:
    refusal = {"error": {"message": "slow down"}}
    failure = failed(refusing(429, headers={"retry-after": "7"}, json=refusal))
    assert (failure.error_type, failure.status, failure.retry_after_s) == ("rate_limited", 429, 7.0)
    assert failure.message == "status 429: slow down"
    assert failure.partial is None


@pytest.mark.parametrize(
    ("said", "may_retry"), [("true", True), ("False", False), ("perhaps", None), (None, None)]
)
def test_whether_another_try_is_worthwhile_is_what_the_server_says(
    said: str | None, may_retry: bool | None
) -> None:
    headers = None if said is None else {"x-should-retry": said}
    assert failed(refusing(503, headers=headers, text="no")).may_retry is may_retry


def test_a_refusal_may_be_a_page_or_endless() -> None:
    page = failed(refusing(502, html="<title>502 Bad Gateway</title>"))
    assert (page.error_type, page.message) == ("server_error", "status 502: 502 Bad Gateway")
    long = failed(refusing(400, text="x" * 1_000_000))
    assert (long.error_type, len(long.message)) == ("bad_request", 300)
    garbled = failed(refusing(500, content=b"\xff\xfe{"))
    assert garbled.error_type == "server_error"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304])
def test_a_redirect_is_not_followed_with_the_key(status: int) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers={"location": "https://other.example/v1?a=b"})

    failure = failed(httpx.MockTransport(handle))
    assert len(seen) == 1
    assert (failure.error_type, failure.status) == ("not_found", status)
    said = "api.example.com redirects to other.example: set base_url to where it answers"
    assert failure.message == said


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        ("http://127.0.0.1:1/v1", "cannot connect to 127.0.0.1:1: Connection refused"),
        ("localhost:11434", "base_url must begin with http:// or https://"),
        ("ftp://a.example", "base_url must begin with http:// or https://"),
        ("", "place/model has no base_url"),
        ("http://localhost:99999", "base_url names no host and port that can be reached"),
        ("http://a.example:no/v1", "base_url names no host and port that can be reached"),
        (f"http://{'a' * 70}.example", "base_url names no host and port that can be reached"),
        ("http://", "base_url must begin with http:// or https://"),
        ("http://a\nb/v1", "base_url names no host and port that can be reached"),
    ],
)
def test_an_address_that_leads_nowhere_is_no_connection(base_url: str, said: str) -> None:
    failure = failed(base_url=base_url)
    assert failure.error_type == "connect_failed"
    assert said in failure.message
    assert failure.status is None


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://user:word@proxy.example")
    with pytest.raises(CallFailed) as caught:
        Client()
    assert caught.value.error_type == "connect_failed"
    assert "word@" not in caught.value.message


def test_a_number_that_json_cannot_hold_is_a_bad_request() -> None:
    assert failed(temperature=float("nan")).error_type == "bad_request"


@pytest.mark.parametrize("key", ["secret-key\nvalue", "sécret-key-value", "secret\x7fkey-value"])
def test_a_key_that_no_header_can_hold_never_reaches_one(key: str) -> None:
    failure = failed(key=key)
    assert failure.error_type == "auth"
    told = "".join(traceback.format_exception(failure)) + repr(vars(failure))
    assert key not in told
    assert "key-value" not in told


def everything(failure: CallFailed) -> str:
    return "".join(traceback.format_exception(failure)) + repr(vars(failure)) + str(failure)


@pytest.mark.parametrize("form", [KEY, base64.b64encode(KEY.encode()).decode()])
def test_a_key_that_a_server_repeats_is_not_repeated(form: str) -> None:
    refused = failed(refusing(401, json={"error": {"message": f"bad key {form}"}}))
    assert refused.message == "status 401: bad key [key]"
    broken = f'data: {{"id": "{form}", "model": "{form}"}}\n\ndata: {{"error": "{form}"}}\n\n'
    cut = failed(refusing(200, headers={"content-type": "text/event-stream"}, text=broken))
    page = failed(refusing(200, headers={"content-type": f"text/{form}"}, text="x"))
    garbled = failed(refusing(200, headers={"content-type": "application/json"}, text=f"{form}!"))
    for failure in (refused, cut, page, garbled):
        assert form not in everything(failure)
    assert cut.partial is not None
    assert (cut.partial.response_id, cut.partial.response_model) == ("[key]", "[key]")


def test_a_key_in_the_metadata_of_an_answer_is_not_kept() -> None:
    document = {
        "id": f"{KEY}\n{KEY}",
        "model": KEY,
        "choices": [{"message": {"content": "x"}, "finish_reason": KEY}],
    }
    with Client(transport=refusing(200, json=document)) as client:
        *_, last = client.call(target(), chat())
    assert isinstance(last, Completed)
    assert KEY not in repr(last)
    assert last.answer.response_id == "[key] [key]"
