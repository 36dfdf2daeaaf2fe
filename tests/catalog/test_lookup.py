"""What is known of a model that the registry does not hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.catalog.lookup import facts_in_name, known_facts
from rolecall.registry.catalog.models_dev import find_model
from rolecall.registry.core.predictions import ModelFacts


def facts_of_name(name: str) -> ModelFacts:
    return known_facts([name], {})[name]


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("llama-3.1-70b-instruct", 70.0),
        ("Llama-3-8B", 8.0),
        ("qwen2.5-1.5b", 1.5),
        ("qwen2.5:0.5b-q4", 0.5),
        ("mixtral-8x7b-v0.1", 56.0),
        ("qwen3-30b-a3b", 30.0),
        ("70b", 70.0),
        ("llama-3.1-405b-inst-fp8", 405.0),
        ("phi-3.5-mini-instruct", None),
        ("gemma-3n-e4b", None),
        ("gpt-4o", None),
        ("model-0b", None),
        ("web-2beta", None),
    ],
)
def test_a_name_tells_the_size(name: str, billions: float | None) -> None:
    assert facts_in_name(name).parameters_b == billions


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("gpt-4o-2024-08-06", "2024-08-06"),
        ("claude-3-5-sonnet-20240620", "2024-06-20"),
        ("anthropic.claude-3-5-sonnet-20240620-v2:0", "2024-06-20"),
        ("claude-3-5-sonnet@20240620", "2024-06-20"),
        ("gpt-4-0314", None),
        ("mistral-large-2407", None),
        ("model-20249999", None),
        ("model-1202406201", None),
    ],
)
def test_a_name_tells_the_release(name: str, date: str | None) -> None:
    assert facts_in_name(name).release_date == date


def test_a_model_of_the_registry_is_what_the_registry_says() -> None:
    mine = ModelFacts("Llama-3-70B-instruct", parameters_b=3.0)
    names = ["Llama-3-70B-instruct", "llama-3-70b-instruct", "groq/LLAMA-3-70b-instruct"]
    found = known_facts(names, {mine.model: mine})
    assert [found[name].model for name in names] == names
    assert {(one.parameters_b, one.release_date) for one in found.values()} == {(3.0, None)}


def test_an_exact_name_comes_before_one_that_ends_alike() -> None:
    registered = {
        name: ModelFacts(name, parameters_b=size) for name, size in [("a/m", 1), ("m", 2)]
    }
    sizes = {name: one.parameters_b for name, one in known_facts(["m", "a/m"], registered).items()}
    assert sizes == {"m": 2, "a/m": 1}


def test_models_dev_tells_date_price_and_reasoning() -> None:
    facts = facts_of_name("anthropic/Claude-Haiku-4-5")
    entry = find_model("claude-haiku-4-5")
    price = entry.endpoint().price
    assert price is not None
    assert facts == ModelFacts(
        "anthropic/Claude-Haiku-4-5",
        release_date=entry.model.release_date,
        output_usd_per_mtok=price.output_usd_per_mtok,
        reasoning=True,
        open_weights=False,
    )


def test_models_dev_and_the_name_are_put_together() -> None:
    facts = facts_of_name("llama-3.1-70b-instruct")
    assert facts.parameters_b == 70
    assert facts.open_weights is True
    assert facts.output_usd_per_mtok is not None
    assert facts.release_date == "2024-07-23"


def test_a_version_that_models_dev_lacks_has_its_own_date_and_the_rest_of_its_kind() -> None:
    facts, kind = facts_of_name("claude-haiku-4-5-20991231"), facts_of_name("claude-haiku-4-5")
    assert facts.release_date == "2099-12-31"
    assert facts.output_usd_per_mtok == kind.output_usd_per_mtok is not None
    assert facts.reasoning is kind.reasoning is True


def test_of_an_unknown_name_only_what_it_says_is_known() -> None:
    assert facts_of_name("house/ours-7b") == ModelFacts("house/ours-7b", parameters_b=7.0)
    assert facts_of_name("nobody") == ModelFacts("nobody")


@pytest.mark.parametrize(
    ("name", "level", "reasons"),
    [
        ("claude-sonnet-4-6-high", "high", True),
        ("anthropic/Claude-Sonnet-4-6:high", "high", True),
        ("claude-sonnet-4-6-xhigh", "high", True),
        ("claude-haiku-4-5-thinking", "medium", True),
        ("claude-sonnet-4-6-minimal", "low", True),
        ("claude-sonnet-4-6-none", "none", False),
        ("claude-sonnet-4-6-no-thinking", "none", False),
    ],
)
def test_a_variant_is_its_model_with_an_effort(name: str, level: str, reasons: bool) -> None:
    known = "claude-haiku-4-5" if "haiku" in name else "claude-sonnet-4-6"
    base, facts = facts_of_name(known), facts_of_name(name)
    assert facts == replace(
        base, model=name, base=base.model, reasoning_effort=level, reasoning=reasons
    )
    assert base.release_date is not None


def test_a_variant_of_a_model_of_the_registry_has_that_models_facts() -> None:
    mine = ModelFacts("house/Ours", parameters_b=3.0, benchmarks=(("swe", 0.5),))
    found = known_facts(["ours-low", "x/OURS-none", "theirs-low"], {mine.model: mine})
    assert found["ours-low"] == replace(mine.with_effort("low"), model="ours-low")
    assert (found["x/OURS-none"].base, found["x/OURS-none"].reasoning) == (mine.model, False)
    assert found["theirs-low"] == ModelFacts("theirs-low")


def test_a_variant_that_is_listed_by_its_own_name_keeps_what_is_listed() -> None:
    facts, base = facts_of_name("kimi-k2-thinking"), facts_of_name("kimi-k2")
    assert (facts.base, facts.reasoning_effort) == ("kimi-k2", "medium")
    assert base.release_date != facts.release_date == "2025-11-06"


def test_a_model_of_the_registry_that_is_called_like_a_variant_is_none() -> None:
    mine = ModelFacts("claude-sonnet-4-6-high", parameters_b=3.0)
    assert known_facts([mine.model], {mine.model: mine}) == {mine.model: mine}
