"""The type of the records in each section of a document, and what no type says of them."""

from __future__ import annotations

from dataclasses import replace

from yaml.nodes import Node

from rolecall.registry.core.addresses import is_local_address, without_secrets
from rolecall.registry.core.entities import (
    Api,
    Collection,
    Endpoint,
    Model,
    Record,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.documents.fields import read_record
from rolecall.registry.documents.source import YamlSource, join

TYPES: dict[Collection, type[Record]] = {
    "models": Model,
    "endpoints": Endpoint,
    "roles": Role,
    "tasks": TaskKind,
    "strategies": Strategy,
    "scopes": Scope,
    "judged_rows": JudgedRow,
}
BASE_URLS: dict[Api, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "ollama": "http://localhost:11434",
}


def read_entity(source: YamlSource, node: Node, collection: Collection, path: str) -> Record:
    """Return one record of a collection. Raises InvalidDocument."""
    record = read_record(source, node, path, TYPES[collection])
    if isinstance(record, Endpoint):
        place = join(path, "locality")
        completed = _completed(record, is_told_place=place in source.lines)
        if completed.locality != "local" or completed.is_local:
            return completed
        raise source.refusal(source.lines.get(place), place, *misplaced(completed))
    if isinstance(record, Scope) and (record.app is None) == (record.user is None):
        raise source.refusal(node, path, "a scope names either an app or a user")
    if isinstance(record, JudgedRow) and join(path, "answers") not in source.lines:
        raise source.refusal(node, path, "answers is missing")
    return record


def misplaced(endpoint: Endpoint) -> tuple[str, str]:
    """Return what is wrong with an endpoint that is stated local and is not, and what to write."""
    where = without_secrets(endpoint.base_url)
    return (
        f"local, but {where} is neither this machine nor a private network",
        "write locality: remote, or give the address of a local server as base_url",
    )


def _completed(endpoint: Endpoint, *, is_told_place: bool) -> Endpoint:
    """Return the endpoint with an empty base URL or remote model name filled in.

    Unless its place was told, it is local where its address is on this machine or in a private
    network.
    """
    base_url = endpoint.base_url or BASE_URLS[endpoint.api]
    return replace(
        endpoint,
        base_url=base_url,
        remote_model=endpoint.remote_model or endpoint.model,
        locality="local" if not is_told_place and is_local_address(base_url) else endpoint.locality,
    )
