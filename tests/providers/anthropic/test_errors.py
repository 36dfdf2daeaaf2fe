from __future__ import annotations

import pytest

from rolecall.registry.providers.anthropic.request import ANTHROPIC

INVALID = "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "kind", "message", "error_type"),
    [
        (400, INVALID, "prompt is too long: 213462 tokens > 200000 maximum", "context_too_long"),
        (
            400,
            INVALID,
            "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, "
            "decrease input length or `max_tokens` and try again",
            "context_too_long",
        ),
        (400, INVALID, "Input is too long for requested model.", "context_too_long"),
        (
            400,
            INVALID,
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
            "Billing to upgrade or purchase credits.",
            "quota_exceeded",
        ),
        (
            400,
            INVALID,
            "You have reached your specified API usage limits. You will regain access on "
            "2026-12-01 at 00:00 UTC.",
            "quota_exceeded",
        ),
        (402, "billing_error", "There is an issue with your payment.", "quota_exceeded"),
        (400, INVALID, "Output blocked by content filtering policy", "content_refused"),
        (401, "authentication_error", "invalid x-api-key", "auth"),
        (
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
            "auth",
        ),
        (404, "not_found_error", "model: claude-sonnet-9", "not_found"),
        (413, "request_too_large", "Request exceeds the maximum size", "context_too_long"),
        (
            429,
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 30,000 input tokens "
            "per minute.",
            "rate_limited",
        ),
        (500, "api_error", "Internal server error", "server_error"),
        (504, "timeout_error", "The request timed out", "server_error"),
        (529, "overloaded_error", "Overloaded", "overloaded"),
        (400, INVALID, "messages.0.content.0.type: Field required", "bad_request"),
        (400, INVALID, "tools.0.custom.strict: Extra inputs are not permitted", "bad_request"),
        (
            400,
            INVALID,
            "messages.1.content.0: Invalid `signature` in `thinking` block",
            "bad_request",
        ),
        (
            400,
            INVALID,
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message.",
            "bad_request",
        ),
    ],
)
def test_a_refusal_is_told_by_its_words(
    status: int, kind: str, message: str, error_type: str
) -> None:
    document = {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
    }
    failure = ANTHROPIC.failure(status, document)
    assert (failure.error_type, failure.status) == (error_type, status)
    assert failure.parameter is None


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("`temperature` is deprecated for this model.", "temperature"),
        (
            "`temperature` may only be set to 1 when thinking is enabled.",
            "temperature",
        ),
        (
            "`temperature` and `top_p` cannot both be specified for this model. Please use only "
            "one.",
            "top_p",
        ),
        ("stop_sequences: each stop sequence must contain non-whitespace", "stop"),
        ("top_k: Extra inputs are not permitted", "top_k"),
        ("metadata.user_id: Extra inputs are not permitted", "user"),
        ("output_config.effort: Extra inputs are not permitted", "reasoning_effort"),
        ("output_config.format: Extra inputs are not permitted", "response_format"),
        ("output_config: Extra inputs are not permitted", "response_format"),
        ("This model does not support the effort parameter.", "reasoning_effort"),
        ("'claude-3-haiku' does not support output format.", "response_format"),
        ("adaptive thinking is not supported on this model", "reasoning_effort"),
        (
            '"thinking.type.enabled" is not supported for this model. Use '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
            "reasoning_effort",
        ),
        ("Thinking may not be enabled when tool_choice forces tool use.", "tool_choice"),
    ],
)
def test_a_refused_parameter_is_named_as_the_options_name_it(message: str, parameter: str) -> None:
    document = {"type": "error", "error": {"type": INVALID, "message": message}}
    failure = ANTHROPIC.failure(400, document)
    assert (failure.error_type, failure.parameter) == ("parameter_unsupported", parameter)


@pytest.mark.parametrize("document", ["<html><title>Bad gateway</title></html>", "", None])
def test_what_is_not_of_the_api_is_told_by_its_status(document: object) -> None:
    assert ANTHROPIC.failure(502, document).error_type == "server_error"
    assert ANTHROPIC.failure(401, document).error_type == "auth"
