"""Who serves an endpoint, in OpenTelemetry's words."""

from __future__ import annotations

from urllib.parse import urlsplit

from rolecall.registry.core.entities import Endpoint

# The well-known values of gen_ai.provider.name, by the end of the host's name.
_PROVIDERS = {
    "openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "anthropic.com": "anthropic",
    "googleapis.com": "gcp.gemini",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "x.ai": "x_ai",
    "cohere.ai": "cohere",
    "cohere.com": "cohere",
    "perplexity.ai": "perplexity",
    "amazonaws.com": "aws.bedrock",
}


def provider_name(endpoint: Endpoint) -> str:
    """Return the provider's well-known name, else what speaks there: the API's name."""
    host = server_address(endpoint) or ""
    for suffix, name in _PROVIDERS.items():
        if host == suffix or host.endswith(f".{suffix}"):
            return name
    return "gcp.gemini" if endpoint.api == "gemini" else endpoint.api


def server_address(endpoint: Endpoint) -> str | None:
    """Return the host that is asked; null where the base URL names none."""
    return urlsplit(endpoint.base_url).hostname
