"""A model without judged rows is read from its public scores, its facts and its relatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import pack_arrays, unpack_arrays
from rolecall.registry.scorer.metadata_prior import MetadataPrior, family_of, years_of
from tests.scorer.prior_world import EXAMS, World, a_world, score


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


def ability(prior: MetadataPrior, facts: ModelFacts) -> tuple[float, float]:
    """Return the expected ability and its deviation."""
    mean, covariance = prior.predict([facts])
    return float(mean[0, 0]), float(np.sqrt(covariance[0, 0, 0]))


def factor_uncertainty(prior: MetadataPrior, facts: ModelFacts) -> float:
    """Return the summed variances of a model's factors."""
    return float(np.trace(prior.inputs.numbers(facts)[1][:3, :3]))


def given(level: float, name: str = "new-1") -> ModelFacts:
    """Return a model that nothing but the user's own scores tells of."""
    scores = tuple((exam, score(level, at)) for at, exam in enumerate(EXAMS))
    return ModelFacts(name, benchmarks=scores)


def test_the_first_factor_of_the_table_follows_ability_in_spite_of_missing_cells(
    world: World,
) -> None:
    found = np.array([world.prior.inputs.numbers(one)[0][:3] for one in world.facts])
    linear = np.concatenate([np.ones((len(found), 1)), found], axis=1)
    weights, *_ = np.linalg.lstsq(linear, world.ability, rcond=None)
    assert np.corrcoef(linear @ weights, world.ability)[0, 1] > 0.9


def test_a_model_that_only_the_table_knows_is_read_from_its_scores(world: World) -> None:
    strong, _ = ability(world.prior, ModelFacts("stranger-strong"))
    weak, _ = ability(world.prior, ModelFacts("stranger-weak"))
    assert strong > 0.6
    assert weak < -0.6
    assert world.prior.basis(ModelFacts("stranger-strong")) == "scores"


def test_a_users_own_scores_count_and_come_before_the_tables(world: World) -> None:
    high, _ = ability(world.prior, given(1.5))
    low, _ = ability(world.prior, given(-1.5))
    assert high > low + 1.5
    table = world.prior.cells(ModelFacts("stranger-strong"))
    name = table[0].benchmark
    own = world.prior.cells(ModelFacts("stranger-strong", benchmarks=((name, 0.01),)))
    assert [cell.score for cell in own if cell.benchmark == name] == [0.01]
    assert own[1:] == table[1:]


def test_more_scores_leave_less_doubt(world: World) -> None:
    every = given(0.3)
    few = replace(every, benchmarks=every.benchmarks[:1])
    none = replace(every, benchmarks=())
    uncertainties = [factor_uncertainty(world.prior, one) for one in (every, few, none)]
    assert uncertainties[0] < uncertainties[1] < uncertainties[2]
    assert ability(world.prior, every)[1] < ability(world.prior, none)[1]


def test_a_new_model_inherits_from_its_family(world: World) -> None:
    facts = ModelFacts("able-99", 30.0, "2025-06", 2.0, False, True)
    able, _ = ability(world.prior, facts)
    feeble, _ = ability(world.prior, replace(facts, model="feeble-99"))
    assert able > feeble + 0.5


def test_another_effort_of_a_trained_model_leaves_less_doubt_than_a_stranger(world: World) -> None:
    facts = world.facts[0]
    _, sibling = ability(world.prior, replace(facts, model=f"{facts.model}-thinking"))
    _, stranger = ability(world.prior, replace(facts, model="unheard-of-1"))
    assert sibling < stranger


def test_a_model_of_which_nothing_is_known_is_read_low_and_with_doubt(world: World) -> None:
    mean, deviation = ability(world.prior, ModelFacts("unheard-of-1"))
    assert mean < np.mean(world.ability)
    assert deviation > ability(world.prior, world.facts[30])[1] * 1.2
    assert world.prior.basis(ModelFacts("unheard-of-1")) == "facts"


def test_the_prior_survives_packing(world: World) -> None:
    about, arrays = unpack_arrays(pack_arrays(*world.prior.pack()))
    again = MetadataPrior.unpack(about, arrays)
    facts = [*world.facts[:2], given(1.0), ModelFacts("unheard-of-1")]
    for found, expected in zip(again.predict(facts), world.prior.predict(facts), strict=True):
        assert np.allclose(found, expected, atol=0.001)
    cells = world.prior.cells(world.facts[0])
    assert again.cells(world.facts[0]) == tuple(replace(c, score=round(c.score, 4)) for c in cells)


@pytest.mark.parametrize(
    ("name", "family"),
    [("qwen3-8b", "qwen"), ("o4-mini", "gpt"), ("ministral-3-8b-2512", "mistral"), ("7", "")],
)
def test_a_family_is_read_from_the_name(name: str, family: str) -> None:
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("date", "years"),
    [
        ("2024-07-15", 6.5 / 12 - 0.5),
        ("2024-07", 6.5 / 12 - 0.5),
        ("2025", 1.0),
        (None, None),
        ("", None),
        ("soon", None),
    ],
)
def test_a_date_becomes_years_since_mid_2024(date: str | None, years: float | None) -> None:
    found = years_of(date)
    assert found == (None if years is None else pytest.approx(years))
