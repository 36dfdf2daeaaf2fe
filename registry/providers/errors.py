"""What a refusal or an error of any API means, read from its status, codes and words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.http.retry_after import retry_after_s

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
_BUSY_WORDS = re.compile(r"server (?:is )?busy|overloaded|over capacity", re.IGNORECASE)
_RATE_WORDS = re.compile(r"rate limit|too many .*requests", re.IGNORECASE)
_ACCESS_WORDS = re.compile(r"\bunauthorized\b|permission|have access", re.IGNORECASE)
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


class Rule(NamedTuple):
    """What a refusal means where all that is said here holds of it.

    `codes` are any of the body's, in lower case, `words` a pattern in its message, `at` its
    status (null within an answer). Without `at`, a rule does not bear on a server's own failures
    (500 and above), nor where the status is one of `not_at`.
    """

    error_type: str
    codes: Set[str] = frozenset()
    words: re.Pattern[str] | None = None
    at: Set[int | None] = frozenset()
    not_at: Set[int] = frozenset()

    def holds(self, status: int | None, codes: Set[str], said: str) -> bool:
        """Tell whether a refusal is one of this kind."""
        if self.at:
            if status not in self.at:
                return False
        elif status in self.not_at or (status is not None and status >= 500):
            return False
        if self.codes and not self.codes & codes:
            return False
        return self.words is None or self.words.search(said) is not None


_RATE = frozenset({429})
_NOT_AUTH = frozenset({401, 429})
_FAILURES = frozenset(range(500, 600))
# The first that holds counts: what the words say goes before what the status says.
_FIRST_RULES = (
    Rule("quota_exceeded", at={402}),
    Rule("quota_exceeded", _QUOTA_CODES),
    Rule("quota_exceeded", words=_QUOTA_WORDS, not_at=_RATE),
    # A request over the limit of one minute never fits, however long one waits.
    Rule("context_too_long", words=_TOO_LARGE_WORDS, at=_RATE),
    Rule("content_refused", _REFUSED_CODES, not_at=_RATE),
    Rule("content_refused", words=_REFUSED_WORDS, not_at=_NOT_AUTH),
    Rule("context_too_long", _LENGTH_CODES, not_at=_RATE),
    Rule("context_too_long", words=_LENGTH_WORDS, not_at=_RATE),
    Rule("context_too_long", words=_TOO_LARGE_WORDS, not_at=_RATE),
    # llama.cpp and others answer 500 to a prompt that is too long.
    Rule("context_too_long", _LENGTH_CODES, at=_FAILURES),
    Rule("context_too_long", words=_LENGTH_WORDS, at={500}),
    Rule("auth", at={401, 403}),
    Rule("not_found", _MODEL_CODES, not_at=_RATE),
    Rule("not_found", words=_MODEL_WORDS, not_at=_RATE),
)
_PARAMETER_RULES = (
    Rule("parameter_unsupported", _PARAMETER_CODES, not_at=_RATE),
    Rule("parameter_unsupported", words=_PARAMETER_WORDS, not_at=_RATE),
)
_OF_A_REQUEST = frozenset({None, *range(400, 429)})
_ANY = frozenset({None, *range(300, 600)})
_IN_ANSWER: frozenset[None] = frozenset({None})
_LAST_RULES = (
    Rule("auth", words=_KEY_WORDS, not_at=_RATE),
    Rule("auth", _AUTH_CODES, at=_ANY),
    Rule("rate_limited", _RATE_CODES, at=_ANY),
    Rule("overloaded", _OVERLOAD_CODES, at=_ANY),
    # An error in an answer that has neither a status nor a code.
    Rule("overloaded", words=_BUSY_WORDS, at=_IN_ANSWER),
    Rule("rate_limited", words=_RATE_WORDS, at=_IN_ANSWER),
    Rule("auth", words=_ACCESS_WORDS, at=_IN_ANSWER),
    Rule("auth", at={401, 403}),
    Rule("not_found", at={404, 405}),
    Rule("server_error", at={408, 409, 425, None}),
    Rule("context_too_long", at={413}),
    Rule("rate_limited", at=_RATE),
    Rule("overloaded", at={503, 529}),
    Rule("server_error", at=_FAILURES),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one API says in words of its own.

    `rules` go before those of all APIs. `parameters`, where there are any, take the place of the
    rules by which a refused parameter is told: patterns with the name of the parameter, which is
    what the pattern found where it is null, and nothing where the pattern has no group. `names`
    maps an API's names to those of `Chat.options`; of `no_parameters`, none can be left out.
    """

    rules: tuple[Rule, ...] = ()
    parameters: tuple[tuple[re.Pattern[str], str | None], ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    no_parameters: Set[str] = frozenset()

    def refused(self, said: str) -> tuple[str | None] | None:
        """Return the parameter that a message refuses, in a tuple; null where it refuses none."""
        for pattern, name in self.parameters:
            found = pattern.search(said)
            if found is None:
                continue
            path = name or next(filter(None, found.groups()), None)
            if path is None:
                return (None,)
            first = path.split(".")[0]
            if first not in self.no_parameters:
                return (self.names.get(path) or self.names.get(first, first),)
        return None


PLAIN = Dialect()


def one_line(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Return text as one line of at most `limit` characters, free of control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def failure_of(status: int | None, document: Any, dialect: Dialect = PLAIN) -> CallFailed:
    """Return the failure that an error body means.

    `document` is the decoded body or its text. `status` is the HTTP status, or null for an error
    in the middle of an answer, which is classed by its own code, else as `stream_error`.
    """
    said = message_of(document)
    codes = frozenset(_codes(document, 0))
    asked = status if status is not None else _status_in(document)
    error_type, parameter = _classified(dialect, asked, codes, said)
    if status is None and error_type in ("server_error", "bad_request"):
        error_type = "stream_error"
    if error_type == "parameter_unsupported" and not dialect.parameters:
        found = _parameter(document, said)
        parameter = found and dialect.names.get(found, found)
    wait_s = retry_after_s({}, document)
    said = _wording(status, said)
    return CallFailed(error_type, said, status=status, parameter=parameter, retry_after_s=wait_s)


def message_of(document: Any) -> str:
    """Return what an error body says, as one line; empty where it says nothing."""
    return one_line("; ".join(dict.fromkeys(_said(document, 0))), 2 * _LONGEST_MESSAGE)


def _wording(status: int | None, said: str) -> str:
    if status is None:
        return one_line(f"error in the answer: {said}" if said else "error in the answer")
    return one_line(f"status {status}: {said}" if said else f"status {status} without a reason")


def _classified(
    dialect: Dialect, status: int | None, codes: frozenset[str], said: str
) -> tuple[str, str | None]:
    """Return the type of an error and, where the dialect tells it, the refused parameter."""
    first = (*dialect.rules, *_FIRST_RULES, *(() if dialect.parameters else _PARAMETER_RULES))
    for rule in first:
        if rule.holds(status, codes, said):
            return rule.error_type, None
    refused = dialect.refused(said) if status in _OF_A_REQUEST else None
    if refused is not None:
        return "parameter_unsupported", refused[0]
    last = (rule.error_type for rule in _LAST_RULES if rule.holds(status, codes, said))
    return next(last, "bad_request"), None


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
