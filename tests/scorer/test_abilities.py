"""What is known of a model per kind of work, and from where."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.core.predictions import Ability, ModelFacts
from rolecall.registry.scorer.abilities import GIVEN, abilities_by_kind
from rolecall.registry.scorer.model import Scorer


def by_kind(scorer: Scorer, facts: ModelFacts) -> dict[str, Ability]:
    return {one.kind: one for one in abilities_by_kind(scorer, facts)}


def test_each_kind_says_what_to_expect_and_which_scores_count(scorer: Scorer) -> None:
    given = ModelFacts("new-1", benchmarks=(("humaneval", 0.95), ("mmlu", 0.9)))
    told, untold = by_kind(scorer, given), by_kind(scorer, ModelFacts("new-1"))
    assert {one.basis for one in told.values()} == {"scores"}
    assert {one.basis for one in untold.values()} == {"facts"}
    [score] = told["code"].scores
    assert (score.benchmark, score.score, score.source) == ("humaneval", 0.95, GIVEN)
    better, worse = told["code"], untold["code"]
    assert better.success is not None
    assert worse.success is not None
    assert better.success > worse.success + 0.1
    assert (better.rows, untold["code"].scores) == (0, ())


def test_a_models_own_rows_come_before_all_else(scorer: Scorer) -> None:
    found = by_kind(scorer, ModelFacts("claude-sonnet-4-6"))
    assert {one.basis for one in found.values() if one.rows} == {"rows"}
    assert {one.basis for one in found.values() if not one.rows} == {"scores"}


def test_a_kind_without_a_trained_task_has_scores_but_no_expectation(scorer: Scorer) -> None:
    head = replace(scorer.head, tasks=tuple(f"set/{n}" for n in range(len(scorer.head.tasks))))
    found = by_kind(Scorer(head, scorer.encoder), ModelFacts("claude-sonnet-4-6"))
    assert found["other"].success is not None
    assert (found["code"].success, found["code"].spread) == (None, None)
    assert found["code"].scores
