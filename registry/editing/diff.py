"""What differs between two states of a registry, and how a document changes one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from rolecall.registry.core.addresses import without_secrets
from rolecall.registry.core.entities import Collection, Record, Registry
from rolecall.registry.documents.document import COLLECTIONS, Document, collection_of
from rolecall.registry.documents.fields import to_plain

FieldChange = tuple[str, Any, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One record added, changed or removed; `fields` are (path, before, after) of a change.

    `warnings` say what a change of an endpoint exposes prompts and keys to.
    """

    collection: Collection
    id: str
    kind: Literal["add", "change", "remove"]
    fields: tuple[FieldChange, ...] = ()
    warnings: tuple[str, ...] = ()


def merged(registry: Registry, document: Document, *, prune: bool) -> Registry:
    """Return the registry with the document's records in place of those of the same id.

    With `prune`, the sections that the document names hold nothing else.
    """
    if prune:
        emptied: dict[str, Any] = dict.fromkeys(document.sections, ())
        registry = replace(registry, **emptied)
    return with_records(registry, [entry.record for entry in document.entries])


def with_records(registry: Registry, records: Iterable[Record]) -> Registry:
    """Return the registry with these records added, or in place of those of the same id."""
    groups: dict[Collection, dict[str, Record]] = {}
    for record in records:
        groups.setdefault(collection_of(record), {})[record.id] = record
    changed: dict[str, Any] = {}
    for collection, group in groups.items():
        whole = {record.id: record for record in records_of(registry, collection)} | group
        changed[collection] = tuple(whole[key] for key in sorted(whole))
    return replace(registry, **changed)


def records_of(registry: Registry, collection: Collection) -> tuple[Record, ...]:
    """Return one collection of a registry."""
    records: tuple[Record, ...] = getattr(registry, collection)
    return records


def changes_between(before: Registry, after: Registry) -> tuple[Change, ...]:
    """Return what must be done to `before` to make it `after`."""
    entries: list[Change] = []
    for collection in COLLECTIONS:
        old = {record.id: record for record in records_of(before, collection)}
        new = {record.id: record for record in records_of(after, collection)}
        for key in sorted(old.keys() | new.keys()):
            if key not in old:
                entries.append(Change(collection, key, "add"))
            elif key not in new:
                entries.append(Change(collection, key, "remove"))
            elif old[key] != new[key]:
                fields = tuple(_differences(to_plain(old[key]), to_plain(new[key]), ""))
                entries.append(Change(collection, key, "change", fields))
    return tuple(entries)


def _differences(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    """Yield what differs, going into mappings and into assignments by their endpoint."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            inner = f"{path}.{key}" if path else str(key)
            yield from _differences(before.get(key), after.get(key), inner)
    elif _are_assignments(before) and _are_assignments(after):
        old = {item["endpoint"]: item for item in before}
        new = {item["endpoint"]: item for item in after}
        if old == new:
            yield path, list(old), list(new)
        for key in (*old, *(key for key in new if key not in old)):
            yield from _differences(old.get(key), new.get(key), f"{path}[{key}]")
    elif path == "base_url":
        yield path, without_secrets(before), without_secrets(after)
    else:
        yield path, before, after


def _are_assignments(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "endpoint" in item for item in value
    )
