"""What is known of a model by kind of work."""

from __future__ import annotations

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.catalog.lookup import known_facts
from rolecall.registry.learning.loading import read_known
from rolecall.registry.scorer.abilities import Ability, Usual, known_by_kind
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.posterior import Gaussian
from rolecall.registry.storage.connection import Database

__all__ = ["Ability", "abilities_of"]


def abilities_of(db: Database, model: str) -> tuple[Ability, ...]:
    """Return what is known of a model by kind of work, and from where.

    Raises RegistryUnusable and ScorerUnusable.
    """
    known = read_known(db)
    facts, scorer = known_facts([model], facts_of(known.registry))[model], known.scorer
    kinds: dict[str, str] = card()["kinds"]
    tasks_of: dict[str, list[int]] = {}
    for number, task in enumerate(scorer.head.tasks):
        tasks_of.setdefault(kinds.get(task, "other"), []).append(number)
    head, pool = scorer.head, scorer.pool((facts,))
    row = int(pool.rows[0])
    rows = {}
    for kind, tasks in tasks_of.items():
        judged = [task for task in tasks if not head.tasks[task].startswith(f"{PUBLIC}/")]
        rows[kind] = int(head.asked[judged, row].sum()) if row >= 0 else 0
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
