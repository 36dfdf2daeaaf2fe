"""The shipped table of public scores is whole, sourced, small, and answers for a model."""

from __future__ import annotations

import pytest

from rolecall.registry.scorer.public_scores import (
    benchmarks,
    known_of,
    read_scores,
    sources,
)

STARTERS = [
    "claude-opus-4-7",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
    "gpt-5.5",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gemini-3.1-pro-preview",
    "gemini-3.5-flash",
    "gpt-oss-120b",
    "deepseek-v4-flash",
    "mistral-small-2603",
    "qwen3-8b",
    "gemma-3-4b",
]


def test_every_score_lies_between_0_and_1_and_is_there_once() -> None:
    scores = read_scores()
    assert len(scores) > 4_000
    assert all(0 <= one.score <= 1 for one in scores)
    assert len({(one.benchmark, one.model) for one in scores}) == len(scores)


def test_every_score_names_a_source_whose_licence_is_told() -> None:
    for one in read_scores():
        assert one.source in benchmarks()[one.benchmark].sources
    for source in sources().values():
        assert source.licence in {"MIT", "Apache-2.0", "CC-BY-4.0"}
        assert source.who
        assert "/" in source.repo
    assert {one.source for one in read_scores()} == set(sources())


def test_the_exams_of_the_judged_sets_are_marked() -> None:
    marked = {one.judged_set for one in benchmarks().values() if one.judged_set}
    assert marked == {"ikp", "mmlu_pro", "openhands_swe", "scale_sql", "sec_code"}


@pytest.mark.parametrize("model", STARTERS)
def test_something_is_known_of_every_model_of_the_starter_pool(model: str) -> None:
    known = known_of(model)
    assert known
    assert len({one.benchmark for one in known}) == len(known)


def test_a_model_is_known_by_its_effort() -> None:
    def knowledge(effort: str) -> float:
        known = known_of("openai/gpt-5.4-nano", effort)
        return next(one.score for one in known if one.benchmark == "euroeval_knowledge")

    assert knowledge("none") + 0.1 < knowledge("high")


def test_what_the_variant_was_not_tried_on_is_told_of_its_nearest_variant() -> None:
    known = {one.benchmark: one for one in known_of("claude-opus-4-7", "high")}
    assert known["bullshit_bench"].model == "claude-opus-4-7-thinking"
    assert known["openhands_gaia"].model == "claude-opus-4-7"
