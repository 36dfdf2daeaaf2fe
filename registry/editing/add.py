"""Add records by their keys: as stated, as the catalog knows them, or like another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rolecall.registry.catalog.lookup import facts_in_name
from rolecall.registry.catalog.models_dev import find_model, model_elsewhere, own_name
from rolecall.registry.core.addresses import may_be_local_address
from rolecall.registry.core.credentials import holds_no_key
from rolecall.registry.core.entities import Api, Collection, Endpoint, Model, Record
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.text_models import CHAT, CHATS_HINT, made_instead
from rolecall.registry.documents.document import from_plain
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.schema import BASE_URLS
from rolecall.registry.editing.edit import add_record, get_record
from rolecall.registry.editing.exposure import key_in_the_clear
from rolecall.registry.editing.history import recorded
from rolecall.registry.editing.seed import starter_record
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import names

Facts = Mapping[str, Any]
# The keys of the APIs at their own addresses.
_API_KEYS: Mapping[Api, str] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
}
_OWN_SERVER = "--base-url http://localhost:8000/v1 --context 32768"


@dataclass(frozen=True, slots=True)
class AddedEndpoint:
    """An endpoint as stored, its model where that had to be added with it, and a warning.

    `is_model_known` is false where the catalog says nothing of such a model.
    """

    endpoint: Endpoint
    model: Record | None
    is_model_known: bool
    warning: str | None = None


def add_facts(
    db: Database, collection: Collection, facts: Facts, *, is_starter: bool = False
) -> Record:
    """Add the record of these keys; return it as stored. Raises as `add_record` does.

    With `is_starter` it begins as the record of that id that a new registry has.
    """
    begin = to_plain(starter_record(collection, facts["id"])) if is_starter else {}
    return add_record(db, from_plain(collection, {**begin, **facts}))


def add_starter_endpoint(db: Database, endpoint_id: str, facts: Facts) -> AddedEndpoint:
    """Add an endpoint that a new registry has, but for `facts`, with its model if that is gone."""
    starter = to_plain(starter_record("endpoints", endpoint_id))
    endpoint = from_plain("endpoints", {**starter, **facts})
    assert isinstance(endpoint, Endpoint)
    with recorded(db, f"added endpoint {endpoint_id}"):
        is_new = endpoint.model not in names(db, "models")
        model = add_record(db, starter_record("models", endpoint.model)) if is_new else None
        return _added(add_record(db, endpoint), model)


def add_model(db: Database, query: str, facts: Facts, *, bare: bool) -> Record:
    """Add the model that the catalog knows as `query`; `facts` win over the catalog's.

    With `bare` the catalog is not asked. Raises UnknownRecord when it does not know the model,
    and as `add_record` does.
    """
    begin = {"id": query} if bare else to_plain(find_model(query).model)
    return add_facts(db, "models", {**begin, **facts})


def add_endpoint(
    db: Database, endpoint_id: str, facts: Facts, price: Facts, *, no_key: bool = False
) -> AddedEndpoint:
    """Add an endpoint; return it as stored, with the model if that was added too.

    Where `facts` name a model of the registry they are all that is known. Else the id may be one
    of the catalog's (`PROVIDER/MODEL`, or with a reasoning effort `PROVIDER/MODEL:EFFORT`), whose
    facts they then win over, as `price` does. At an address of one's own, or with Ollama, any
    other id will do: what follows its slash is the model. Raises UnknownRecord; UsageError for a
    model that gives no text, and where only the customer knows the address or the key; and as
    `add_record` does; nothing is added then.
    """
    if holds_no_key(facts.get("key_env", "")):
        raise UsageError(f"{facts['key_env']} holds no key", hint="name the variable that does")
    has_key = no_key or "key_env" in facts or "key_command" in facts
    with recorded(db, f"added endpoint {endpoint_id}"):
        begin, model = _begin(db, endpoint_id, facts, has_key=has_key)
        described = {**begin, "id": endpoint_id, **facts}
        if price:
            dated = {"source": "user", "as_of": datetime.now(UTC).date().isoformat()}
            described["price"] = {**(begin.get("price") or {}), **price, **dated}
        endpoint = from_plain("endpoints", described)
        assert isinstance(endpoint, Endpoint)
        added = add_record(db, model) if model is not None else None
        _refuse_what_gives_no_text(db, endpoint, is_new=added is not None)
        if "key_env" not in begin and not has_key:
            endpoint = replace(endpoint, key_env=_usual_key(endpoint))
        is_known = model is None or model.source is not None
        return _added(add_record(db, endpoint), added, is_model_known=is_known)


def _added(endpoint: Record, model: Record | None, *, is_model_known: bool = True) -> AddedEndpoint:
    assert isinstance(endpoint, Endpoint)
    return AddedEndpoint(endpoint, model, is_model_known, key_in_the_clear(endpoint))


def _begin(
    db: Database, endpoint_id: str, facts: Facts, *, has_key: bool
) -> tuple[dict[str, Any], Model | None]:
    """Return what an endpoint begins with, and its model where the registry lacks it."""
    if "model" in facts:
        return {}, None
    query = endpoint_id.removesuffix(f":{facts.get('reasoning_effort')}")
    provider, _, remote = query.rpartition("/") if query.count("/") < 2 else query.partition("/")
    api = facts.get("api") or ("ollama" if provider == "ollama" else "openai")
    try:
        entry = find_model(query)
    except UnknownRecord as error:
        if "base_url" not in facts and api != "ollama":
            hint = f"outside the catalog: rolecall endpoints add {query} {_OWN_SERVER}"
            if error.hint is not None and "?" in error.hint:
                hint = f"{error.hint} {hint}"
            raise UnknownRecord(error.message, hint=hint) from None
        model = _outside(remote, facts)
        begin = {"model": model.id, "remote_model": remote, "api": api}
    else:
        model = entry.model
        begin = to_plain(entry.endpoint(facts.get("base_url"), has_key=has_key))
        del begin["locality"]  # the address tells it, unless it is stated
    return begin, None if model.id in names(db, "models") else model


def _outside(name: str, facts: Facts) -> Model:
    """Return a model that no provider of the catalog has under this name, as far as it is known."""
    model = model_elsewhere(name)
    if model is not None:
        return model
    said = facts_in_name(name)
    return Model(
        own_name(name),
        context_tokens=facts.get("context_tokens"),
        parameters_b=said.parameters_b,
        release_date=said.release_date,
    )


def _refuse_what_gives_no_text(db: Database, endpoint: Endpoint, *, is_new: bool) -> None:
    model = get_record(db, "models", endpoint.model)
    assert isinstance(model, Model)
    named = (model.id, model.family or "", endpoint.remote_model)
    made = made_instead(named, model.capabilities)
    if made is not None:
        edit = f"if it does chat: rolecall models edit {model.id}, and add the capability {CHAT}"
        raise UsageError(
            f"{endpoint.remote_model} answers no prompt with text: it makes {made}",
            hint=CHATS_HINT if is_new else edit,
        )


def _usual_key(endpoint: Endpoint) -> str | None:
    """Return the variable of the key that an address takes; null where one's own server is."""
    if endpoint.locality == "local" or may_be_local_address(endpoint.base_url):
        return None
    if endpoint.base_url == BASE_URLS[endpoint.api]:
        return _API_KEYS[endpoint.api]
    raise UsageError(
        f"which key {endpoint.id} takes is not known",
        hint="--key-env NAME of the variable that holds it, or --no-key if it takes none",
    )


def add_strategy(db: Database, start: str, facts: Facts) -> Record:
    """Add a strategy with the values of `start`, except for `facts`; return it as stored.

    Raises UnknownRecord when there is no `start`, and as `add_record` does.
    """
    begin = to_plain(get_record(db, "strategies", start))
    return add_facts(db, "strategies", {**begin, **facts})
