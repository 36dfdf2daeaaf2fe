"""Where an endpoint's requests go."""

from __future__ import annotations

from urllib.parse import urlsplit

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import CallFailed


def address(endpoint: Endpoint, path: str) -> str:
    """Return the URL of `path` under the endpoint's base URL.

    A trailing slash, a query (`?api-version=…`) and a base URL that already holds the path are
    taken as meant. Raises CallFailed `connect_failed` without a base URL.
    """
    base, mark, query = endpoint.base_url.strip().partition("?")
    if not base:
        raise CallFailed("connect_failed", f"{endpoint.id} has no base_url")
    base = base.rstrip("/").removesuffix(f"/{path}")
    return f"{base}/{path}{mark}{query}"


def host(url: str) -> str:
    """Return the host that a URL names, in lower case, with the port if it names one."""
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").lower()
        return f"{name}:{parts.port}" if parts.port is not None else name
    except ValueError:
        return ""
