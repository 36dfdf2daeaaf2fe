"""Targets and chats that the tests of transport share."""

from __future__ import annotations

from typing import Any

from rolecall.registry.core.chat import Chat, Text, Tool, Turn, TurnRole
from rolecall.registry.core.entities import Api, Endpoint, Model
from rolecall.registry.providers.protocol import Target

KEY = "sk-test-0123456789abcdef"
WEATHER = Tool(
    "weather",
    "tells the weather",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def target(
    base_url: str = "https://api.example.com/v1",
    *,
    api: Api = "openai",
    key: str | None = KEY,
    model_context_tokens: int | None = None,
    **endpoint: Any,
) -> Target:
    """Return a target whose endpoint has these fields."""
    served = Endpoint(
        "place/model", "model", api=api, base_url=base_url, remote_model="remote", **endpoint
    )
    return Target(served, Model("model", context_tokens=model_context_tokens), key)


def turn(role: TurnRole, *parts: Any) -> Turn:
    """Return a turn; strings stand for text."""
    return Turn(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def chat(*turns: Turn, **fields: Any) -> Chat:
    """Return a chat, of one word where no turns are given."""
    return Chat(turns or (turn("user", "hello"),), **fields)
