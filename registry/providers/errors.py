"""What a refusal or an error of any API means, read from its status, codes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.error_body import codes_in, message_of, one_line, status_in
from rolecall.registry.providers.http.retry_after import retry_after_s

_QUOTA_CODES = {
    *("insufficient_quota", "insufficient_balance", "insufficient_credits", "payment_required"),
    *("insufficient_user_quota", "billing_hard_limit_reached", "billing_not_active"),
    *("billing_error", "exceeded_current_quota_error", "arrearage", "base_resp.1008"),
    *("1110", "1112", "1113", "1304", "1308", "1309"),  # Zhipu
}
_REFUSED_CODES = {
    *("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "refusal"),
    *("data_inspection_failed", "datainspectionfailed", "moderation_blocked", "content_policy"),
    *("invalid_prompt", "safety", "base_resp.1026", "base_resp.1027", "1301", "10013", "10014"),
}
_LENGTH_CODES = {
    *("context_length_exceeded", "exceed_context_size_error", "token_limit_exceeded"),
    *("string_above_max_length", "request_too_large", "context_window_exceeded"),
    *("model_max_prompt_tokens_exceeded", "payload_too_large", "1261", "10907"),
}
_PARAMETER_CODES = {
    *("unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"),
    *("unsupported_field", "unrecognized_parameter", "value_error.extra"),
}
_MODEL_CODES = {
    "model_not_found",
    "model_not_available",
    "not_found_error",
    "model_not_exist",
    "1211",
}
_AUTH_CODES = {
    *("invalid_api_key", "authentication_error", "api_key_invalid", "authentication"),
    *("permission_error", "permission_denied", "invalidapikey", "accessdenied", "unauthorized"),
    *("base_resp.1004", "base_resp.2049", "unrecognizedclientexception", "accessdeniedexception"),
}
_RATE_CODES = {
    *("rate_limit_exceeded", "rate_limit_error", "too_many_requests", "rate_limit_reached_error"),
    *("rate_limited", "resource_exhausted", "throttling", "throttlingexception"),
    *("throttling.ratequota", "throttling.allocationquota", "base_resp.1002", "base_resp.1039"),
    *("1302", "1303", "policies.ratelimit.spikearrestviolation"),
}
_OVERLOAD_CODES = {
    *("overloaded_error", "overloaded", "server_overloaded", "provider_overloaded"),
    *("provider_unavailable", "service_unavailable", "unavailable_error", "unavailable"),
    *("engine_overloaded_error", "engine_overloaded", "serviceunavailableexception", "1305"),
}

_QUOTA_WORDS = re.compile(
    r"insufficient (?:balance|credit|fund|quota)|credit balance|used all available credits"
    r"|(?:out of|not enough|more) credits|requires (?:at least|more) .*credits|billing"
    r"|usage limit|in arrears|overdue|(?:daily|monthly) (?:request|usage|call|token) limit"
    r"|requests? per day|quota (?:exceeded|exhausted|is used up)|exceeded .*\bquota|no quota",
    re.IGNORECASE,
)
_REFUSED_WORDS = re.compile(
    r"\bflagged\b|content (?:management )?policy|usage polic|moderation|safety system"
    r"|content filter|inappropriate content|content risk",
    re.IGNORECASE,
)
_LENGTH_WORDS = re.compile(
    r"context (?:length|window|size|limit)|maximum context|too long for (?:the|this|requested)"
    r"|(?:prompt|input|request|message)s? (?:is|are|was) too long"
    r"|too many (?:input )?tokens|token count .*exceeds|exceeds? .*\btokens? limit"
    r"|exceeds the (?:maximum|limit).*\btokens|reduce the length|range of input length"
    r"|max(?:imum)?[ _](?:prompt|input|sequence|total)[ _](?:length|tokens)|string too long"
    r"|max_prompt_tokens|prompt .*exceeds .*tokens",
    re.IGNORECASE,
)
_TOO_LARGE_WORDS = re.compile(r"request too large|request body (?:is )?too large", re.IGNORECASE)
_MODEL_WORDS = re.compile(
    r"\bnot_found\b"
    r"|model\b.{0,120}?(?:not found|does not exist|not exist|doesn't exist|is not a valid model)"
    r"|(?:unknown|invalid|no such) model\b|not a valid model|no endpoints found for"
    r"|server is pinned to\b",
    re.IGNORECASE | re.DOTALL,
)
# What an error in an answer says where it has neither a status nor a code.
_BUSY_WORDS = re.compile(
    r"(?:server|service|system|model) (?:is )?(?:currently )?busy|overloaded|over capacity"
    r"|at capacity|temporarily unavailable|high load",
    re.IGNORECASE,
)
_RATE_WORDS = re.compile(
    r"\brate.?limit|too many .*requests|spike arrest|throttl|request limit reached|qps|\brpm\b"
    r"|\btpm\b|concurrency limit|requests? too (?:fast|frequent)",
    re.IGNORECASE,
)
_ACCESS_WORDS = re.compile(
    r"\bunauthori[sz]ed\b|permission|have access|authentication|access denied", re.IGNORECASE
)
_KEY_WORDS = re.compile(
    r"(?:api.?key|access.?token) (?:is )?(?:not valid|invalid|incorrect|expired)"
    r"|(?:invalid|incorrect|expired|wrong) (?:api.?key|access.?token|token)\b|login fail",
    re.I,
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


def failure_of(status: int | None, document: Any, dialect: Dialect = PLAIN) -> CallFailed:
    """Return the failure that an error body means.

    `document` is the decoded body or its text. `status` is the HTTP status, or null for an error
    in the middle of an answer, which is classed by its own code, else as `stream_error`.
    """
    said = message_of(document)
    codes = codes_in(document)
    asked = status if status is not None else status_in(document, said)
    error_type, parameter = _classified(dialect, asked, codes, said)
    if status is None and error_type in ("server_error", "bad_request"):
        error_type = "stream_error"
    if error_type == "parameter_unsupported" and not dialect.parameters:
        from rolecall.registry.providers.refused_parameters import refused_parameter

        found = refused_parameter(document, said)
        parameter = found and dialect.names.get(found, found)
    wait_s = retry_after_s({}, document)
    said = _wording(status, said)
    return CallFailed(error_type, said, status=status, parameter=parameter, retry_after_s=wait_s)


def _refuses_parameter(status: int | None, codes: frozenset[str], said: str) -> bool:
    # Imported here: 13 ms for its patterns, which an answer does not pay.
    from rolecall.registry.providers.refused_parameters import WORDS

    kind = "parameter_unsupported"
    rules = (Rule(kind, _PARAMETER_CODES, not_at=_RATE), Rule(kind, words=WORDS, not_at=_RATE))
    return any(rule.holds(status, codes, said) for rule in rules)


def _wording(status: int | None, said: str) -> str:
    if status is None:
        return one_line(f"error in the answer: {said}" if said else "error in the answer")
    return one_line(f"status {status}: {said}" if said else f"status {status} without a reason")


def _classified(
    dialect: Dialect, status: int | None, codes: frozenset[str], said: str
) -> tuple[str, str | None]:
    """Return the type of an error and, where the dialect tells it, the refused parameter."""
    for rule in (*dialect.rules, *_FIRST_RULES):
        if rule.holds(status, codes, said):
            return rule.error_type, None
    if not dialect.parameters and _refuses_parameter(status, codes, said):
        return "parameter_unsupported", None
    refused = dialect.refused(said) if status in _OF_A_REQUEST else None
    if refused is not None:
        return "parameter_unsupported", refused[0]
    last = (rule.error_type for rule in _LAST_RULES if rule.holds(status, codes, said))
    return next(last, "bad_request"), None
