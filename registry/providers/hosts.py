"""What is known of providers by their host: names, and where they differ behind one API."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.providers.http.url import host

Habit = Literal[
    "openai_itself",
    "signs_tool_calls",
    "takes_ids_of_9_letters",
    "refuses_thinking",
    "takes_cache_control",
    "takes_no_names",
    "marks_prefill",
    "wants_a_users_message",
    "demands_thinking",
]


def provider_name(endpoint: Endpoint) -> str:
    """Return the well-known value of gen_ai.provider.name, else what speaks there: the API's."""
    names: dict[str, str] = _hosts()["well_known"]
    domain = _domain(endpoint, names)
    if domain is not None:
        return names[domain]
    return "gcp.gemini" if endpoint.api == "gemini" else endpoint.api


def has_habit(endpoint: Endpoint, habit: Habit) -> bool:
    """Tell whether the host of an endpoint is one of those listed under a habit."""
    return _domain(endpoint, _hosts()[habit]) is not None


def _domain(endpoint: Endpoint, domains: Iterable[str]) -> str | None:
    """Return the one of the domains that an endpoint's host is, or is below."""
    name = host(endpoint.base_url).partition(":")[0]
    return next((one for one in domains if name == one or name.endswith(f".{one}")), None)


@cache
def _hosts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("hosts.json").read_text("utf-8"))
    return found
