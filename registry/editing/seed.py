"""The content that a new registry begins with: the package's seed files over catalog facts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import yaml

from rolecall.registry.catalog.models_dev import find_model, seed_text
from rolecall.registry.core.entities import Collection, Record, Registry
from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.suggestions import NOUNS, named
from rolecall.registry.documents.document import from_plain, parse_document
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.source import LOADER
from rolecall.registry.editing.diff import merged, with_records

_TABLES = ("strategies.yaml", "roles.yaml", "tasks.yaml")


def seed_registry() -> Registry:
    """Return the starter models, endpoints, roles, tasks and strategies.

    A model that the installed facts no longer know is left out.
    """
    registry = Registry(0)
    for item in yaml.load(seed_text("models.yaml"), Loader=LOADER):
        # Newer facts may have dropped a model; that must not keep a registry from starting.
        with contextlib.suppress(UnknownRecord):
            registry = with_records(registry, _records(item))
    for name in _TABLES:
        registry = merged(registry, parse_document(seed_text(name), name), prune=False)
    return registry


def starter_record(collection: Collection, record_id: str) -> Record:
    """Return one record that a new registry has. Raises UnknownRecord with near names."""
    records: tuple[Record, ...] = getattr(seed_registry(), collection)
    return named(records, f"starter {NOUNS[collection]}", record_id)


def _records(item: Mapping[str, Any]) -> list[Record]:
    """Return one item's model and endpoints: the facts, and what the item says over them."""
    facts = find_model(item["facts"])
    model = to_plain(facts.model)
    model["capabilities"] += item.get("add_capabilities", [])
    model |= item.get("model", {})
    endpoint = to_plain(facts.endpoint()) | {"model": model["id"]} | item.get("endpoint", {})
    with_effort = [
        endpoint | {"id": f"{endpoint['id']}:{effort}", "reasoning_effort": effort}
        for effort in item.get("efforts", [])
    ]
    endpoints = [from_plain("endpoints", one) for one in (endpoint, *with_effort)]
    return [from_plain("models", model), *endpoints]
