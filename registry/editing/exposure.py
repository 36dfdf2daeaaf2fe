"""What a person should see before an endpoint of a shared file is used: where keys would go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rolecall.registry.core.addresses import host_of, is_local_address
from rolecall.registry.core.entities import Endpoint, Registry
from rolecall.registry.editing.diff import Change

_UNREADABLE = "a host that cannot be read"


def key_in_the_clear(endpoint: Endpoint) -> str | None:
    """Say that an endpoint's key goes over plain http to another network; null where it doesn't.

    The prompts go the same way, and whoever is on it can read both.
    """
    is_plain = endpoint.base_url.lower().startswith("http:")
    is_near = endpoint.is_local or is_local_address(endpoint.base_url)
    if not is_plain or is_near or not _source(endpoint):
        return None
    return f"{_source(endpoint)} goes to {_host(endpoint)} over plain http: use https"


def with_exposures(
    before: Registry, after: Registry, changes: Sequence[Change]
) -> tuple[Change, ...]:
    """Return the changes, those of endpoints with what they newly expose; each is said once."""
    hosts = {_host(one) for one in before.endpoints}
    keys = {(_host(one), one.key_env, one.key_command) for one in before.endpoints}
    commands = {one.key_command for one in before.endpoints}
    endpoints = {one.id: one for one in after.endpoints}
    found = []
    for change in changes:
        endpoint = endpoints.get(change.id) if change.collection == "endpoints" else None
        if endpoint is not None:
            said = tuple(_exposures(endpoint, hosts, keys, commands))
            change = replace(change, warnings=said)
        found.append(change)
    return tuple(found)


def _exposures(
    endpoint: Endpoint,
    hosts: set[str],
    keys: set[tuple[str, str | None, str | None]],
    commands: set[str | None],
) -> Iterator[str]:
    host, command = _host(endpoint), endpoint.key_command
    key = (host, endpoint.key_env, command)
    if host not in hosts:
        yield f"new host: {host}"
    in_the_clear = key_in_the_clear(endpoint)
    if in_the_clear is not None:
        yield in_the_clear
    elif key not in keys and _source(endpoint):
        yield f"{_source(endpoint)} goes to {host}"
    if command not in commands and command is not None:
        is_plain = command.isascii() and command.isprintable()
        yield f"the shell runs for the key: {command if is_plain else json.dumps(command)}"
    hosts.add(host)
    keys.add(key)
    commands.add(command)


def _source(endpoint: Endpoint) -> str:
    """Name the key that an endpoint gets; empty where it gets none."""
    if endpoint.key_env is not None:
        return f"the key in {endpoint.key_env}"
    return "" if endpoint.key_command is None else "the key of its key_command"


def _host(endpoint: Endpoint) -> str:
    return host_of(endpoint.base_url) or _UNREADABLE
