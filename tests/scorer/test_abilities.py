"""What is known of a model per kind of work, and from where."""

from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer import abilities
from rolecall.registry.scorer.abilities import GIVEN, Usual, known_by_kind
from rolecall.registry.scorer.posterior import Gaussian
from rolecall.registry.scorer.public_scores import Benchmark
from tests.scorer.prior_world import EXAMS, World, a_world, score

KINDS = {
    "code": Usual(np.array([1.0, 0.0, 0.0]), 0.0),
    "math": Usual(np.array([1.0, 0.0, 0.0]), -2.0),
}


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


@pytest.fixture(autouse=True)
def exams_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: Benchmark(name, "code", None, ()) for name in EXAMS}
    monkeypatch.setattr(abilities, "benchmarks", lambda: made)


def test_each_kind_says_what_to_expect_and_which_scores_count(world: World) -> None:
    facts = ModelFacts("new-1", benchmarks=((EXAMS[0], score(1.5, 0)), (EXAMS[3], score(1.5, 3))))
    code, math = known_by_kind(facts, world.prior, KINDS)
    assert (code.kind, math.kind) == ("code", "math")
    assert code.success is not None
    assert math.success is not None
    assert code.success > 0.5 > math.success
    assert code.basis == math.basis == "scores"
    assert {(one.benchmark, one.source) for one in code.scores} == {
        (EXAMS[0], GIVEN),
        (EXAMS[3], GIVEN),
    }
    assert math.scores == ()


def test_without_scores_the_facts_speak(world: World) -> None:
    assert {one.basis for one in known_by_kind(world.facts[0], world.prior, KINDS)} == {"scores"}
    found = known_by_kind(ModelFacts("unheard-of-1"), world.prior, KINDS)
    assert {one.basis for one in found} == {"facts"}


def test_a_models_own_rows_come_before_all_else(world: World) -> None:
    fitted = Gaussian(np.array([3.0, 0.0, 0.0]), 0.01 * np.eye(3))
    code, math = known_by_kind(
        world.facts[40], world.prior, KINDS, told={"code": fitted}, rows={"code": 120}
    )
    assert code.success is not None
    assert code.success > 0.9
    assert (code.basis, code.rows) == ("rows", 120)
    assert (math.basis, math.rows) == ("scores", 0)


def test_a_kind_without_a_trained_task_has_scores_but_no_expectation(world: World) -> None:
    facts = ModelFacts("new-1", benchmarks=((EXAMS[0], 0.5),))
    (code,) = known_by_kind(facts, world.prior, {})
    assert (code.kind, code.success, code.spread) == ("code", None, None)
    assert len(code.scores) == 1
