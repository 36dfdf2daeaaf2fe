"""The scorer learns of a model only what the registry knows."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.core.effort import Effort
from rolecall.registry.core.entities import Endpoint, Model, Price, Registry
from rolecall.registry.core.predictions import ModelFacts


def priced(name: str, dollars: float | None, locality: str = "remote") -> Endpoint:
    price = None if dollars is None else Price(output_usd_per_mtok=dollars)
    return Endpoint(name, "m", price=price, locality="local" if locality == "local" else "remote")


def price_of(*endpoints: Endpoint) -> float | None:
    return facts_of(Registry(1, (Model("m"),), endpoints))["m"].output_usd_per_mtok


def test_a_models_price_is_the_median_of_what_places_ask() -> None:
    assert price_of(priced("a", 1), priced("b", 2), priced("c", 30)) == 2
    assert price_of(priced("a", 1), priced("b", 2)) == 1.5


def test_free_unknown_and_local_prices_say_nothing_of_a_model() -> None:
    assert price_of(priced("a", 0), priced("b", None), priced("c", 9, "local")) is None
    assert price_of(priced("a", 0), priced("b", 4)) == 4
    assert price_of() is None


def test_an_endpoint_with_an_effort_counts_only_where_a_model_has_no_other() -> None:
    high = replace(priced("a:high", 1), reasoning_effort="high")
    assert price_of(priced("a", 1), high, priced("b", 2)) == 1.5
    assert price_of(high) == 1


def test_the_other_facts_are_the_models_own() -> None:
    model = Model(
        "m",
        capabilities=("tools", "reasoning"),
        parameters_b=8.2,
        open_weights=True,
        release_date="2025-04",
    )
    assert facts_of(Registry(1, (model,)))["m"] == ModelFacts("m", 8.2, "2025-04", None, True, True)


def test_an_endpoint_with_an_effort_has_facts_of_its_own_beside_its_models() -> None:
    scores = (("swe", 0.7),)
    model = Model("m", parameters_b=8.2, benchmarks=scores)
    asked: tuple[Effort, ...] = ("none", "high", 5_000)
    endpoints = tuple(Endpoint(f"e:{one}", "m", reasoning_effort=one) for one in asked)
    found = facts_of(Registry(1, (model,), endpoints))
    assert found["m"] == ModelFacts("m", 8.2, benchmarks=scores)
    assert list(found) == ["m", "m-none", "m-high", "m-medium"]
    assert found["m-high"] == ModelFacts(
        "m-high", 8.2, None, None, True, None, "high", scores, base="m"
    )
    assert (found["m-none"].reasoning, found["m-medium"].reasoning_effort) == (False, "medium")


def test_a_model_of_the_registry_called_as_a_variant_keeps_its_own_facts() -> None:
    models = (Model("m"), Model("m-high", parameters_b=3.0))
    found = facts_of(Registry(1, models, (Endpoint("e", "m", reasoning_effort="high"),)))
    assert found["m-high"] == ModelFacts("m-high", 3.0)


def test_whether_a_model_reasons_is_unknown_when_nothing_is_said_of_what_it_can_do() -> None:
    found = facts_of(Registry(1, (Model("m"), Model("n", capabilities=("tools",)))))
    assert (found["m"].reasoning, found["n"].reasoning) == (None, False)
