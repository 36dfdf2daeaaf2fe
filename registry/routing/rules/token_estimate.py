"""How many tokens a request is, without any endpoint's own tokenizer."""

from __future__ import annotations

import math

from rolecall.registry.core.requests import Request, Task

BYTES_PER_TOKEN = 4
MESSAGE_TOKENS = 4
ATTACHMENT_TOKENS = {"image": 1_200, "pdf": 3_000, "audio": 1_500}
# An attachment of a kind not named above counts like the largest one.
OTHER_ATTACHMENT_TOKENS = 3_000
SAFETY_MARGIN = 1.3
ANSWER_ROOM_TOKENS = 1_024


def estimate_tokens(request: Request) -> int:
    """Estimate the input tokens of `request`, as if nothing had been declared.

    Four UTF-8 bytes of text, of tool definitions or of an answer schema make a token, rounded
    up over the whole request; each message adds 4; an image adds 1,200, a pdf 3,000, audio 1,500.
    """
    size = request.tools_chars + request.schema_chars
    tokens = MESSAGE_TOKENS * len(request.messages)
    for message in request.messages:
        size += _utf8_bytes(message.text)
        for kind in message.attachments:
            tokens += ATTACHMENT_TOKENS.get(kind, OTHER_ATTACHMENT_TOKENS)
    return tokens + -(-size // BYTES_PER_TOKEN)


def context_needed(task: Task) -> int:
    """Return the tokens an endpoint must hold: the input and room for the answer.

    An estimated input is multiplied by a safety margin of 1.3, a declared one is believed. The
    room is `max_tokens`, or 1,024 where the caller set none.
    """
    input_tokens = task.input_tokens
    if not task.input_tokens_declared:
        input_tokens = math.ceil(input_tokens * SAFETY_MARGIN)
    room = ANSWER_ROOM_TOKENS if task.max_tokens is None else task.max_tokens
    return input_tokens + room


def _utf8_bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))
