"""Which parameter of a request a server refuses, in whatever words it says so."""

from __future__ import annotations

import re
from typing import Any

# Roles go by the name of the one that is refused.
SYSTEM_ROLE = "system"
# What servers of OpenAI's kind take or refuse. Of these, a name counts wherever it stands in a
# refusal; others only where the sentence says that it is one.
_KNOWN = (
    *("max_completion_tokens", "max_tokens", "stream_options", "stream", "response_format"),
    *("temperature", "top_p", "top_k", "min_p", "top_logprobs", "logprobs", "logit_bias"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty", "repeat_penalty", "seed"),
    *("reasoning_effort", "parallel_tool_calls", "tool_choice", "service_tier", "verbosity"),
)
_OTHER_NAMES = {
    **dict.fromkeys(("json_schema", "json_object", "response format"), "response_format"),
    **{"streaming": "stream", "tool choice": "tool_choice"},
    **{"reasoning": "reasoning_effort", "role": SYSTEM_ROLE},
    **{"parallel tool calls": "parallel_tool_calls", "reasoning effort": "reasoning_effort"},
}
_SPELT = "|".join(name.replace("_", "[ _]?") for name in _KNOWN)

WORDS = re.compile(
    r"unsupported (?:parameter|value|field|argument)|(?:unrecognized|unknown) (?:request )?"
    r"(?:parameter|argument|field|name)|(?:does|do) not support|doesn't support|not supported"
    r"|is unsupported|extra inputs are not permitted|extra fields not permitted|max_tokens is too"
    r"|(?:invalid|range of) max_(?:completion_)?tokens|no endpoints found that (?:support|can)"
    r"|additional properties are not allowed|unexpected keyword|type is unavailable"
    r"|unexpected fields? in the request|extraneous key|requires --enable-auto-tool-choice"
    r"|roles? (?:is|are) supported|unknown role|input should be 'user'"
    r"|(?:unexpected|unpermitted) (?:parameter|argument|field|key)|extra fields not allowed"
    r"|unrecognized[ _]keys?|only supports the default"
    r"|json_(?:schema|object)\W{1,3}is not available|cannot specify both|cannot both be specified"
    rf"|\b(?:{_SPELT})\b\W{{0,3}}(?:is|are) (?:(?:only|not) (?:allowed|permitted"
    rf"|enabled|available)\b(?! to\b)|not a (?:valid|known|permitted) parameter)"
    rf"|\b(?:{_SPELT}) not permitted|only (?:{_SPELT})\W{{1,3}}\w+\W{{0,3}}is (?:allowed|supported)"
    rf"|\b(?:{_SPELT})\b\W{{0,3}}(?:\.type\W{{0,3}})?(?:is deprecated|may only be|only\b"
    r"|must be (?:set to |equal to )?(?:\d|one of|[`'\"]|none\b|null\b|the default|omitted|unset))"
    rf"|instead of\W{{1,4}}(?:{_SPELT})\b",
    re.IGNORECASE,
)
_SYSTEM_WORDS = re.compile(
    r"system (?:role|messages?|prompts?) (?:is |are )?(?:not|un)[ -]?support"
    r"|role\W{1,3}system\W{1,3}is not supported|(?:support|unknown role:?) \W?system\b"
    r"|only user and assistant roles|\.role: input should be 'user'"
    r"|'role'\), 'msg': \W{0,2}input should be 'user'",
    re.IGNORECASE,
)
_QUOTED = r"[`'\"‘“]([A-Za-z_][\w.\[\]]*)[`'\"’”]"
_SAID_TO_BE_ONE = (
    re.compile(rf"(?:parameter|argument|value|field|property)s?:?\s+{_QUOTED}", re.IGNORECASE),
    re.compile(r"(?:argument|parameter)s? supplied:\s*([A-Za-z_]\w*)", re.IGNORECASE),
    re.compile(r"(?:parameter|argument|field):?\s+([a-z]+_\w+)", re.IGNORECASE),
    re.compile(r"(?:not supported on this model|support parameter|not supported):?\s+(\w+)"),
    re.compile(r"([\w.\[\]]+): extra (?:inputs are|fields) not permitted", re.IGNORECASE),
    re.compile(r"unexpected fields? in the request: \{?'([A-Za-z_]\w*)'", re.IGNORECASE),
    re.compile(r"extraneous key \[(\w+)\]", re.IGNORECASE),
    re.compile(r"'loc': [(\[]'body', '(\w+)'[)\]]"),
)
_NO_NAMES = {"by", "for", "with", "in", "on", "please"}
_INSTEAD = (
    re.compile(rf"instead of\W{{1,4}}({_SPELT})\b", re.IGNORECASE),
    re.compile(r"\bplease use\b[^.;]*|\buse\b[^.;]*\binstead\b", re.IGNORECASE),
)
_KNOWN_NAME = re.compile(rf"\b({'|'.join([_SPELT, *_OTHER_NAMES])})\b", re.IGNORECASE)
_PERHAPS_ONE = (
    re.compile(rf"{_QUOTED}\s+(?:parameter|is not supported|is unsupported|was unexpected)"),
    re.compile(rf"(?:does|do)(?: not|n't) support\s+(?:the\s+)?{_QUOTED}", re.IGNORECASE),
    re.compile(r"(?:does not|doesn't) support (tools|thinking|images?)\b", re.IGNORECASE),
    re.compile(r"\b([a-z]+_[a-z_]+)\b[^.]{0,40}?(?:not supported|unsupported|is too|unavail)"),
)


def refused_parameter(document: Any, said: str) -> str | None:
    """Return the parameter that an error body refuses, in OpenAI's spelling; null if unnamed.

    `said` are the words of the body. A refused role of system messages is `system`.
    """
    if _SYSTEM_WORDS.search(said):
        return SYSTEM_ROLE
    error = document.get("error") if isinstance(document, dict) else None
    for holder in (error, document):
        named = holder.get("param") if isinstance(holder, dict) else None
        if isinstance(named, str) and named:
            return _plain(named)
    for pattern in _SAID_TO_BE_ONE:
        found = pattern.search(said)
        if found is not None and found[1].lower() not in _NO_NAMES:
            return _plain(found[1])
    return _known_name(said) or next(
        (_plain(found[1]) for one in _PERHAPS_ONE if (found := one.search(said))), None
    )


def _known_name(said: str) -> str | None:
    """Return the first known name in the words, apart from what they advise to use instead."""
    instead, advice = _INSTEAD
    found = instead.search(said) or _KNOWN_NAME.search(advice.sub("", said))
    return None if found is None else _plain(found[1])


def _plain(path: str) -> str:
    """Return the parameter that a path names: the first part, or the last inside a message."""
    parts = [part for part in re.split(r"[.\[\]]+", path) if part and not part.isdigit()]
    if parts and parts[0] == "body":
        parts = parts[1:]
    if not parts:
        return path
    name = parts[-1] if parts[0] == "messages" else parts[0]
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return _OTHER_NAMES.get(snake, snake)
