"""What the scorer may know of each model, gathered from the registry."""

from __future__ import annotations

from statistics import median

from rolecall.registry.core.entities import Registry
from rolecall.registry.core.predictions import ModelFacts


def facts_of(registry: Registry) -> dict[str, ModelFacts]:
    """Return the facts of every model by its id, and of every variant that an endpoint asks for.

    A model's price is the median of what its remote endpoints ask for output; free ones and
    one's own machine say nothing of what a model is worth, and endpoints with an effort nothing
    more than those without. Without any, it is null.
    """
    prices: dict[str, list[float]] = {}
    for endpoint in sorted(registry.endpoints, key=lambda one: one.reasoning_effort is not None):
        price = endpoint.price.output_usd_per_mtok if endpoint.price is not None else None
        is_repeated = endpoint.reasoning_effort is not None and endpoint.model in prices
        if endpoint.locality == "remote" and price and not is_repeated:
            prices.setdefault(endpoint.model, []).append(price)
    facts = {
        model.id: ModelFacts(
            model=model.id,
            parameters_b=model.parameters_b,
            release_date=model.release_date,
            output_usd_per_mtok=median(prices[model.id]) if model.id in prices else None,
            reasoning="reasoning" in model.capabilities if model.capabilities else None,
            open_weights=model.open_weights,
            benchmarks=model.benchmarks,
        )
        for model in registry.models
    }
    for endpoint in registry.endpoints:
        if endpoint.reasoning_effort is not None:
            variant = facts[endpoint.model].with_effort(endpoint.reasoning_effort)
            facts.setdefault(variant.model, variant)
    return facts
