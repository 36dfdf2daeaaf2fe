"""Ollama's own chat API: options under its names, and a window that holds the request."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rolecall.registry.core.chat import (
    Chat,
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from rolecall.registry.core.text_tokens import text_tokens
from rolecall.registry.providers.forms import refuse_untaken
from rolecall.registry.providers.http.url import address
from rolecall.registry.providers.ollama.response import OllamaReader, failure
from rolecall.registry.providers.openai.messages import text_of, tool_stretches
from rolecall.registry.providers.openai.request import tool_definition
from rolecall.registry.providers.protocol import Format, HttpRequest, Target
from rolecall.registry.providers.tool_call_ids import arguments_of

_OPTIONS = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "stop"),
    *("presence_penalty", "frequency_penalty", "repeat_penalty", "repeat_last_n", "typical_p"),
    *("tfs_z", "mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline", "num_ctx"),
    *("num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock"),
    *("low_vram", "numa", "f16_kv"),
)
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
# Ollama cuts off what does not fit its window and does not say so. Its default holds 4,096.
_SURE_TO_FIT_TOKENS = 4000
_IMAGE_TOKENS = 1200
_ANSWER_TOKENS = 1024


def build(target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
    """Return the request. Raises CallFailed for attachments that Ollama does not take."""
    refuse_untaken(target, chat)
    endpoint = target.endpoint
    body: dict[str, Any] = {
        "model": target.remote_model,
        "messages": _messages(chat.turns),
        "stream": stream,
    }
    if chat.tools:
        body["tools"] = [tool_definition(tool) for tool in chat.tools]
    if chat.schema is not None:
        body["format"] = dict(chat.schema) or "json"
    think = _think(chat.options)
    if think is not None:
        body["think"] = think
    options = {name: chat.options[name] for name in _OPTIONS if name in chat.options}
    if chat.max_tokens is not None:
        options["num_predict"] = chat.max_tokens
    window = _window(target, body, chat.max_tokens)
    if window is not None:
        options.setdefault("num_ctx", window)
    if options:
        body["options"] = options
    if "keep_alive" in chat.options:
        body["keep_alive"] = chat.options["keep_alive"]
    headers = {"authorization": f"Bearer {target.key}"} if target.key else {}
    path = "chat" if endpoint.base_url.rstrip("/").endswith("/api") else "api/chat"
    return HttpRequest(address(endpoint, path), headers, body)


def _think(options: Mapping[str, Any]) -> bool | str | None:
    """Return what `think` shall be; null leaves it to the model."""
    effort, budget = options.get("reasoning_effort"), options.get("thinking_budget")
    if budget == 0 or effort == "none":
        return False
    if effort is None:
        return None if budget is None else True
    return _EFFORTS.get(effort, "high")


def _window(target: Target, body: Mapping[str, Any], max_tokens: int | None) -> int | None:
    """Return the window to ask for, in tokens, or null where the default holds the request."""
    told = {name: body[name] for name in ("tools", "format") if name in body}
    tokens = text_tokens(json.dumps(told, ensure_ascii=False)).most if told else 0.0
    images = 0
    for message in body["messages"]:
        images += len(message.get("images", ()))
        words = {name: value for name, value in message.items() if name not in ("images", "role")}
        tokens += text_tokens(json.dumps(words, ensure_ascii=False)).most
    needed = math.ceil(tokens) + images * _IMAGE_TOKENS + (max_tokens or _ANSWER_TOKENS)
    if needed <= _SURE_TO_FIT_TOKENS:
        return None
    window = 1 << (needed - 1).bit_length()
    limit = target.endpoint.context_tokens or target.model.context_tokens
    return window if limit is None else min(window, limit)


def _messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    names = {
        part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)
    }
    with_thinking = tool_stretches(turns)
    built: list[dict[str, Any]] = []
    for index, turn in enumerate(turns):
        rest: list[Part] = []
        for part in turn.parts:
            if isinstance(part, ToolResult):
                built.append(_tool_message(part, names))
            else:
                rest.append(part)
        if rest or turn.role != "tool":
            built.append(_message(turn.role, rest, with_thinking=with_thinking[index]))
    return built


def _message(role: str, parts: Sequence[Part], *, with_thinking: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": text_of(parts)}
    images = [part.data for part in parts if isinstance(part, Media)]
    if images:
        message["images"] = images
    thoughts = [part for part in parts if isinstance(part, Thinking) and part.origin == "ollama"]
    if thoughts and with_thinking:
        message["thinking"] = "".join(part.text for part in thoughts)
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if calls:
        message["tool_calls"] = [
            {"function": {"name": call.name, "arguments": arguments_of(call)}} for call in calls
        ]
    return message


def _tool_message(result: ToolResult, names: Mapping[str, str]) -> dict[str, Any]:
    texts = [part.text for part in result.content if isinstance(part, Text)]
    text = "\n".join(texts)
    message: dict[str, Any] = {
        "role": "tool",
        "content": f"error: {text}" if result.is_error else text,
    }
    name = result.name or names.get(result.call_id)
    if name:
        message["tool_name"] = name
    images = [part.data for part in result.content if isinstance(part, Media)]
    if images:
        message["images"] = images
    return message


OLLAMA = Format(build, OllamaReader, failure)
