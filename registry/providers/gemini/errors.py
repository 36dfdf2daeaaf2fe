"""What Gemini's errors mean: by its status words first, then as for all APIs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.errors import failure_of, message_of

_BY_STATUS = {
    "NOT_FOUND": "not_found",
    "PERMISSION_DENIED": "auth",
    "UNAUTHENTICATED": "auth",
    "UNAVAILABLE": "overloaded",
    "INTERNAL": "server_error",
    "UNKNOWN": "server_error",
    "ABORTED": "server_error",
    "CANCELLED": "server_error",
    "DEADLINE_EXCEEDED": "server_error",
}
_TOO_LONG = re.compile(
    r"token count.*exceeds|exceeds the maximum number of tokens|payload size exceeds",
    re.IGNORECASE,
)
_NOT_ALLOWED = re.compile(r"api.?key|billing|location|free tier", re.IGNORECASE)
_LASTING = re.compile(r"per.?day|depleted|billing account|spend(?:ing)? (?:limit|cap)", re.I)
_CHECK_PLAN = re.compile(r"check your plan and billing", re.IGNORECASE)
_UNKNOWN_NAME = re.compile(r"Unknown name \\?\"(\w+)\\?\"")
_REFUSALS = (
    (re.compile(r"thinking[_ ]?(?:level|config)|thinking is not", re.I), "reasoning_effort"),
    (re.compile(r"thinking[_ ]?budget", re.I), "thinking_budget"),
    (re.compile(r"logprobs? is not (?:enabled|supported)", re.I), "logprobs"),
    (re.compile(r"json mode is not (?:enabled|supported)", re.I), "response_format"),
    (re.compile(r"penalty is not (?:enabled|supported)", re.I), None),
)
# Their names here, where Gemini has others.
_NAMES = {
    "max_output_tokens": "max_tokens",
    "stop_sequences": "stop",
    "response_json_schema": "response_format",
    "response_schema": "response_format",
    "response_mime_type": "response_format",
    "thinking_config": "reasoning_effort",
    "thinking_level": "reasoning_effort",
    "response_logprobs": "logprobs",
    "logprobs": "top_logprobs",
    "tool_config": "tool_choice",
}


def failure(status: int | None, document: Any) -> CallFailed:
    """Return what an error body means; `status` is null for one in the middle of a stream."""
    found = failure_of(status, document)
    error = _error(document)
    details = [detail for detail in _list(error, "details") if isinstance(detail, dict)]
    found.retry_after_s = next(_waits_s(details), None)
    word = error.get("status")
    if isinstance(word, str):
        found.error_type, found.parameter = _classified(word, message_of(document), details, found)
    if status is None and found.error_type in ("server_error", "bad_request"):
        found.error_type = "stream_error"
    return found


def _classified(
    word: str, said: str, details: list[dict[str, Any]], found: CallFailed
) -> tuple[str, str | None]:
    """Return the class and the refused parameter; `found` is what all APIs' rules say."""
    if word == "RESOURCE_EXHAUSTED":
        return ("quota_exceeded" if _is_lasting(said, details) else "rate_limited"), None
    if word == "FAILED_PRECONDITION":
        return ("auth" if _NOT_ALLOWED.search(said) else "bad_request"), None
    if word == "INVALID_ARGUMENT":
        return _invalid(said, found)
    return _BY_STATUS.get(word, found.error_type), None


def _invalid(said: str, found: CallFailed) -> tuple[str, str | None]:
    if _TOO_LONG.search(said):
        return "context_too_long", None
    unknown = _UNKNOWN_NAME.search(said)
    if unknown is not None:
        name = re.sub(r"([A-Z])", r"_\1", unknown[1]).lower()
        return "parameter_unsupported", _NAMES.get(name, name)
    for pattern, option in _REFUSALS:
        if pattern.search(said):
            return "parameter_unsupported", option
    # The shared rules take «is unsupported» for a parameter; here it is a combination.
    is_vague = found.error_type in ("parameter_unsupported", "not_found")
    return ("bad_request" if is_vague else found.error_type), None


def _is_lasting(said: str, details: list[dict[str, Any]]) -> bool:
    """Whether waiting a minute will not help: a day's quota or the account's money is gone.

    Both kinds come with the same words; which limit was hit is in the details.
    """
    limits = [
        str(violation.get("quotaId", ""))
        for detail in details
        for violation in _list(detail, "violations")
        if isinstance(violation, dict)
    ]
    if limits:
        return any(_LASTING.search(limit) for limit in limits)
    if any(True for _ in _waits_s(details)):
        return False
    return _LASTING.search(said) is not None or _CHECK_PLAN.search(said) is not None


def _waits_s(details: list[dict[str, Any]]) -> Iterator[float]:
    """Yield the seconds the server asks to wait, given as `12s` or `0.5s`."""
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and re.fullmatch(r"\d{1,9}(?:\.\d+)?s", delay):
            yield float(delay[:-1])


def _error(document: Any) -> Mapping[str, Any]:
    if isinstance(document, list):
        document = document[0] if document else None
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []
