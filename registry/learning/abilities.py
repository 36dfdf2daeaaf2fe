"""What is known of a model by kind of work: by its rows, by public scores, or by facts."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.facts import facts_of
from rolecall.registry.known_facts import known_facts
from rolecall.registry.learning.loading import read_known
from rolecall.registry.scorer.abilities import Ability, Usual, known_by_kind
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.posterior import Gaussian
from rolecall.registry.scorer.public_scores import AS_DATA_SET

__all__ = ["Ability", "abilities_of"]


def abilities_of(given: Path | None, model: str) -> tuple[Ability, ...]:
    """Return what is known of a model by kind of work, and from where.

    Raises RegistryUnusable and ScorerUnusable.
    """
    known = read_known(given)
    facts, scorer = known_facts([model], facts_of(known.pool))[model], known.scorer
    kinds: dict[str, str] = card()["kinds"]
    tasks_of: dict[str, list[int]] = {}
    for number, task in enumerate(scorer.head.tasks):
        tasks_of.setdefault(kinds.get(task, "other"), []).append(number)
    public = {n for n, task in enumerate(scorer.head.tasks) if task.split("/")[0] == AS_DATA_SET}
    head, pool = scorer.head, scorer.pool((facts,))
    row = int(pool.rows[0])
    rows = {
        kind: int(head.asked[[task for task in tasks if task not in public], row].sum())
        if row >= 0
        else 0
        for kind, tasks in tasks_of.items()
    }
    own = Gaussian(pool.latent[0], pool.covariance[0])
    fitted = pool.bases[0] == "fitted"
    told = {kind: own for kind, count in rows.items() if count or fitted}
    return known_by_kind(
        facts,
        head.prior,
        {kind: Usual(*scorer.usual_prompt(tasks)) for kind, tasks in tasks_of.items()},
        told=told,
        rows=rows,
    )
