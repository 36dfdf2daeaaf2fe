"""Errors in shapes that no API documents, with status 200 too, show their words and their kind."""

from __future__ import annotations

import json
from typing import Any, get_args

import httpx
import pytest

from rolecall.registry.core.chat import Completed
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.error_body import is_error, message_of
from rolecall.registry.providers.errors import failure_of
from tests.providers.chats import chat, target

APIS: tuple[Api, ...] = get_args(Api)
SPENT = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}

# A body, words of it, and its kind where it comes with status 200.
FOREIGN = [
    ({"code": 500, "msg": "404 NOT_FOUND model m-9", "success": False}, "model m-9", "not_found"),
    (SPENT, "insufficient balance", "quota_exceeded"),
    ({**SPENT, "choices": None}, "insufficient balance", "quota_exceeded"),
    ({"code": 1113, "message": "account in arrears"}, "account in arrears", "quota_exceeded"),
    (
        {"error_code": 18, "error_msg": "Open api qps request limit reached"},
        "request limit reached",
        "rate_limited",
    ),
    (
        {"error_code": 17, "error_msg": "daily request limit reached"},
        "daily request limit",
        "quota_exceeded",
    ),
    (
        {"success": False, "errors": [{"code": 7003, "message": "No route for that URI"}]},
        "No route for that URI",
        "stream_error",
    ),
    ({"Message": "User is not authorized", "__type": "AccessDenied"}, "not authorized", "auth"),
    (
        {"throttlingException": {"message": "Slow down, please."}},
        "Slow down, please.",
        "rate_limited",
    ),
    ({"fault": {"faultstring": "Invalid ApiKey"}}, "Invalid ApiKey", "auth"),
    (
        {"fault": {"faultstring": "Spike arrest", "detail": {"errorcode": "policies.Quota"}}},
        "Spike arrest",
        "rate_limited",
    ),
    ({"detail": "the model is overloaded"}, "the model is overloaded", "overloaded"),
    (
        {"detail": [{"loc": ["body", "x"], "msg": "field required", "type": "missing"}]},
        "body.x: field required",
        "stream_error",
    ),
    ({"title": "Too long", "detail": "maximum context is 8k"}, "maximum", "context_too_long"),
    ({"errorMessage": "boom", "errorType": "Runtime"}, "boom", "stream_error"),
    ({"status": "error", "reason": "nothing is served here"}, "served here", "stream_error"),
    ({"code": None, "message": "the queue is full", "type": "X"}, "queue is full", "stream_error"),
    (
        {"message": '{"error": {"message": "content was flagged", "code": 400}}'},
        "content was flagged",
        "content_refused",
    ),
]


def failed(api: Api, response: httpx.Response, *, stream: bool) -> CallFailed:
    transport = httpx.MockTransport(lambda _: response)
    with Client(transport=transport) as client, pytest.raises(CallFailed) as caught:
        list(client.call(target(api=api), chat(max_tokens=9), stream=stream))
    return caught.value


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("body", "words", "kind"), FOREIGN)
def test_an_error_with_status_200_is_one(
    api: Api, stream: bool, body: dict[str, Any], words: str, kind: str
) -> None:
    failure = failed(api, httpx.Response(200, json=body), stream=stream)
    assert words in failure.message
    assert failure.error_type == kind


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("body", "words", "kind"), FOREIGN)
def test_an_error_in_the_middle_of_a_stream_is_one(
    api: Api, body: dict[str, Any], words: str, kind: str
) -> None:
    text = f"data: {json.dumps(body)}\n\n"
    head = {"content-type": "text/event-stream"}
    failure = failed(api, httpx.Response(200, headers=head, text=text), stream=True)
    assert words in failure.message
    assert failure.error_type == kind


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("body", "words", "kind"), FOREIGN)
def test_a_refusal_shows_its_words(api: Api, body: dict[str, Any], words: str, kind: str) -> None:
    failure = failed(api, httpx.Response(400, json=body), stream=True)
    assert words in failure.message
    assert failure.status == 400
    if kind in ("context_too_long", "content_refused", "not_found"):
        assert failure.error_type == kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"fault": {"faultstring": "Spike arrest violation"}}, "rate_limited"),
        (401, {"fault": {"faultstring": "Invalid ApiKey"}}, "auth"),
        (400, {"Message": "Input is too long for requested model."}, "context_too_long"),
        (400, {"base_resp": {"status_code": 1008, "status_msg": "no"}}, "quota_exceeded"),
        (200, {"base_resp": {"status_code": 1002, "status_msg": "no"}}, "rate_limited"),
        (200, {"base_resp": {"status_code": 1004, "status_msg": "no"}}, "auth"),
        (200, {"base_resp": {"status_code": 1027, "status_msg": "no"}}, "content_refused"),
        (429, {"error": {"code": "1113", "message": "no"}}, "quota_exceeded"),
        (429, {"error": {"code": "1302", "message": "no"}}, "rate_limited"),
        (400, {"error": {"code": "1261", "message": "no"}}, "context_too_long"),
        (400, {"code": "Arrearage", "message": "no"}, "quota_exceeded"),
        (503, "<html><body><h1>Sorry</h1><p>Back soon", "overloaded"),
    ],
)
def test_the_kind_is_read_from_foreign_codes(status: int, body: Any, kind: str) -> None:
    assert failure_of(None if status == 200 else status, body).error_type == kind


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("<html><style>b {}</style><body><h1>Sorry</h1><p>Back soon", "Sorry Back soon"),
        ({"title": "Bad Request", "detail": "no such field"}, "no such field"),
        ({"title": "Bad Request"}, "Bad Request"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"error": {"message": '{"detail": "inner"}'}}, "inner"),
        ({"message": "a\u202eb\x1b[2Jc"}, "a b [2Jc"),
    ],
)
def test_words_are_found_and_cleaned(document: Any, said: str) -> None:
    assert message_of(document) == said


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"choices": [], "usage": {"prompt_tokens": 1}},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"code": 200, "msg": "done", "success": True},
        {"code": "0", "message": "ok"},
        {"success": True, "message": "all is well"},
        {"message": {"role": "assistant", "content": "hi"}},
        [],
        "error",
    ],
)
def test_what_says_nothing_of_a_failure_is_none(document: Any) -> None:
    assert not is_error(document)


def test_an_answer_that_says_success_beside_it_is_an_answer() -> None:
    body = {
        "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}],
        "base_resp": {"status_code": 0, "status_msg": ""},
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    with Client(transport=transport) as client:
        assert "hello" in repr(list(client.call(target(), chat())))
    filtered = {**body, "base_resp": {"status_code": 1027, "status_msg": "output sensitive"}}
    failure = failed("openai", httpx.Response(200, json=filtered), stream=True)
    assert failure.error_type == "content_refused"


@pytest.mark.parametrize(
    "body",
    [
        {"result": "no such plan"},
        {"errors": {"temperature": ["no such plan"]}},
        {"ResponseMetadata": {"Error": {"Code": "A", "Message": "no such plan"}}},
        {"status": "error", "data": ["no such plan"]},
    ],
)
def test_words_under_no_known_key_are_shown_with_all_around_them(body: dict[str, Any]) -> None:
    assert "no such plan" in failure_of(400, body).message
    assert failure_of(400, {"id": 7, "ok": False}).message == "status 400 without a reason"


WHOLE: dict[Api, dict[str, Any]] = {
    "openai": {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]},
    "anthropic": {"type": "message", "content": [{"type": "text", "text": "Hi"}]}
    | {"stop_reason": "end_turn"},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    "ollama": {"message": {"content": "Hi"}, "done": True},
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("error", [{"code": 0, "message": "success"}, {"message": ""}])
def test_an_error_that_says_that_all_went_well_loses_no_answer(
    api: Api, error: dict[str, Any]
) -> None:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, json=WHOLE[api] | {"error": error})
    )
    with Client(transport=transport) as client:
        *_, last = client.call(target(api=api), chat(max_tokens=9), stream=False)
    assert isinstance(last, Completed)
    assert last.answer.text == "Hi"


def test_an_error_without_a_code_beside_an_answer_is_one() -> None:
    body = WHOLE["openai"] | {"error": {"code": None, "message": "cut"}}
    assert "cut" in failed("openai", httpx.Response(200, json=body), stream=False).message
