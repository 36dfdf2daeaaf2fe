"""Every server's way to say no means one of a few things."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.errors import ERROR_TYPES
from rolecall.registry.providers.error_body import message_of, one_line
from rolecall.registry.providers.errors import failure_of


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


MISTRAL_EXTRA = {
    "object": "error",
    "message": {
        "detail": [
            {
                "type": "extra_forbidden",
                "loc": ["body", "messages", 3, "assistant", "reasoning_content"],
                "msg": "Extra inputs are not permitted",
            }
        ]
    },
}
GOOGLE_LIST = [{"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}]
OPENROUTER_RAW = error(
    "Provider returned error",
    code=400,
    metadata={
        "raw": '{"error": {"message": "prompt is too long: 9 tokens"}}',
        "provider_name": "A",
    },
)


@pytest.mark.parametrize(
    ("status", "document", "error_type"),
    [
        (401, error("Incorrect API key provided", code="invalid_api_key"), "auth"),
        (403, error("Country not supported", code="unsupported_country"), "auth"),
        (400, error("API key not valid. Please pass a valid API key."), "auth"),
        (402, error("Insufficient Balance"), "quota_exceeded"),
        (
            429,
            error("You exceeded your current quota", code="insufficient_quota"),
            "quota_exceeded",
        ),
        (429, error("suspended", type="exceeded_current_quota_error"), "quota_exceeded"),
        (400, error("Your credit balance is too low to access the API."), "quota_exceeded"),
        (
            429,
            error("Rate limit reached on tokens per min: Limit 30000, Used 29000"),
            "rate_limited",
        ),
        (429, error("You exceeded your current quota, please retry in 20s"), "rate_limited"),
        (429, "slow down", "rate_limited"),
        (429, error("Request too large for gpt-x on tokens per min"), "context_too_long"),
        (404, error("The model `x` does not exist", code="model_not_found"), "not_found"),
        (400, error("Model Not Exist"), "not_found"),
        (400, error("foo/bar is not a valid model ID", code=400), "not_found"),
        (404, GOOGLE_LIST, "not_found"),
        (404, {"detail": "Not Found"}, "not_found"),
        (405, {"detail": "Method Not Allowed"}, "not_found"),
        (400, error("too long", code="context_length_exceeded"), "context_too_long"),
        (
            400,
            {"object": "error", "message": "This model's maximum context length is 4096 tokens."},
            "context_too_long",
        ),
        (400, error("the request exceeds the available context size"), "context_too_long"),
        (500, error("the request exceeds the available context size"), "context_too_long"),
        (400, error("prompt is too long: 210000 tokens > 200000 maximum"), "context_too_long"),
        (
            400,
            {"error": "The model is loaded with context length of only 4096"},
            "context_too_long",
        ),
        (400, error("Range of input length should be [1, 98304]"), "context_too_long"),
        (413, "<html><title>413 Request Entity Too Large</title></html>", "context_too_long"),
        (400, OPENROUTER_RAW, "context_too_long"),
        (400, error("The response was filtered", code="content_filter"), "content_refused"),
        (400, error("Your prompt was flagged as violating our usage policy"), "content_refused"),
        (403, error("requires moderation and your input was flagged"), "content_refused"),
        (400, error("no", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_refused"),
        (400, error("Input data may be bad", code="data_inspection_failed"), "content_refused"),
        (408, error("timed out"), "server_error"),
        (409, error("locked by another request"), "server_error"),
        (425, error("too early"), "server_error"),
        (500, error("The server had an error"), "server_error"),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", "server_error"),
        (503, error("Loading model", type="unavailable_error"), "overloaded"),
        (529, error("Overloaded", type="overloaded_error"), "overloaded"),
        (500, error("busy", type="engine_overloaded_error"), "overloaded"),
        (400, error("messages: roles must alternate"), "bad_request"),
        (406, None, "bad_request"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "should be a number"}]}, "bad_request"),
    ],
)
def test_a_refusal_is_told_by_its_codes_words_and_status(
    status: int, document: Any, error_type: str
) -> None:
    failure = failure_of(status, document)
    assert failure.error_type == error_type
    assert failure.status == status
    assert failure.parameter is None


@pytest.mark.parametrize(
    ("document", "parameter"),
    [
        (error("Unsupported parameter: 'max_tokens'", param="max_tokens"), "max_tokens"),
        (error("Unsupported parameter: 'top_p' is not supported with this model."), "top_p"),
        (
            error("Unsupported value", code="unsupported_value", param="reasoning.effort"),
            "reasoning_effort",
        ),
        (error("Unrecognized request argument supplied: top_k"), "top_k"),
        (error("Unknown parameter: 'messages[1].reasoning_content'."), "reasoning_content"),
        (error("property 'reasoning_content' is unsupported"), "reasoning_content"),
        (error("`tool_choice` is not supported by this server"), "tool_choice"),
        (error("This response_format type is unavailable now"), "response_format"),
        (error("max_tokens is too large: 100000. At most 16384"), "max_tokens"),
        (error("llama2:7b does not support tools"), "tools"),
        ({"error": '"phi3" does not support thinking'}, "thinking"),
        (MISTRAL_EXTRA, "reasoning_content"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}, "seed"),
        (error("image input is not supported"), None),
    ],
)
def test_a_refused_parameter_is_named(document: Any, parameter: str | None) -> None:
    failure = failure_of(400, document)
    assert (failure.error_type, failure.parameter) == ("parameter_unsupported", parameter)


@pytest.mark.parametrize(
    ("document", "error_type"),
    [
        (error("Provider disconnected", code=502), "stream_error"),
        (error("Overloaded", code=529), "overloaded"),
        (error("Rate limit exceeded", code="429"), "rate_limited"),
        (error("Too many", type="rate_limit_error"), "rate_limited"),
        (error("busy", metadata={"error_type": "provider_overloaded"}), "overloaded"),
        (error("maximum context length is 10"), "context_too_long"),
        (error("out of credit", code=402), "quota_exceeded"),
        (error("bad thing", code=400), "stream_error"),
        ({"error": "boom"}, "stream_error"),
        ({"error": "server busy, please try again"}, "overloaded"),
        ({"error": "too many concurrent requests"}, "rate_limited"),
        ({"error": "you have reached your weekly usage limit"}, "quota_exceeded"),
        ({"error": "unauthorized"}, "auth"),
        (error("no", type="permission_error"), "auth"),
        ({"error": True}, "stream_error"),
    ],
)
def test_an_error_in_the_answer_is_told_by_its_own_code(document: Any, error_type: str) -> None:
    failure = failure_of(None, document)
    assert (failure.error_type, failure.status) == (error_type, None)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (error("No.\n\nReally\tno."), "No. Really no."),
        ({"error": "text"}, "text"),
        ({"message": "text"}, "text"),
        ({"detail": {"message": "text"}}, "text"),
        ({"errors": ["one", "two", "one"]}, "one; two"),
        (OPENROUTER_RAW, "Provider returned error; prompt is too long: 9 tokens"),
        (
            MISTRAL_EXTRA,
            "body.messages.3.assistant.reasoning_content: Extra inputs are not permitted",
        ),
        ("<html><title>\n502 Bad\nGateway</title>", "502 Bad Gateway"),
        ("<!doctype html><p>hello", "hello"),
        ("plain\x1b[31m words", "plain [31m words"),
        ('{"broken', '{"broken'),
        ("", ""),
        (None, ""),
        (17, ""),
    ],
)
def test_the_message_is_found_in_any_shape(document: Any, said: str) -> None:
    assert message_of(document) == said


def test_a_failure_says_its_status_and_the_servers_words() -> None:
    assert failure_of(429, error("slow down")).message == "status 429: slow down"
    assert failure_of(500, "").message == "status 500 without a reason"
    assert failure_of(None, error("boom")).message == "error in the answer: boom"


@given(st.text())
def test_a_message_is_one_printable_line_of_bounded_length(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 4_000
    assert line.isprintable()
    assert line == one_line(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "param", "loc"]), inner)
    ),
)


@settings(max_examples=25)
@given(st.none() | st.integers(300, 599), json_values)
def test_no_body_however_odd_breaks_the_reading(status: int | None, document: Any) -> None:
    failure = failure_of(status, document)
    assert failure.error_type in ERROR_TYPES
    assert len(failure.message) <= 4_000
