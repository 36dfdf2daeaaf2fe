"""Queries on models fitted to judged rows, each for one version of the scorer."""

from __future__ import annotations

import json

from rolecall.registry.evidence import FittedModel
from rolecall.registry.storage.database import Database, Row


def read_fitted(db: Database, scorer_version: str) -> tuple[FittedModel, ...]:
    """Return what was fitted for this version of the scorer, by model."""
    rows = db.rows(
        """
        SELECT scorer_version, model, mean, covariance, tokens, rows, tasks, fitted_at, source
        FROM fitted_models
        WHERE scorer_version = ?
        ORDER BY model
        """,
        (scorer_version,),
    )
    return tuple(_fitted(row) for row in rows)


def write_fitted(db: Database, fitted: FittedModel) -> None:
    """Store a fitted model in place of the one before it for the same version of the scorer."""
    with db.transaction():
        db.touch()
        db.run(
            """
            INSERT OR REPLACE INTO fitted_models (
                scorer_version, model, mean, covariance, tokens, rows, tasks, fitted_at, source
            )
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                fitted.scorer_version,
                fitted.model,
                fitted.mean,
                fitted.covariance,
                fitted.tokens,
                fitted.rows,
                json.dumps(dict(fitted.tasks), ensure_ascii=False),
                fitted.fitted_at,
                fitted.source,
            ),
        )


def remove_fitted(db: Database, model: str) -> int:
    """Forget a model for every version of the scorer; return how many fits that were."""
    with db.transaction():
        removed = db.run("DELETE FROM fitted_models WHERE model = ?", (model,))
        if removed:
            db.touch()
    return removed


def _fitted(row: Row) -> FittedModel:
    version, model, mean, covariance, tokens, rows, tasks, fitted_at, source = row
    return FittedModel(
        scorer_version=version,
        model=model,
        mean=mean,
        covariance=covariance,
        tokens=tokens,
        rows=rows,
        tasks=tuple(json.loads(tasks).items()),
        fitted_at=fitted_at,
        source=source,
    )
