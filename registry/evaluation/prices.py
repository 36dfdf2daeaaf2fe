"""What each judged model asks for: by a file of prices, the registry, or models.dev."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from yaml.nodes import MappingNode, Node

from rolecall.registry.catalog.models_dev import list_price, short_name
from rolecall.registry.core.effort import parted
from rolecall.registry.core.entities import Price, Registry
from rolecall.registry.core.value_types import name_problem
from rolecall.registry.documents.fields import read_record
from rolecall.registry.documents.source import YamlSource, describe_node

REGISTRY = "registry"

_HINT = "MODEL: {input_usd_per_mtok: 0.25, output_usd_per_mtok: 1.25}"


@dataclass(frozen=True)
class _Asked:
    input_usd_per_mtok: float
    output_usd_per_mtok: float


def read_prices(text: str, filename: str) -> dict[str, Price]:
    """Return the prices of a YAML text, by model, `source` the file's name.

    Raises InvalidDocument naming file and line: for anything but both prices of named models.
    """
    source = YamlSource(filename)
    top = source.compose(text)
    if top is None:
        raise source.refusal(None, "", "there are no prices in it", _HINT)
    prices: dict[str, Price] = {}
    for key, value in source.pairs(top, ""):
        wrong = name_problem(key.value)
        if wrong is not None:
            raise source.refusal(key, key.value, wrong)
        prices[key.value] = _price(source, value, key.value, filename)
    return prices


def find_prices(
    models: Iterable[str], given: Mapping[str, Price], registry: Registry
) -> dict[str, Price | None]:
    """Return what each model asks for, `source` saying who says so; null where nobody does.

    A price counts if it is known for input and output: first as given, then that of the registry's
    endpoints of that model (where they differ the median, which has no tiers; 0 for a local one
    without a price), then what models.dev lists. A model is known by the last
    part of its id, whatever the case. A variant (`MODEL-high`) without a price has its model's.
    """
    by_name = {short_name(model): price for model, price in given.items()}
    registered = _registered(registry)

    def asked(name: str) -> Price | None:
        return by_name.get(name) or registered.get(name) or _listed(name)

    found: dict[str, Price | None] = {}
    for model in models:
        variant = parted(short_name(model))
        price = given.get(model) or asked(short_name(model))
        found[model] = asked(variant[0]) if price is None and variant is not None else price
    return found


def _price(source: YamlSource, node: Node, model: str, filename: str) -> Price:
    if not isinstance(node, MappingNode):
        message = f"expected input and output price, found {describe_node(node)}"
        raise source.refusal(node, model, message, _HINT)
    price = read_record(source, node, model, _Asked)
    return Price(price.input_usd_per_mtok, price.output_usd_per_mtok, source=filename)


def _registered(registry: Registry) -> dict[str, Price]:
    asked: dict[str, list[Price]] = {}
    for endpoint in sorted(registry.endpoints, key=lambda one: one.price is None):
        # A local server bills nobody, unless another endpoint of the model says what it costs.
        if endpoint.price is None and endpoint.locality == "local":
            asked.setdefault(short_name(endpoint.model), [Price(0.0, 0.0)])
        if endpoint.price is not None and _pair(endpoint.price) is not None:
            asked.setdefault(short_name(endpoint.model), []).append(endpoint.price)
    return {
        name: replace(prices[0], source=REGISTRY, as_of=None)
        if len({_pair(price) for price in prices}) == 1
        else _median([pair for price in prices if (pair := _pair(price))], REGISTRY)
        for name, prices in asked.items()
    }


def _listed(name: str) -> Price | None:
    price = list_price(name)
    return price if _pair(price) is not None else None


def _median(pairs: Sequence[tuple[float, float]], source: str) -> Price:
    return Price(median(one for one, _ in pairs), median(one for _, one in pairs), source=source)


def _pair(price: Price | None) -> tuple[float, float] | None:
    if price is None or price.input_usd_per_mtok is None or price.output_usd_per_mtok is None:
        return None
    return price.input_usd_per_mtok, price.output_usd_per_mtok
