"""One model has one name, and no other model is ever taken for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.scorer.public_scores import read_scores
from rolecall.registry.scorer.variants import candidates, canonical, reasons, variant

SPELLINGS = [
    ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6"),
    ("claude-sonnet-4-5-20250929#no-thinking (zero-shot, val)", "claude-sonnet-4-5"),
    ("claude-sonnet-4-5-20250929_32K", "claude-sonnet-4-5-thinking"),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
    ("claude-4-sonnet", "claude-sonnet-4"),
    ("anthropic/claude-3.7-sonnet:thinking@reasoning=default", "claude-3-7-sonnet-thinking"),
    ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620"),
    ("anthropic/claude-opus-4.7@reasoning=max", "claude-opus-4-7-thinking"),
    ("openai/gpt-5.4-nano-2026-03-17#high (zero-shot, val)", "gpt-5.4-nano-high"),
    ("openai/gpt-5-minimal-2025-08-07", "gpt-5-minimal"),
    ("gpt-5.4-medium", "gpt-5.4-medium"),
    ("o4-mini-2025-04-16_high", "o4-mini-high"),
    ("o4-mini-thinking", "o4-mini"),
    ("gpt-4o-2024-08-06", "gpt-4o"),
    ("gemini/gemini-2.5-flash#thinking (zero-shot, val)", "gemini-2.5-flash-thinking"),
    ("google/gemini-3-pro-preview@reasoning=high", "gemini-3-pro-preview"),
    ("xai/grok-4.20-beta-0309-reasoning", "grok-4.20-thinking"),
    ("qwen3:8b-q4_K_M", "qwen3-8b"),
    ("qwen-2.5-72b-instruct", "qwen2.5-72b-instruct"),
    ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "qwen3-235b-a22b-thinking-2507"),
    ("Qwen3-Max-2026-01-23(Thinking)", "qwen3-max-thinking"),
    ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.3-70b-instruct"),
    ("accounts/fireworks/models/llama-v3p3-70b-instruct", "llama-3.3-70b-instruct"),
    ("llama-3.1-405b-inst-fp8@together", "llama-3.1-405b-instruct"),
    ("google/gemma-3-4b-it", "gemma-3-4b"),
    ("zai-org/glm-4p7", "glm-4.7"),
    ("MiniMaxAI/minimax-m2p5", "minimax-m2.5"),
    ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistral-small-2503"),
    ("amazon/nova-pro-v1:0", "nova-pro-v1"),
    ("nvidia/nemotron-nano-9b-v2:free@reasoning=none", "nemotron-nano-9b-v2"),
]
EFFORTS = st.sampled_from(
    [None, "none", "minimal", "low", "medium", "high", "xhigh", "max", 0, 2_000, 10_000, 64_000]
)
MODELS = st.builds(
    "{}-{}{}{}".format,
    st.sampled_from(["gpt", "glm", "acme-v", "llama", "gemma", "gemini", "phi"]),
    st.sampled_from(["2", "3", "3.1", "4", "4.5", "5.4"]),
    st.sampled_from(["", "-mini", "-nano", "-1b", "-8b", "-70b", "-30b-a3b", "-pro", "-flash"]),
    st.sampled_from(["", "-instruct", "-preview", "-thinking", "-high", "-latest", "-20250929"]),
)


def numbers(name: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", name.replace("-20250929", ""))


@pytest.mark.parametrize(("written", "name"), SPELLINGS)
def test_a_spelling_is_brought_to_the_one_name(written: str, name: str) -> None:
    assert canonical(written) == name
    assert canonical(name) == name


def test_every_name_of_the_shipped_table_stays_as_it_is() -> None:
    names = {score.model for score in read_scores()}
    assert len(names) > 300
    assert {name for name in names if canonical(name) != name} == set()


@settings(max_examples=50)
@given(MODELS, EFFORTS)
def test_candidates_are_canonical_and_keep_size_and_version(
    model: str, effort: str | int | None
) -> None:
    names = candidates(model, effort)
    assert candidates(model)[0] == canonical(model)
    assert len(names) == len(set(names))
    assert [canonical(name) for name in names] == list(names)
    for name in names:
        assert numbers(name) == numbers(model)
        for tier in ("mini", "nano", "pro", "flash"):
            assert (tier in name.split("-")) == (tier in model.split("-"))


@pytest.mark.parametrize(
    ("model", "effort", "first"),
    [
        ("gpt-5.4-mini", None, ["gpt-5.4-mini"]),
        ("gpt-5.4-mini", "high", ["gpt-5.4-mini-high", "gpt-5.4-mini-thinking"]),
        ("gpt-5.4-mini-high", "low", ["gpt-5.4-mini-low"]),
        ("gpt-5", "none", ["gpt-5-minimal", "gpt-5-low", "gpt-5"]),
        ("claude-opus-4-7", 20_000, ["claude-opus-4-7-thinking"]),
        ("o3", 8_000, ["o3", "o3-high"]),
        ("gemini-3.1-pro-preview", "high", ["gemini-3.1-pro-preview"]),
    ],
)
def test_the_effort_asked_for_decides_what_is_looked_for_first(
    model: str, effort: str | int | None, first: list[str]
) -> None:
    assert list(candidates(model, effort))[: len(first)] == first


def test_a_size_alone_finds_the_model_that_follows_instructions() -> None:
    assert "llama-3.1-8b-instruct" in candidates("llama3.1:8b")
    assert "claude-3-5-sonnet" in candidates("claude-3-5-sonnet-20240620")
    assert "gemini-2.5-flash" in candidates("gemini-2.5-flash-preview-09-2025")
    assert "gemini-4-pro-preview" in candidates("gemini-4-pro")


def test_a_variant_reasons_when_asked_to_or_when_it_always_does() -> None:
    thinkers = ["claude-opus-4-7-thinking", "gpt-5.4-low", "o3", "gpt-5", "qwq-32b", "deepseek-r1"]
    plain = ["claude-opus-4-7", "gpt-5.4", "gpt-4o", "qwen3-8b", "deepseek-v3.2"]
    assert [name for name in thinkers if not reasons(variant(name))] == []
    assert [name for name in plain if reasons(variant(name))] == []
