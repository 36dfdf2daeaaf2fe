"""Tell whether a key is still the one that a server refused, without keeping the key."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from rolecall.registry.core.credentials import key_in
from rolecall.registry.core.entities import Endpoint

# 24 bits: enough to see that a key has changed, too few to find a key, or to prove a guess right.
_DIGITS = 6


def key_mark(endpoint: Endpoint, environment: Mapping[str, str], salt: str) -> str | None:
    """Return the mark of an endpoint's key at its host; null where it uses none.

    Endpoints of one host that use one key have one mark. `salt` is the registry's own. A key that
    a command prints is marked by the command, which is not run for it.
    """
    key = key_in(environment, endpoint.key_env or "") or endpoint.key_command
    if not key:
        return None
    said = f"{_host(endpoint.base_url)}\0{key}".encode(errors="surrogatepass")
    return hmac.new(salt.encode(), said, "sha256").hexdigest()[:_DIGITS]


def key_source(endpoint: Endpoint, environment: Mapping[str, str]) -> str:
    """Name where an endpoint's key comes from: its variable, or its command."""
    is_set = bool(key_in(environment, endpoint.key_env or ""))
    if endpoint.key_env is not None and (is_set or endpoint.key_command is None):
        return endpoint.key_env
    return f"the key_command of {endpoint.id}"


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # no URL: it is called by nobody, and shares its key with nobody
        return url
