"""The kind of a task, as far as the request's structure gives it away."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from rolecall.registry.core.requests import Request
from rolecall.registry.routing.rules.requirements import attachment_reason
from rolecall.registry.routing.rules.token_estimate import estimate_tokens

LONG_CONTEXT_TOKENS = 60_000


class Detected(NamedTuple):
    """A task's kind, how sure that is (0–1), and what decided it in a few words."""

    kind: str
    confidence: float
    detected_by: str


def task_by_structure(request: Request) -> Detected | None:
    """Tell the kind of task from tools, images or length; None when these say nothing."""
    if request.tool_names:
        return Detected("agent", 0.9, attachment_reason("tool", len(request.tool_names)))
    attached = Counter(kind for message in request.messages for kind in message.attachments)
    if attached["image"]:
        return Detected("vision", 0.9, attachment_reason("image", attached["image"]))
    declared = request.input_tokens
    size = estimate_tokens(request) if declared is None else declared
    if size > LONG_CONTEXT_TOKENS:
        return Detected("long_context", 0.8, f"about {round(size / 1_000)}k tokens")
    return None
