"""Add a model or an endpoint as the catalogue knows it, or a strategy like another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rolecall.registry.catalog.models_dev import find_model
from rolecall.registry.core.entities import Endpoint, Model, Price, Strategy
from rolecall.registry.documents.schema import completed, is_this_machine
from rolecall.registry.editing.edit import add_record, get_record, list_records
from rolecall.registry.storage.connection import Database


@dataclass(frozen=True, slots=True)
class Added:
    """An endpoint as stored, and its model where that had to be added with it."""

    endpoint: Endpoint
    model: Model | None


def add_model(
    db: Database, query: str, facts: Mapping[str, Any], *, name: str | None = None, bare: bool
) -> Model:
    """Add the model that the catalogue knows as `query`, called `name`; return it as stored.

    `facts` are fields of Model that win over the catalogue's. With `bare` the catalogue is not
    asked. Raises UnknownRecord when it does not know the model, and as `add_record` does.
    """
    begin = Model(query) if bare else find_model(query).model
    record = add_record(db, "models", replace(begin, id=name or begin.id, **facts))
    assert isinstance(record, Model)
    return record


def add_endpoint(db: Database, endpoint_id: str, facts: Mapping[str, Any], price: Price) -> Added:
    """Add an endpoint; return it as stored, with the model if that was added too.

    `facts` are fields of Endpoint, `price` what the person stated. Where `facts` name a model
    of the registry they are all that is known; else the id must be one of the catalogue's
    (`PROVIDER/MODEL`, or with a reasoning effort `PROVIDER/MODEL:EFFORT`), whose facts they then
    win over. Raises UnknownRecord, and as `add_record` does; nothing is added then.
    """
    if "model" in facts:
        return Added(_stored(db, _described(Endpoint(endpoint_id, **facts), facts), price), None)
    entry = find_model(endpoint_id.removesuffix(f":{facts.get('reasoning_effort')}"))
    endpoint = entry.endpoint(facts.get("base_url"))
    with db.transaction():
        known = {model.id for model in list_records(db, "models")}
        model = None if entry.model.id in known else add_record(db, "models", entry.model)
        assert model is None or isinstance(model, Model)
        begin = replace(endpoint, id=endpoint_id, **facts)
        return Added(_stored(db, _described(begin, facts), price), model)


def add_strategy(db: Database, name: str, start: str, facts: Mapping[str, Any]) -> Strategy:
    """Add a strategy with the values of `start`, except for `facts`; return it as stored.

    Raises UnknownRecord when there is no `start`, and as `add_record` does.
    """
    begin = get_record(db, "strategies", start)
    assert isinstance(begin, Strategy)
    record = add_record(db, "strategies", replace(begin, id=name, **facts))
    assert isinstance(record, Strategy)
    return record


def _described(endpoint: Endpoint, facts: Mapping[str, Any]) -> Endpoint:
    """Fill in the obvious; an address on this machine is local unless stated otherwise."""
    endpoint = completed(endpoint)
    if "locality" in facts or not is_this_machine(endpoint.base_url):
        return endpoint
    return replace(endpoint, locality="local")


def _stored(db: Database, endpoint: Endpoint, price: Price) -> Endpoint:
    stated = {
        name: value
        for name in ("input_usd_per_mtok", "output_usd_per_mtok")
        if (value := getattr(price, name)) is not None
    }
    if stated:
        today = datetime.now(UTC).date().isoformat()
        begin = endpoint.price or Price()
        priced = replace(begin, **stated, source="user", as_of=today)
        endpoint = replace(endpoint, price=priced)
    record = add_record(db, "endpoints", endpoint)
    assert isinstance(record, Endpoint)
    return record
