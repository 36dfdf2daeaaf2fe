"""Requests to a fault server as a client would make them, and a plain reading of its streams."""

from __future__ import annotations

import json
from typing import Any, get_args

import httpx

from rolecall.registry.core.entities import Api
from tests.faults.server import FaultServer

APIS: tuple[Api, ...] = get_args(Api)
KEY = "sk-secret-1234567890"
_USER = [{"role": "user", "content": "hi"}]


def address(api: Api, model: str, *, stream: bool = True) -> str:
    """Return the path of a call behind an endpoint's base URL."""
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return {
        "openai": "/chat/completions",
        "anthropic": "/v1/messages",
        "gemini": f"/v1beta/models/{model}:{verb}",
        "ollama": "/api/chat",
    }[api]


def body(api: Api, model: str, *, stream: bool = True, **extra: Any) -> dict[str, Any]:
    """Return a small request in the API's own shape."""
    if api == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **extra}
    request: dict[str, Any] = {"model": model, "messages": _USER, "stream": stream, **extra}
    if api == "anthropic":
        request.setdefault("max_tokens", 100)
    if api == "openai" and stream:
        request.setdefault("stream_options", {"include_usage": True})
    return request


def headers(api: Api) -> dict[str, str]:
    """Return the headers with the key where the API has it."""
    keys = {
        "anthropic": {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
        "gemini": {"x-goog-api-key": KEY},
    }
    return keys.get(api, {"authorization": f"Bearer {KEY}"})


def ask(
    server: FaultServer, api: Api, model: str = "m", *, stream: bool = True, **extra: Any
) -> httpx.Response:
    """Make a call and read all of the answer. Raises as httpx does."""
    with httpx.Client(verify=False, trust_env=False, timeout=5) as client:
        return client.post(
            server.base_url(api) + address(api, model, stream=stream),
            headers=headers(api),
            json=body(api, model, stream=stream, **extra),
        )


def documents(api: Api, text: str) -> list[Any]:
    """Return the JSON of each record of a stream; comments, pings and `[DONE]` are left out."""
    lines = text.replace("\r\n", "\n").split("\n")  # other line ends may stand in the text
    if api != "ollama":
        lines = [line.removeprefix("data:") for line in lines if line.startswith("data:")]
    found = [json.loads(line) for line in lines if line.strip() not in ("", "[DONE]")]
    return [one for one in found if one.get("type") != "ping"]


def streamed_text(api: Api, found: list[Any]) -> str:
    """Return the text that a stream's records add up to."""
    match api:
        case "openai":
            deltas = [choice["delta"] for one in found for choice in one.get("choices", ())]
            return "".join(delta.get("content") or "" for delta in deltas)
        case "anthropic":
            return "".join(
                one["delta"].get("text", "") for one in found if "index" in one and "delta" in one
            )
        case "gemini":
            parts = [
                part
                for one in found
                for candidate in one.get("candidates", ())
                for part in candidate["content"].get("parts", ())
            ]
            return "".join(part.get("text", "") for part in parts if not part.get("thought"))
        case "ollama":
            return "".join(one.get("message", {}).get("content", "") for one in found)
