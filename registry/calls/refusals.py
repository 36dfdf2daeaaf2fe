"""What to leave out of a request, or send under another name, once a server has refused it."""

from __future__ import annotations

import re

from rolecall.registry.core.chat import Chat
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import CallFailed, RegistryError
from rolecall.registry.core.parameters import HINTS

# The two names that the limit of the output goes by in OpenAI's API.
LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# What nobody asked for: sent of one's own accord.
_OWN = ("stream_options", "stream")
# What a model that has its own values for them refuses: an answer is worth more than they are.
_TASTE = ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty")
_TOO_LARGE = re.compile(
    r"too (?:large|big|high|many)|at most|less than|greater than|range|exceed|maximum",
    re.IGNORECASE,
)


def left_out(
    error: RegistryError,
    endpoint: Endpoint,
    chat: Chat,
    refused: tuple[str, ...],
    *,
    allow_drop: bool,
) -> str | None:
    """Return the parameter to leave out, or rename, in another try; null where none may be.

    `refused` was left out before. The limit of the output and system messages only change their
    name; what the person asked for is left out where it is a matter of taste, has its usual
    value, or `allow_drop` says so.
    """
    name = error.parameter if isinstance(error, CallFailed) else None
    if name is None or name in refused:
        return None
    if name in LIMITS:
        is_renamed = endpoint.api == "openai" and LIMITS[name] not in refused
        return name if is_renamed and not _TOO_LARGE.search(error.message) else None
    if name == "system":
        has_system = any(turn.role == "system" for turn in chat.turns)
        return name if endpoint.api == "openai" and has_system else None
    if name in _OWN:
        return name if endpoint.api == "openai" else None
    if name == "reasoning_effort" and name not in chat.options:
        return name if endpoint.reasoning_effort is not None else None
    if name == "response_format":
        return name if chat.schema is not None and allow_drop else None
    if name not in chat.options:
        return None
    is_usual = name == "parallel_tool_calls" and chat.options[name] is True
    is_spared = name in _TASTE or name in HINTS or is_usual
    return name if is_spared or allow_drop else None


def renaming(name: str) -> str | None:
    """Say how a refused parameter is sent all the same; null where it is left out."""
    if name in LIMITS:
        return f"takes no {name}: sent as {LIMITS[name]}"
    return "takes no system messages: sent in another role" if name == "system" else None
