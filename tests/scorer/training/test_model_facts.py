"""Facts of variants come from what is written, from models.dev, or from the name."""

from __future__ import annotations

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.training.model_facts import facts_of


def facts(name: str) -> ModelFacts:
    return facts_of([name])[0]


def test_a_name_tells_size_and_open_weights_where_nobody_lists_the_model() -> None:
    known = {name: facts(name) for name in ("acme-135m", "acme-2-70b-chat", "acme-8x7b-a", "acme")}
    sizes = {name: one.parameters_b for name, one in known.items()}
    assert sizes == {
        "acme-135m": 0.135,
        "acme-2-70b-chat": 70,
        "acme-8x7b-a": 46.7,
        "acme": None,
    }
    assert known["acme-2-70b-chat"].open_weights is True
    assert known["acme"] == ModelFacts("acme", reasoning=False)


def test_efforts_of_a_model_share_all_facts_but_reasoning() -> None:
    plain, thinking = facts_of(["claude-opus-4-7", "claude-opus-4-7-thinking"])
    assert (plain.reasoning, thinking.reasoning) == (False, True)
    assert plain.output_usd_per_mtok == thinking.output_usd_per_mtok == 25
    assert plain.release_date == thinking.release_date == "2026-04"
    assert plain.open_weights is thinking.open_weights is False


def test_what_is_written_down_goes_before_what_is_listed() -> None:
    assert facts("gpt-oss-120b").parameters_b == 117
    assert facts("deepseek-v3.2-thinking").parameters_b == 671
    assert facts("gpt-4-0314").release_date == "2023-03"
    assert facts("llama-3.1-405b-inst@hyperbolic").parameters_b == 405


def test_a_spelling_of_its_own_is_kept_as_the_name() -> None:
    assert facts("anthropic/claude-sonnet-4.6").model == "anthropic/claude-sonnet-4.6"
    assert facts("anthropic/claude-sonnet-4.6").output_usd_per_mtok == 15


def test_every_starter_model_has_a_date_and_a_price() -> None:
    starters = ["gpt-5.5", "gpt-5.4-nano", "gemini-3.5-flash", "mistral-small-2603", "gemma-3-4b"]
    assert [
        one.model
        for one in facts_of(starters)
        if one.release_date is None or one.output_usd_per_mtok is None
    ] == []
