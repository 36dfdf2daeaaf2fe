"""What a refusal or an error of any API means, read from its status, codes and words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rolecall.registry.core.errors import CallFailed

# The client shortens a message further, once no key is left in it: half of one would be missed.
_LONGEST_MESSAGE = 4_000
_DEEPEST = 6

_QUOTA_CODES = {
    *("insufficient_quota", "insufficient_balance", "insufficient_credits", "payment_required"),
    *("insufficient_user_quota", "billing_hard_limit_reached", "billing_not_active"),
    *("billing_error", "exceeded_current_quota_error"),
}
_REFUSED_CODES = {
    *("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "refusal"),
    *("data_inspection_failed", "datainspectionfailed", "moderation_blocked", "content_policy"),
    *("invalid_prompt", "safety"),
}
_LENGTH_CODES = {
    *("context_length_exceeded", "exceed_context_size_error", "token_limit_exceeded"),
    *("string_above_max_length", "request_too_large", "context_window_exceeded"),
    *("model_max_prompt_tokens_exceeded", "payload_too_large"),
}
_PARAMETER_CODES = {
    *("unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"),
    *("unsupported_field", "unrecognized_parameter", "value_error.extra"),
}
_MODEL_CODES = {"model_not_found", "model_not_available", "not_found_error", "model_not_exist"}
_AUTH_CODES = {
    *("invalid_api_key", "authentication_error", "api_key_invalid", "authentication"),
    *("permission_error", "permission_denied"),
}
_RATE_CODES = {
    *("rate_limit_exceeded", "rate_limit_error", "too_many_requests", "rate_limit_reached_error"),
    *("rate_limited", "resource_exhausted", "throttling"),
}
_OVERLOAD_CODES = {
    *("overloaded_error", "overloaded", "server_overloaded", "provider_overloaded"),
    *("provider_unavailable", "service_unavailable", "unavailable_error", "unavailable"),
    *("engine_overloaded_error", "engine_overloaded"),
}

_QUOTA_WORDS = re.compile(
    r"insufficient (?:balance|credit|fund|quota)|credit balance|used all available credits"
    r"|(?:out of|not enough|more) credits|requires (?:at least|more) .*credits|billing"
    r"|usage limit",
    re.IGNORECASE,
)
_REFUSED_WORDS = re.compile(
    r"\bflagged\b|content (?:management )?policy|usage polic|moderation|safety system"
    r"|content filter|inappropriate content|content risk",
    re.IGNORECASE,
)
_LENGTH_WORDS = re.compile(
    r"context (?:length|window|size)|(?:prompt|input|request|message)s? (?:is|are|was) too long"
    r"|too many (?:input )?tokens|token count .*exceeds|exceeds? .*\btokens? limit"
    r"|exceeds the (?:maximum|limit).*\btokens|reduce the length|range of input length"
    r"|maximum (?:prompt|input) length|max_prompt_tokens|prompt .*exceeds .*tokens",
    re.IGNORECASE,
)
_TOO_LARGE_WORDS = re.compile(r"request too large|request body (?:is )?too large", re.IGNORECASE)
_PARAMETER_WORDS = re.compile(
    r"unsupported (?:parameter|value|field|argument)|(?:unrecognized|unknown) (?:request )?"
    r"(?:parameter|argument|field|name)|(?:does|do) not support|doesn't support|not supported"
    r"|is unsupported|extra inputs are not permitted|extra fields not permitted|max_tokens is too"
    r"|(?:invalid|range of) max_(?:completion_)?tokens|no endpoints found that (?:support|can)"
    r"|additional properties are not allowed|unexpected keyword|type is unavailable"
    r"|unexpected fields? in the request",
    re.IGNORECASE,
)
_MODEL_WORDS = re.compile(
    r"model\b.{0,120}?(?:not found|does not exist|not exist|doesn't exist|is not a valid model)"
    r"|(?:unknown|invalid|no such) model\b|not a valid model|no endpoints found for"
    r"|server is pinned to\b",
    re.IGNORECASE | re.DOTALL,
)
# What an error in an answer says where it has neither a status nor a code.
_BARE_WORDS = (
    (re.compile(r"server (?:is )?busy|overloaded|over capacity", re.IGNORECASE), "overloaded"),
    (re.compile(r"rate limit|too many .*requests", re.IGNORECASE), "rate_limited"),
    (re.compile(r"\bunauthorized\b|permission|have access", re.IGNORECASE), "auth"),
)
_KEY_WORDS = re.compile(r"api.?key (?:is )?(?:not valid|invalid|expired)|invalid api.?key", re.I)

_QUOTED = r"[`'\"‘“]([A-Za-z_][\w.\[\]]*)[`'\"’”]"
_PARAMETER_NAMES = (
    re.compile(rf"(?:parameter|argument|value|field|property)s?:?\s+{_QUOTED}", re.IGNORECASE),
    re.compile(r"(?:argument|parameter)s? supplied:\s*([A-Za-z_]\w*)", re.IGNORECASE),
    re.compile(r"(?:parameter|argument|field):?\s+([a-z]+_\w+)", re.IGNORECASE),
    re.compile(rf"{_QUOTED}\s+(?:parameter|is not supported|is unsupported|was unexpected)"),
    re.compile(rf"(?:does|do)(?: not|n't) support\s+(?:the\s+)?{_QUOTED}", re.IGNORECASE),
    re.compile(r"(?:does not|doesn't) support (tools|thinking|images?)\b", re.IGNORECASE),
    re.compile(r"\b([a-z]+_[a-z_]+)\b[^.]{0,40}?(?:not supported|unsupported|is too|unavail)"),
    re.compile(r"([\w.\[\]]+): extra (?:inputs are|fields) not permitted", re.IGNORECASE),
    re.compile(r"unexpected fields? in the request: \{?'([A-Za-z_]\w*)'", re.IGNORECASE),
)


def one_line(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Return text as one line of at most `limit` characters, free of control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def failure_of(status: int | None, document: Any) -> CallFailed:
    """Return the failure that an error body means.

    `document` is the decoded body or its text. `status` is the HTTP status, or null for an error
    in the middle of an answer, which is classed by its own code, else as `stream_error`.
    """
    said = message_of(document)
    codes = frozenset(_codes(document, 0))
    asked = status if status is not None else _status_in(document)
    error_type = _classify(asked, codes, said)
    if status is None and error_type in ("server_error", "bad_request"):
        error_type = "stream_error"
    parameter = _parameter(document, said) if error_type == "parameter_unsupported" else None
    return CallFailed(error_type, _wording(status, said), status=status, parameter=parameter)


def message_of(document: Any) -> str:
    """Return what an error body says, as one line; empty where it says nothing."""
    return one_line("; ".join(dict.fromkeys(_said(document, 0))), 2 * _LONGEST_MESSAGE)


def _wording(status: int | None, said: str) -> str:
    if status is None:
        return one_line(f"error in the answer: {said}" if said else "error in the answer")
    return one_line(f"status {status}: {said}" if said else f"status {status} without a reason")


def _classify(status: int | None, codes: frozenset[str], said: str) -> str:
    """Name the error type; what the words say goes before what the status says."""
    if status is None or status < 500:
        by_words = _by_words(status, codes, said)
        if by_words is not None:
            return by_words
    elif codes & _LENGTH_CODES or (status == 500 and _LENGTH_WORDS.search(said)):
        return "context_too_long"  # llama.cpp and others answer this with 500
    found = _by_codes(codes)
    if found is None and status is None:
        found = next((kind for words, kind in _BARE_WORDS if words.search(said)), None)
    return found or _by_status(status)


def _by_words(status: int | None, codes: frozenset[str], said: str) -> str | None:
    is_rate = status == 429
    if status == 402 or codes & _QUOTA_CODES or (not is_rate and _QUOTA_WORDS.search(said)):
        return "quota_exceeded"
    if is_rate:
        # A request over the limit of one minute never fits, however long one waits.
        return "context_too_long" if _TOO_LARGE_WORDS.search(said) else None
    if codes & _REFUSED_CODES or (status != 401 and _REFUSED_WORDS.search(said)):
        return "content_refused"
    if codes & _LENGTH_CODES or _LENGTH_WORDS.search(said) or _TOO_LARGE_WORDS.search(said):
        return "context_too_long"
    if status in (401, 403):
        return "auth"
    if codes & _MODEL_CODES or _MODEL_WORDS.search(said):
        return "not_found"
    if codes & _PARAMETER_CODES or _PARAMETER_WORDS.search(said):
        return "parameter_unsupported"
    return "auth" if _KEY_WORDS.search(said) else None


def _by_codes(codes: frozenset[str]) -> str | None:
    known = ((_AUTH_CODES, "auth"), (_RATE_CODES, "rate_limited"), (_OVERLOAD_CODES, "overloaded"))
    return next((error_type for names, error_type in known if codes & names), None)


def _by_status(status: int | None) -> str:
    if status is None:
        return "server_error"
    named = {
        **{401: "auth", 403: "auth", 402: "quota_exceeded", 404: "not_found", 405: "not_found"},
        **{408: "server_error", 413: "context_too_long", 429: "rate_limited"},
        **{503: "overloaded", 529: "overloaded"},
    }
    return named.get(status, "server_error" if status >= 500 else "bad_request")


def _said(document: Any, depth: int) -> Iterator[str]:
    """Yield the messages of an error body, whatever shape the server gives them."""
    if depth > _DEEPEST:
        return
    if isinstance(document, str):
        yield from _said_in_text(document, depth)
    elif isinstance(document, list):
        for item in document[:5]:
            yield from _said(item, depth + 1)
    elif isinstance(document, dict):
        place = document.get("loc")
        words = document.get("msg")
        if isinstance(place, list) and isinstance(words, str):
            yield f"{'.'.join(map(str, place))}: {words}"
            return
        for key in ("error", "message", "detail", "msg", "errors", "error_description"):
            yield from _said(document.get(key), depth + 1)
        metadata = document.get("metadata")  # OpenRouter: what the provider behind it said
        if isinstance(metadata, dict):
            yield from _said(metadata.get("raw"), depth + 1)


def _said_in_text(text: str, depth: int) -> Iterator[str]:
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        try:
            yield from _said(json.loads(stripped), depth + 1)
        except (ValueError, RecursionError):
            yield one_line(stripped)
    elif stripped.startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", stripped, re.IGNORECASE | re.DOTALL)
        yield one_line(title.group(1)) if title else "a page of HTML"
    elif stripped:
        yield one_line(stripped, 2 * _LONGEST_MESSAGE)


def _codes(document: Any, depth: int) -> Iterator[str]:
    """Yield the codes, types and reasons of an error body, in lower case."""
    if depth > _DEEPEST:
        return
    if isinstance(document, list):
        for item in document[:5]:
            yield from _codes(item, depth + 1)
    elif isinstance(document, dict):
        for key in ("code", "type", "status", "reason", "error_type"):
            value = document.get(key)
            if isinstance(value, str):
                yield value.lower()
        for key in ("error", "metadata", "innererror", "inner_error", "detail", "message"):
            yield from _codes(document.get(key), depth + 1)


def _status_in(document: Any) -> int | None:
    """Return the HTTP status that an error body itself names."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    for holder in (error, document):
        for key in ("code", "status", "status_code"):
            value = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(value, str) and value.isascii() and value.isdigit():
                value = int(value[:4])
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def _parameter(document: Any, said: str) -> str | None:
    error = document.get("error") if isinstance(document, dict) else None
    for holder in (error, document):
        named = holder.get("param") if isinstance(holder, dict) else None
        if isinstance(named, str) and named:
            return _top_name(named)
    found = (pattern.search(said) for pattern in _PARAMETER_NAMES)
    return next((_top_name(match.group(1)) for match in found if match), None)


def _top_name(path: str) -> str:
    """Return the parameter that a path names: the first part, or the last inside a message."""
    parts = [part for part in re.split(r"[.\[\]]+", path) if part and not part.isdigit()]
    if parts and parts[0] == "body":
        parts = parts[1:]
    if not parts:
        return path
    return parts[-1] if parts[0] == "messages" else parts[0]
