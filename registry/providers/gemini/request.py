"""Google's generateContent, the API of the Gemini models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rolecall.registry.core.chat import Chat, Tool
from rolecall.registry.providers.forms import refuse_untaken
from rolecall.registry.providers.gemini.errors import failure
from rolecall.registry.providers.gemini.messages import contents_of, instruction_of
from rolecall.registry.providers.gemini.response import GeminiReader
from rolecall.registry.providers.gemini.thinking import gemini_of, thinking_config
from rolecall.registry.providers.http.url import address
from rolecall.registry.providers.protocol import Format, HttpRequest, Target

_VERSIONED = re.compile(r"/v\d+(?:alpha|beta)?\d*(?:/|$)")
_OPTIONS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def build(target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
    """Return the request. Raises CallFailed for attachments that the API does not take."""
    refuse_untaken(target, chat)
    options = chat.options
    config = {
        **{_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS},
        **({} if chat.max_tokens is None else {"maxOutputTokens": chat.max_tokens}),
        **_answer_form(chat.schema),
    }
    thinking = thinking_config(target, options)
    if thinking is not None:
        config["thinkingConfig"] = thinking
    body: dict[str, Any] = {"contents": contents_of(chat.turns, gemini_of(target))}
    instruction = instruction_of(chat.turns)
    if instruction is not None:
        body["systemInstruction"] = instruction
    if config:
        body["generationConfig"] = config
    body |= _tools(chat.tools, options)
    return HttpRequest(_url(target, stream), _headers(target), body)


def _url(target: Target, stream: bool) -> str:
    base = target.endpoint.base_url.partition("?")[0].rstrip("/")
    version = "" if _VERSIONED.search(base) else "v1beta/"
    model = target.remote_model
    path = quote(model if model.startswith(("models/", "tunedModels/")) else f"models/{model}")
    verb = "streamGenerateContent" if stream else "generateContent"
    url = address(target.endpoint, f"{version}{path}:{verb}")
    if not stream:
        return url
    return f"{url}{'&' if '?' in url else '?'}alt=sse"


def _headers(target: Target) -> dict[str, str]:
    """Return the key as a header: in the URL, logs would keep it."""
    return {} if target.key is None else {"x-goog-api-key": target.key}


def _answer_form(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the answer must match; an empty schema asks for any JSON."""
    if schema is None:
        return {}
    form: dict[str, Any] = {"responseMimeType": "application/json"}
    return form | ({"responseJsonSchema": _plain(schema)} if schema else {})


def _tools(tools: Sequence[Tool], options: Mapping[str, Any]) -> dict[str, Any]:
    if not tools:
        return {}
    found: dict[str, Any] = {"tools": [{"functionDeclarations": [_tool(tool) for tool in tools]}]}
    choice = options.get("tool_choice")
    if isinstance(choice, dict):
        calling = {"mode": "ANY", "allowedFunctionNames": [choice["name"]]}
    elif choice in _MODES:
        calling = {"mode": _MODES[choice]}
    else:
        return found
    return found | {"toolConfig": {"functionCallingConfig": calling}}


def _tool(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        found["description"] = tool.description
    if tool.parameters:
        found["parametersJsonSchema"] = _plain(tool.parameters)
    return found


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without the name of its dialect, which the API does not know."""
    return {name: value for name, value in schema.items() if name != "$schema"}


GEMINI = Format(build, GeminiReader, failure)
