"""What the scorer predicts for rows of prompts, and what it knows of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.catalog.lookup import known_facts
from rolecall.registry.core.predictions import Ability, Prediction
from rolecall.registry.learning.loading import read_known
from rolecall.registry.scorer.abilities import abilities_by_kind
from rolecall.registry.scorer.data import left_out_of, read_prompt_rows
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database


@dataclass(frozen=True, slots=True)
class RowPredictions:
    """What is predicted for one row; the models are named as it names them."""

    id: str | int
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class PredictedRows:
    """The rows in their order, predicted as they are taken; `left_out` spells out bad lines."""

    count: int
    rows: Iterator[RowPredictions]
    left_out: str | None


def predict_rows(
    db: Database, paths: Sequence[Path], *, models: Sequence[str] = (), skip_bad: bool = False
) -> PredictedRows:
    """Read rows, judged or not, and predict success and length of each one's models.

    Those are `models` where any are given, else the ones that the row names, else the
    registry's. Nothing is written. Raises InvalidDocument for bad lines (unless `skip_bad`) and
    unreadable files, all of them read before this returns; RegistryUnusable, ScorerUnusable.
    """
    rows, bad = read_prompt_rows(paths, skip_bad=skip_bad)
    known = read_known(db)
    registered = facts_of(known.registry)
    given = tuple(dict.fromkeys(models))
    wanted = [given or row.models or tuple(registered) for row in rows]
    facts = known_facts(
        dict.fromkeys(model for names in set(wanted) for model in names), registered
    )

    def predicted(scorer: Scorer) -> Iterator[RowPredictions]:
        for row, names in zip(rows, wanted, strict=True):
            reading = scorer.read(row.prompt)
            yield RowPredictions(row.id, scorer.predict(reading, [facts[name] for name in names]))

    return PredictedRows(len(rows), predicted(known.scorer), left_out_of(bad))


def abilities_of(db: Database, model: str) -> tuple[Ability, ...]:
    """Return what is known of a model by kind of work, and from where.

    Raises RegistryUnusable and ScorerUnusable.
    """
    known = read_known(db)
    facts = known_facts([model], facts_of(known.registry))[model]
    return abilities_by_kind(known.scorer, facts)
