"""What is known of a model for each kind of work, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.posterior import FACTS_FLOOR, LATENT_FLOOR, Gaussian, expected
from rolecall.registry.scorer.public_scores import benchmarks, known_of

From = Literal["rows", "scores", "facts"]
GIVEN = "registry"  # the source of a score that the user gave


@dataclass(frozen=True, slots=True)
class Usual:
    """The average prompt of a kind of work: `loading` (K,) and `offset` of its logit."""

    loading: Table
    offset: float


@dataclass(frozen=True, slots=True)
class KnownScore:
    """A score of a model; `model` is the variant that reached it.

    `source` is null where the shipped table no longer has the score.
    """

    benchmark: str
    score: float
    model: str
    source: str | None
    self_reported: bool | None


@dataclass(frozen=True, slots=True)
class Ability:
    """What is known of a model for one kind of work.

    `success` is what to expect on the average prompt of the kind, give or take `spread`; both are
    null for a kind that no training task has. `basis` is what they rest on: `rows` of the model's
    own (`rows` of this kind), public scores of any kind, or facts alone. `scores` are those of
    this kind.
    """

    kind: str
    success: float | None
    spread: float | None
    basis: From
    rows: int
    scores: tuple[KnownScore, ...]


def known_by_kind(
    facts: ModelFacts,
    prior: MetadataPrior,
    kinds: Mapping[str, Usual],
    *,
    told: Mapping[str, Gaussian] | None = None,
    rows: Mapping[str, int] | None = None,
) -> tuple[Ability, ...]:
    """Return what is known of a model, by kind of work in alphabetical order.

    `told` is the model's theta by kind where rows of its own gave it, and `rows` how many there
    are of each kind; of other kinds the prior speaks.
    """
    mean, covariance = prior.predict([facts])
    expected_theta = Gaussian(mean[0], covariance[0])
    scores = _scores(facts, prior)
    found = []
    for kind in sorted({*kinds, *scores}):
        usual, theta = kinds.get(kind), (told or {}).get(kind)
        basis: From = prior.basis(facts) if theta is None else "rows"
        floor = FACTS_FLOOR if theta is None else LATENT_FLOOR
        success, spread = None, None
        if usual is not None:
            success, spread = _success(usual, theta or expected_theta, floor)
        count = (rows or {}).get(kind, 0)
        found.append(Ability(kind, success, spread, basis, count, tuple(scores.get(kind, ()))))
    return tuple(found)


def _success(usual: Usual, theta: Gaussian, floor: float) -> tuple[float, float]:
    logit = usual.offset + usual.loading @ theta.mean
    variance = max(float(usual.loading @ theta.covariance @ usual.loading), 0.0)
    success = float(expected(np.array([logit]), variance)[0])
    return success, max(success * (1 - success) * variance**0.5, floor)


def _scores(facts: ModelFacts, prior: MetadataPrior) -> dict[str, list[KnownScore]]:
    """Return the scores that count for a model by kind, the user's own among them."""
    published = {(one.benchmark, one.model): one for one in known_of(facts.model)}
    found: dict[str, list[KnownScore]] = {}
    for cell in prior.cells(facts):
        if cell.benchmark not in benchmarks():
            continue
        one = None if cell.given else published.get((cell.benchmark, cell.model))
        found.setdefault(benchmarks()[cell.benchmark].kind, []).append(
            KnownScore(
                cell.benchmark,
                cell.score,
                cell.model,
                GIVEN if cell.given else (one.source if one else None),
                one.self_reported if one else None,
            )
        )
    return found
