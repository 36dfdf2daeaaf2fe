"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rolecall.registry.core.chat import Chat, Tool
from rolecall.registry.providers.anthropic.errors import failure
from rolecall.registry.providers.anthropic.json_schema import output_schema
from rolecall.registry.providers.anthropic.messages import messages_of, system_of
from rolecall.registry.providers.anthropic.response import AnthropicReader
from rolecall.registry.providers.anthropic.thinking import (
    SAMPLING,
    ThinkingPlan,
    claude_of,
    planned,
)
from rolecall.registry.providers.extras import kept_extra, taken_extras
from rolecall.registry.providers.forms import refuse_untaken
from rolecall.registry.providers.http.url import address
from rolecall.registry.providers.protocol import Format, HttpRequest, Target

_VERSION = "2023-06-01"
_HOTTEST = 1.0  # OpenAI's scale goes to 2
_SERVICE_TIERS = {
    **{"auto": "auto", "priority": "auto"},
    **{"default": "standard_only", "standard_only": "standard_only"},
}


def build(target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
    """Return the request. Raises CallFailed for attachments that the API does not take."""
    refuse_untaken(target, chat)
    options, plan = chat.options, planned(target, chat)
    body: dict[str, Any] = {
        "model": target.remote_model,
        "max_tokens": plan.max_tokens,
        "messages": messages_of(chat.turns, is_signed=claude_of(target) is not None),
        "stream": stream,
        **_sampling(options),
        **_caller(options),
    }
    system = system_of(chat.turns)
    if system is not None:
        body["system"] = system
    if chat.tools:
        body["tools"] = [_tool(tool, taken_extras(target)) for tool in chat.tools]
        body |= _tool_choice(options)
    if plan.thinking is not None:
        body["thinking"] = dict(plan.thinking)
    url = address(target.endpoint, _path(target))
    return HttpRequest(url, _headers(target), body | _output(plan, chat.schema))


def _path(target: Target) -> str:
    base = target.endpoint.base_url.partition("?")[0].rstrip("/")
    return "messages" if base.endswith("/v1") else "v1/messages"


def _headers(target: Target) -> dict[str, str]:
    key = {} if target.key is None else {"x-api-key": target.key}
    return {"anthropic-version": _VERSION, **key}


def _sampling(options: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: options[name] for name in SAMPLING if name in options}
    if isinstance(found.get("temperature"), int | float):
        found["temperature"] = min(found["temperature"], _HOTTEST)
    if options.get("stop"):
        found["stop_sequences"] = list(options["stop"])
    return found


def _caller(options: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(options.get("user"), str):
        found["metadata"] = {"user_id": options["user"]}
    if "cache_control" in options:
        found["cache_control"] = options["cache_control"]
    tier = _SERVICE_TIERS.get(str(options.get("service_tier")))
    return found if tier is None else found | {"service_tier": tier}


def _tool(tool: Tool, extras: Collection[str]) -> dict[str, Any]:
    if tool.native is not None:
        return dict(tool.native)
    found: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        found["description"] = tool.description
    found |= kept_extra(tool.extra, extras)
    schema = {"type": "object", "properties": {}} | dict(tool.parameters)
    return found | {"input_schema": output_schema(schema) if "strict" in found else schema}


def _tool_choice(options: Mapping[str, Any]) -> dict[str, Any]:
    choice = options.get("tool_choice")
    found: dict[str, Any] = {}
    if isinstance(choice, dict):
        found = {"type": "tool", "name": choice["name"]}
    elif choice is not None:
        found = {"type": "any" if choice == "required" else choice}
    if options.get("parallel_tool_calls") is False and choice != "none":
        found = {"type": "auto"} | found | {"disable_parallel_tool_use": True}
    return {"tool_choice": found} if found else {}


def _output(plan: ThinkingPlan, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the answer should be: how much effort, which schema.

    A schema that any object matches has no place here.
    """
    found: dict[str, Any] = {} if plan.effort is None else {"effort": plan.effort}
    if schema:
        found["format"] = {"type": "json_schema", "schema": output_schema(schema)}
    return {"output_config": found} if found else {}


ANTHROPIC = Format(build, AnthropicReader, failure)
