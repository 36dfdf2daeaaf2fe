"""What Gemini says in words of its own when it refuses a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.error_body import message_of
from rolecall.registry.providers.errors import Dialect, Rule, failure_of
from rolecall.registry.providers.http.retry_after import error_details

_TOO_LONG = re.compile(
    r"token count.*exceeds|exceeds the maximum number of tokens|payload size exceeds",
    re.IGNORECASE,
)
_NOT_ALLOWED = re.compile(r"api.?key|billing|location|free tier", re.IGNORECASE)
_LASTING = re.compile(r"per.?day|depleted|billing account|spend(?:ing)? (?:limit|cap)", re.I)
_CHECK_PLAN = re.compile(r"check your plan and billing", re.IGNORECASE)
_FAILED = {"internal", "unknown", "aborted", "cancelled", "deadline_exceeded"}

_DIALECT = Dialect(
    rules=(
        Rule("rate_limited", {"resource_exhausted"}),
        Rule("auth", {"permission_denied", "unauthenticated"}),
        Rule("not_found", {"not_found"}),
        Rule("overloaded", {"unavailable"}),
        Rule("server_error", _FAILED),
        Rule("auth", {"failed_precondition"}, _NOT_ALLOWED),
        Rule("bad_request", {"failed_precondition"}),
        Rule("context_too_long", {"invalid_argument"}, _TOO_LONG),
    ),
    parameters=(
        (re.compile(r"Unknown name \\?\"(\w+)\\?\""), None),
        (re.compile(r"thinking[_ ]?(?:level|config)|thinking is not", re.I), "reasoning_effort"),
        (re.compile(r"thinking[_ ]?budget", re.I), "thinking_budget"),
        (re.compile(r"logprobs? is not (?:enabled|supported)", re.I), "logprobs"),
        (re.compile(r"json mode is not (?:enabled|supported)", re.I), "response_format"),
        (re.compile(r"penalty is not (?:enabled|supported)", re.I), None),
    ),
    names={
        **{"topP": "top_p", "topK": "top_k", "maxOutputTokens": "max_tokens"},
        **{"presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty"},
        **{"stopSequences": "stop", "toolConfig": "tool_choice"},
        **{"responseJsonSchema": "response_format", "responseSchema": "response_format"},
        **{"responseMimeType": "response_format", "responseLogprobs": "logprobs"},
        **{"thinkingConfig": "reasoning_effort", "thinkingLevel": "reasoning_effort"},
    },
)


def failure(status: int | None, document: Any) -> CallFailed:
    """Return what an error body means; `status` is null for one in the middle of a stream."""
    found = failure_of(status, document, _DIALECT)
    if found.error_type == "rate_limited" and _is_lasting(document, found.retry_after_s):
        found.error_type = "quota_exceeded"
    return found


def _is_lasting(document: Any, wait_s: float | None) -> bool:
    """Whether waiting a minute will not help: a day's quota or the account's money is gone.

    Both kinds come with the same words; which limit was hit is in the details.
    """
    limits = list(_limits(document))
    if limits:
        return any(_LASTING.search(limit) for limit in limits)
    said = message_of(document)
    return wait_s is None and (_LASTING.search(said) or _CHECK_PLAN.search(said)) is not None


def _limits(document: Any) -> Iterator[str]:
    for detail in error_details(document):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else []:
            if isinstance(violation, dict):
                yield str(violation.get("quotaId", ""))
