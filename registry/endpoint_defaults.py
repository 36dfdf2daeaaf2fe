"""What an endpoint's API says about it when nothing else does."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.core.entities import Api, Endpoint

BASE_URLS: dict[Api, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "ollama": "http://localhost:11434",
}


def completed(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with an empty base URL or remote model name filled in."""
    return replace(
        endpoint,
        base_url=endpoint.base_url or BASE_URLS[endpoint.api],
        remote_model=endpoint.remote_model or endpoint.model,
    )
