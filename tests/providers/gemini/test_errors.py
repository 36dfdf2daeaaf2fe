from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.gemini.request import GEMINI

SPENT = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)


def failure(code: int, status: str, message: str, *details: dict[str, Any]) -> CallFailed:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return GEMINI.failure(code, {"error": error})


def quota(*periods: str) -> dict[str, Any]:
    names = [f"GenerateRequestsPer{one}PerProjectPerModel-FreeTier" for one in periods]
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name, "quotaValue": "20"} for name in names],
    }


def retry(delay: Any) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


@pytest.mark.parametrize(
    ("code", "status", "message", "error_type"),
    [
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            "auth",
        ),
        (400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", "auth"),
        (403, "PERMISSION_DENIED", "Your API key was reported as leaked.", "auth"),
        (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "auth"),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (1300000) exceeds the maximum number of tokens allowed "
            "(1048576).",
            "context_too_long",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Request payload size exceeds the limit: 20971520 bytes.",
            "context_too_long",
        ),
        (
            404,
            "NOT_FOUND",
            "models/gemini-9 is not found for API version v1beta, or is not supported for "
            "generateContent. Call ListModels to see the list of available models.",
            "not_found",
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            "auth",
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "Gemini API free tier is not available in your country. Please enable billing.",
            "auth",
        ),
        (400, "FAILED_PRECONDITION", "The file is not in an ACTIVE state.", "bad_request"),
        (500, "INTERNAL", "An internal error has occurred.", "server_error"),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", "overloaded"),
        (504, "DEADLINE_EXCEEDED", "Deadline expired before completion.", "server_error"),
        (400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "bad_request"),
        (
            400,
            "INVALID_ARGUMENT",
            "Function calling with a response mime type: 'application/json' is unsupported",
            "bad_request",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Function call is missing a thought_signature in functionCall parts.",
            "bad_request",
        ),
    ],
)
def test_a_refusal_is_told_by_its_status_and_words(
    code: int, status: str, message: str, error_type: str
) -> None:
    found = failure(code, status, message)
    assert (found.error_type, found.status, found.parameter) == (error_type, code, None)


@pytest.mark.parametrize(
    ("message", "details", "error_type", "wait_s"),
    [
        (SPENT, (quota("Minute"), retry("12s")), "rate_limited", 12.0),
        (SPENT, (quota("Day"), retry("0.5s")), "quota_exceeded", 0.5),
        (SPENT, (quota("Minute", "Day"),), "quota_exceeded", None),
        (SPENT, (retry("41.2s"),), "rate_limited", 41.2),
        (SPENT, (), "quota_exceeded", None),
        ("Resource has been exhausted (e.g. check quota).", (), "rate_limited", None),
        ("Quota exceeded for metric: requests, limit 'per day'", (), "quota_exceeded", None),
        ("Your prepayment credits are depleted.", (), "quota_exceeded", None),
        ("Too many requests", (retry("soon"),), "rate_limited", None),
    ],
)
def test_a_spent_quota_is_told_from_a_passing_limit(
    message: str, details: tuple[dict[str, Any], ...], error_type: str, wait_s: float | None
) -> None:
    found = failure(429, "RESOURCE_EXHAUSTED", message, *details)
    assert (found.error_type, found.retry_after_s) == (error_type, wait_s)


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        (
            "Invalid JSON payload received. Unknown name \"topP\" at 'generation_config': Cannot "
            "find field.",
            "top_p",
        ),
        ('Invalid JSON payload received. Unknown name "temperature": …', "temperature"),
        ("Unknown name \"responseJsonSchema\" at 'generation_config'", "response_format"),
        ("Unknown name \"thinkingConfig\" at 'generation_config'", "reasoning_effort"),
        ("Thinking level is not supported for this model.", "reasoning_effort"),
        (
            "Unable to submit request because thinking is not configurable in this model",
            "reasoning_effort",
        ),
        (
            "The thinking budget 50000 is invalid. Please choose a value between 512 and 24576.",
            "thinking_budget",
        ),
        ("Logprobs is not enabled for models/gemini-3.5-flash", "logprobs"),
        ("JSON mode is not enabled for models/gemma-3-27b-it", "response_format"),
        ("Penalty is not enabled for this model", None),
    ],
)
def test_a_refused_parameter_is_named_as_the_options_name_it(
    message: str, parameter: str | None
) -> None:
    found = failure(400, "INVALID_ARGUMENT", message)
    assert (found.error_type, found.parameter) == ("parameter_unsupported", parameter)


def test_an_error_in_a_list_is_read_as_well() -> None:
    error = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
    assert GEMINI.failure(503, [{"error": error}]).error_type == "overloaded"


@pytest.mark.parametrize("document", ["<html><title>Error 502</title></html>", "", None, []])
def test_what_is_not_of_the_api_is_told_by_its_http_status(document: Any) -> None:
    assert GEMINI.failure(502, document).error_type == "server_error"
    assert GEMINI.failure(403, document).error_type == "auth"
