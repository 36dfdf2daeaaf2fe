"""OpenAI's chat completions: the request, as OpenAI and the many that follow it take it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from rolecall.registry.core.chat import NEED_TOOLS, Chat, Tool
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.providers.errors import failure_of
from rolecall.registry.providers.extras import kept_extra, taken_extras
from rolecall.registry.providers.forms import refuse_untaken
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.http.url import address
from rolecall.registry.providers.openai.messages import messages
from rolecall.registry.providers.openai.response import OpenAIReader
from rolecall.registry.providers.openai.strict_schema import is_strict
from rolecall.registry.providers.protocol import Format, HttpRequest, Target

_SET_HERE = frozenset({"model", "messages", "stream", "stream_options", "tools", "response_format"})


def build(target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
    """Return the request; options go under their own names.

    Raises CallFailed for attachments that the endpoint does not take.
    """
    refuse_untaken(target, chat)
    endpoint, extras = target.endpoint, taken_extras(target)
    body: dict[str, Any] = {
        "model": target.remote_model,
        "messages": messages(chat, endpoint, extras),
    }
    if chat.tools:
        body["tools"] = [tool_definition(tool, extras) for tool in chat.tools]
    without = _SET_HERE | (frozenset() if chat.tools else NEED_TOOLS)
    for name, value in chat.options.items():
        if name not in without:
            body[name] = _tool_choice(value) if name == "tool_choice" else value
    if chat.schema is not None:
        body["response_format"] = _response_format(chat.schema, chat.schema_name)
    if chat.max_tokens is not None:
        body[_limit_name(endpoint)] = chat.max_tokens
    if stream:
        body["stream"] = True
        if "stream_options" not in endpoint.unsupported_parameters:
            body["stream_options"] = {"include_usage": True}
    headers = {"authorization": f"Bearer {target.key}"} if target.key else {}
    return HttpRequest(address(endpoint, "chat/completions"), headers, body)


def tool_definition(tool: Tool, extras: Collection[str] = ()) -> dict[str, Any]:
    """Return a tool as OpenAI, and Ollama after it, describes one, with those of its extras."""
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters) or {"type": "object", "properties": {}}
    function |= kept_extra(tool.extra, [name for name in extras if name == "strict"])
    cached = kept_extra(tool.extra, [name for name in extras if name == "cache_control"])
    return {"type": "function", "function": function, **cached}


def _tool_choice(choice: Any) -> Any:
    if isinstance(choice, Mapping) and isinstance(choice.get("name"), str):
        return {"type": "function", "function": {"name": choice["name"]}}
    return choice


def _response_format(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    if not schema:
        return {"type": "json_object"}
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "answer"
    wanted = {"name": plain, "schema": dict(schema), "strict": is_strict(schema)}
    return {"type": "json_schema", "json_schema": wanted}


def _limit_name(endpoint: Endpoint) -> str:
    """Name the parameter that limits the output; OpenAI itself has renamed its own.

    Of two that are refused, the one that was not the last to be.
    """
    names = ["max_tokens", "max_completion_tokens"]
    if has_habit(endpoint, "openai_itself"):
        names.reverse()
    refused = endpoint.unsupported_parameters
    return min(names, key=lambda name: refused.index(name) if name in refused else -1)


OPENAI = Format(build, OpenAIReader, failure_of)
