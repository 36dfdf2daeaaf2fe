"""Endpoints and small chats that the tests of the formats share."""

from __future__ import annotations

from typing import Any

from rolecall.registry.core.chat import Chat, Text, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.entities import Api, Endpoint, Model
from rolecall.registry.documents.schema import BASE_URLS
from rolecall.registry.providers.protocol import Format, HttpRequest, Target
from rolecall.registry.providers.sent_chat import sent_chat

WEATHER = Tool(
    "get_weather",
    "Tells the weather in a place",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)
QUESTION = Turn("user", (Text("What is the weather in Oslo?"),))
CALL = ToolCall("call_7", "get_weather", '{"city":"Oslo"}')
RESULT = Turn("tool", (ToolResult("call_7", (Text("4 degrees"),)),))


def target(api: Api, remote_model: str, *, most: int | None = None, **fields: Any) -> Target:
    """An endpoint of an API; `most` is what its model can put out at most."""
    endpoint = Endpoint(
        "place/model", "model", api, fields.pop("base_url", BASE_URLS[api]), remote_model, **fields
    )
    return Target(endpoint, Model("model", max_output_tokens=most), "secret-key")


def user(text: str) -> Turn:
    return Turn("user", (Text(text),))


def assistant(*parts: Any) -> Turn:
    return Turn("assistant", parts)


def chat(*turns: Turn, **fields: Any) -> Chat:
    """A chat of these turns; without any, a question."""
    return Chat(turns or (QUESTION,), **fields)


def body(form: Format, place: Target, asked: Chat, *, stream: bool = True) -> dict[str, Any]:
    request: HttpRequest = form.build(place, sent_chat(place, asked).chat, stream=stream)
    return dict(request.body)
