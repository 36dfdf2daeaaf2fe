"""How many tokens a request is, without any endpoint's own tokenizer.

What is expected is what a candidate is valued by. What it may be at most, by family of models, is
what limits on cost are held to.
"""

from __future__ import annotations

import math
from itertools import chain, zip_longest

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.requests import MediaSize, Message, Request, Task
from rolecall.registry.core.text_tokens import text_tokens
from rolecall.registry.routing.rules.media_tokens import (
    FAMILIES,
    Family,
    expected_media_tokens,
    most_media_tokens,
    text_of_family,
)

MESSAGE_TOKENS = 4
ANSWER_ROOM_TOKENS = 1_024
# At most: what stands around each message, and what a model is told where it has tools.
MOST_MESSAGE_TOKENS = 8
MOST_TOOLS_TOKENS = 800
# At most: what a server adds to every request. Chat templates of open models add a date and a
# system prompt of their own: some 70 tokens for gpt-oss, 30 for Llama.
MOST_REQUEST_TOKENS = 16
MOST_REQUEST_TOKENS_OF_OTHERS = 80
_OPENAI_NAMES = ("gpt-", "chatgpt-", "o1", "o3", "o4")


def estimate_tokens(request: Request) -> int:
    """Estimate the input tokens of `request`, as if nothing had been declared.

    Texts, tools and an answer schema count as `text_tokens` expects, attachments by their size;
    each message adds 4.
    """
    tokens = float(MESSAGE_TOKENS * len(request.messages))
    tokens += sum(text_tokens(text).expected for text in _texts(request))
    tokens += sum(map(expected_media_tokens, _media(request)))
    return math.ceil(tokens)


def most_tokens(request: Request) -> tuple[int | None, ...]:
    """Return the most input tokens of `request` by family; null where a size is not known."""
    return tuple(_most(request, family) for family in FAMILIES)


def most_input_tokens(task: Task, endpoint: Endpoint) -> int | None:
    """Return the most tokens that the input of `task` is at `endpoint`; null: that is unknown."""
    if not task.most_input_tokens:
        return task.input_tokens
    return task.most_input_tokens[FAMILIES.index(_family(endpoint))]


def context_needed(task: Task, input_tokens: int) -> int:
    """Return the tokens an endpoint must hold: the input and room for the answer.

    The room is `max_tokens`, or 1,024 where the caller set none.
    """
    return input_tokens + (ANSWER_ROOM_TOKENS if task.max_tokens is None else task.max_tokens)


def _most(request: Request, family: Family) -> int | None:
    tokens = float(MOST_MESSAGE_TOKENS * len(request.messages))
    tokens += MOST_REQUEST_TOKENS_OF_OTHERS if family == "other" else MOST_REQUEST_TOKENS
    if request.tool_names:
        tokens += MOST_TOOLS_TOKENS + MOST_MESSAGE_TOKENS * len(request.tool_names)
    tokens += sum(text_of_family(text_tokens(text), family) for text in _texts(request))
    for size in _media(request):
        most = most_media_tokens(size, family)
        if most is None:
            return None
        tokens += most
    return math.ceil(tokens)


def _family(endpoint: Endpoint) -> Family:
    """Return whose tokenizer and prices of images an endpoint is held to, told by names."""
    name = endpoint.remote_model.lower().rpartition("/")[2]
    if endpoint.api == "anthropic" or "claude" in name:
        return "claude"
    if endpoint.api == "gemini" or "gemini" in name:
        return "gemini"
    if "gpt-4o-mini" in name:
        return "gpt-4o-mini"
    return "openai" if name.startswith(_OPENAI_NAMES) and "oss" not in name else "other"


def _texts(request: Request) -> chain[str]:
    texts = (message.text for message in request.messages)
    return chain(texts, (text for text in (request.tools_text, request.schema_text) if text))


def _media(request: Request) -> chain[MediaSize]:
    return chain.from_iterable(map(_sizes, request.messages))


def _sizes(message: Message) -> list[MediaSize]:
    """Return the size of each attachment, an unknown one where the message has none of it."""
    return [
        size or MediaSize(modality or "")
        for modality, size in zip_longest(message.attachments, message.sizes)
    ]
