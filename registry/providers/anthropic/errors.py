"""What Anthropic's errors mean: its own words first, then those that all APIs share."""

from __future__ import annotations

import re
from typing import Any

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.errors import failure_of, message_of

_TOO_LONG = re.compile(r"exceed context limit|context window", re.IGNORECASE)
_SPENT = re.compile(r"api usage limits|spend(?:ing)? limit|credit balance", re.IGNORECASE)
_PREFILL = re.compile(r"assistant message prefill|must end with a user message", re.IGNORECASE)
_PARAMETERS = (
    re.compile(r"^([a-z][\w.]*): Extra inputs are not permitted"),
    re.compile(r"`([a-z_]+)` (?:is (?:deprecated|not supported)|may only be set|must be)"),
    re.compile(r"`\w+` and `([a-z_]+)` cannot both be specified"),
    re.compile(r"[\"'`]?(thinking)[.\w]*[\"'`]? (?:is|are) not supported"),
    re.compile(r"support (?:the )?(effort|output format|structured outputs?)"),
    re.compile(r"^(stop_sequences): each stop sequence must"),
    re.compile(r"(tool_choice) forces tool use|(?:forced|forcing) (tool) use"),
)
# Their names here, where Anthropic has others.
_NAMES = {
    **{"output_config": "response_format", "output_config.format": "response_format"},
    **{"output_format": "response_format", "output format": "response_format"},
    **{"structured output": "response_format", "structured outputs": "response_format"},
    **{"output_config.effort": "reasoning_effort", "effort": "reasoning_effort"},
    **{"thinking": "reasoning_effort", "stop_sequences": "stop", "metadata": "user"},
    **{"tool": "tool_choice"},
}
# What a request consists of is no parameter that could be left out.
_NO_PARAMETERS = ("messages", "system", "tools", "model", "max_tokens", "stream")


def failure(status: int | None, document: Any) -> CallFailed:
    """Return what an error body means; `status` is null for one in the middle of a stream."""
    found = failure_of(status, document)
    if found.error_type not in ("bad_request", "parameter_unsupported"):
        return found
    said = message_of(document)
    if _TOO_LONG.search(said):
        found.error_type = "context_too_long"
    elif _SPENT.search(said):
        found.error_type = "quota_exceeded"
    else:
        parameter = None if _PREFILL.search(said) else _parameter(said)
        found.error_type = "bad_request" if parameter is None else "parameter_unsupported"
        found.parameter = parameter
    return found


def _parameter(said: str) -> str | None:
    """Return the option that a message refuses, under its name here."""
    matches = (pattern.search(said) for pattern in _PARAMETERS)
    names = (next(filter(None, match.groups())) for match in matches if match)
    path = next(names, None)
    if path is None:
        return None
    first = path.split(".")[0]
    if first in _NO_PARAMETERS:
        return None
    return _NAMES.get(path) or _NAMES.get(first, first)
