"""A small world of models whose ability shows in public scores, facts and family alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.public_scores import PublicScore
from rolecall.registry.scorer.training.prior import as_prior, model_inputs

FAMILIES = {"able": 1.2, "middling": 0.0, "feeble": -1.2}
EXAMS = tuple(f"exam_{number}" for number in range(8))


@dataclass(frozen=True)
class World:
    """Trained models with their true theta (ability, two more), and the table of all models."""

    prior: MetadataPrior
    ability: NDArray[np.float64]
    facts: tuple[ModelFacts, ...]
    untrained: dict[str, float]  # in the table, without judged rows


def score(ability: float, exam: int) -> float:
    """Return what a model of an ability reaches on an exam, without noise."""
    return float(1 / (1 + np.exp(-(0.2 * exam - 0.8 + ability))))


def a_world() -> World:
    """Return the world, the same each time."""
    generator = np.random.default_rng(3)
    names, abilities, facts = [], [], []
    for family, level in FAMILIES.items():
        for number in range(20):
            ability = level + generator.normal(0, 0.7)
            names.append(f"{family}-{number}")
            abilities.append(ability)
            facts.append(
                ModelFacts(
                    names[-1],
                    parameters_b=10 ** (1.5 + 0.3 * (ability - level)),
                    release_date=f"2025-{1 + number % 12:02d}",
                    output_usd_per_mtok=10 ** generator.normal(0.3 * ability, 0.3),
                    reasoning=False,
                    open_weights=True,
                )
            )
    truth = np.array(abilities)
    theta = np.stack([truth, generator.normal(0, 0.3, 60), generator.normal(0, 0.1, 60)], axis=1)
    untrained = {"stranger-strong": 1.8, "stranger-weak": -1.8}
    table = [
        _row(name, exam, level + generator.normal(0, 0.2))
        for name, level in [*zip(names, abilities, strict=True), *untrained.items()]
        for exam in range(len(EXAMS))
        if generator.random() < 0.6  # missing cells are the rule
    ]
    prior = learnt(facts, table, theta)
    return World(prior, truth, tuple(facts), untrained)


def learnt(
    facts: Sequence[ModelFacts], table: Sequence[PublicScore], theta: NDArray[np.float64]
) -> MetadataPrior:
    """Return the prior of models with these numbers (M, K), by ridge regression."""
    inputs = model_inputs(facts, table, facts)
    rows, level = inputs.rows(facts), theta.mean(axis=0)
    inner = rows.T @ rows + 0.3 * np.eye(rows.shape[1])
    common = np.linalg.solve(inner, rows.T @ (theta - level))
    return as_prior(inputs, level, common, theta - level - rows @ common)


def _row(name: str, exam: int, ability: float) -> PublicScore:
    return PublicScore(name, EXAMS[exam], score(ability, exam), "made up", False)
