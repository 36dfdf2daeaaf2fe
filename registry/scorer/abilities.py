"""What is known of a model for each kind of work, and from where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rolecall.registry.core.predictions import Ability, KnownFrom, KnownScore, ModelFacts
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.posterior import FACTS_FLOOR, LATENT_FLOOR, Gaussian, expected
from rolecall.registry.scorer.public_scores import benchmarks, known_of

GIVEN = "registry"  # the source of a score that the user gave


def abilities_by_kind(scorer: Scorer, facts: ModelFacts) -> tuple[Ability, ...]:
    """Return what is known of a model, by kind of work in alphabetical order.

    Kinds of which training had rows of the model are predicted by its latent, as are all kinds
    once it is fitted to the user's rows; other kinds are predicted by the prior.
    """
    head, pool = scorer.head, scorer.pool((facts,))
    kinds: dict[str, str] = card()["kinds"]
    tasks_of: dict[str, list[int]] = {}
    for number, task in enumerate(head.tasks):
        tasks_of.setdefault(kinds.get(task, "other"), []).append(number)
    mean, covariance = head.prior.predict([facts])
    prior, own = Gaussian(mean[0], covariance[0]), Gaussian(pool.latent[0], pool.covariance[0])
    row, scores = int(pool.rows[0]), _scores(facts, head.prior)
    found = []
    for kind in sorted({*tasks_of, *scores}):
        tasks = tasks_of.get(kind, [])
        judged = [task for task in tasks if not head.tasks[task].startswith(f"{PUBLIC}/")]
        count = int(head.asked[judged, row].sum()) if row >= 0 else 0
        success, spread = None, None
        told = bool(tasks) and (count > 0 or pool.bases[0] == "fitted")
        basis: KnownFrom = "rows" if told else head.prior.basis(facts)
        if tasks:
            floor = LATENT_FLOOR if told else FACTS_FLOOR
            success, spread = _success(scorer, tasks, own if told else prior, floor)
        found.append(Ability(kind, success, spread, basis, count, tuple(scores.get(kind, ()))))
    return tuple(found)


def _success(
    scorer: Scorer, tasks: Sequence[int], theta: Gaussian, floor: float
) -> tuple[float, float]:
    loading, offset = scorer.usual_prompt(tasks)
    logit = offset + loading @ theta.mean
    variance = max(float(loading @ theta.covariance @ loading), 0.0)
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
