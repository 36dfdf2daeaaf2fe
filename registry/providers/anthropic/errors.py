"""What Anthropic says in words of its own when it refuses a request."""

from __future__ import annotations

import re
from functools import partial

from rolecall.registry.providers.errors import Dialect, Rule, failure_of

_TOO_LONG = re.compile(r"exceed context limit|context window", re.IGNORECASE)
_SPENT = re.compile(r"api usage limits|spend(?:ing)? limit|credit balance", re.IGNORECASE)
_PREFILL = re.compile(r"assistant message prefill|must end with a user message", re.IGNORECASE)
_PARAMETERS = (
    r"^([a-z][\w.]*): Extra inputs are not permitted",
    r"`([a-z_]+)` (?:is (?:deprecated|not supported)|may only be set|must be)",
    r"`\w+` and `([a-z_]+)` cannot both be specified",
    r"[\"'`]?(thinking)[.\w]*[\"'`]? (?:is|are) not supported",
    r"support (?:the )?(effort|output format|structured outputs?)",
    r"^(stop_sequences): each stop sequence must",
    r"(tool_choice) forces tool use|(?:forced|forcing) (tool) use",
)

_DIALECT = Dialect(
    rules=(
        Rule("context_too_long", words=_TOO_LONG, not_at={401, 403, 429}),
        Rule("quota_exceeded", words=_SPENT, not_at={401, 403, 429}),
        Rule("bad_request", words=_PREFILL, at={400}),
    ),
    parameters=tuple((re.compile(pattern), None) for pattern in _PARAMETERS),
    names={
        **{"output_config": "response_format", "output_config.format": "response_format"},
        **{"output_format": "response_format", "output format": "response_format"},
        **{"structured output": "response_format", "structured outputs": "response_format"},
        **{"output_config.effort": "reasoning_effort", "effort": "reasoning_effort"},
        **{"thinking": "reasoning_effort", "stop_sequences": "stop", "metadata": "user"},
        **{"tool": "tool_choice"},
    },
    no_parameters={"messages", "system", "tools", "model", "max_tokens", "stream"},
)

failure = partial(failure_of, dialect=_DIALECT)
