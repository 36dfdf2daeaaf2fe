"""Add records by their keys: as stated, as the catalog knows them, or like another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rolecall.registry.catalog.models_dev import find_model
from rolecall.registry.core.entities import Collection, Endpoint, Record
from rolecall.registry.documents.document import from_plain
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.editing.edit import add_record, get_record
from rolecall.registry.editing.exposure import key_in_the_clear
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import names

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AddedEndpoint:
    """An endpoint as stored, its model where that had to be added with it, and a warning."""

    endpoint: Record
    model: Record | None
    warning: str | None = None


def add_facts(db: Database, collection: Collection, facts: Facts) -> Record:
    """Add the record of these keys; return it as stored. Raises as `add_record` does."""
    return add_record(db, from_plain(collection, dict(facts)))


def add_model(db: Database, query: str, facts: Facts, *, bare: bool) -> Record:
    """Add the model that the catalog knows as `query`; `facts` win over the catalog's.

    With `bare` the catalog is not asked. Raises UnknownRecord when it does not know the model,
    and as `add_record` does.
    """
    begin = {"id": query} if bare else to_plain(find_model(query).model)
    return add_facts(db, "models", {**begin, **facts})


def add_endpoint(db: Database, endpoint_id: str, facts: Facts, price: Facts) -> AddedEndpoint:
    """Add an endpoint; return it as stored, with the model if that was added too.

    Where `facts` name a model of the registry they are all that is known; else the id must be
    one of the catalog's (`PROVIDER/MODEL`, or with a reasoning effort `PROVIDER/MODEL:EFFORT`),
    whose facts they then win over, as `price` does. Raises UnknownRecord, and as `add_record`
    does; nothing is added then.
    """
    begin: dict[str, Any] = {}
    entry = None
    if "model" not in facts:
        entry = find_model(endpoint_id.removesuffix(f":{facts.get('reasoning_effort')}"))
        begin = to_plain(entry.endpoint(facts.get("base_url")))
        del begin["locality"]  # the address tells it, unless it is stated
    described = {**begin, "id": endpoint_id, **facts}
    if price:
        dated = {"source": "user", "as_of": datetime.now(UTC).date().isoformat()}
        described["price"] = {**(begin.get("price") or {}), **price, **dated}
    with db.transaction():
        is_new = entry is not None and entry.model.id not in names(db, "models")
        model = add_record(db, entry.model) if entry is not None and is_new else None
        added = add_facts(db, "endpoints", described)
    assert isinstance(added, Endpoint)
    return AddedEndpoint(added, model, key_in_the_clear(added))


def add_strategy(db: Database, start: str, facts: Facts) -> Record:
    """Add a strategy with the values of `start`, except for `facts`; return it as stored.

    Raises UnknownRecord when there is no `start`, and as `add_record` does.
    """
    begin = to_plain(get_record(db, "strategies", start))
    return add_facts(db, "strategies", {**begin, **facts})
