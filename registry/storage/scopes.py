"""Queries on scopes: apps and users with limits of their own."""

from __future__ import annotations

from rolecall.registry.core.entities import Budget, Scope
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.values import from_flag, to_flag


def read_scopes(db: Database) -> tuple[Scope, ...]:
    """Return all scopes, sorted by id."""
    return tuple(
        Scope(
            app=row[0],
            user=row[1],
            strategy=row[2],
            budget=None if row[3] is None else Budget(row[3], row[4], row[5]),
            log_prompts=from_flag(row[6]),
        )
        for row in db.rows(
            """
            SELECT app, user, strategy, budget_usd, budget_per, budget_mode, log_prompts
            FROM scopes ORDER BY id
            """
        )
    )


def write_scope(db: Database, scope: Scope) -> None:
    """Insert the scope, or replace the whole record of that id."""
    budget = scope.budget
    db.run(
        """
        INSERT INTO scopes (id, app, user, strategy, budget_usd, budget_per,
                            budget_mode, log_prompts)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
            strategy = excluded.strategy,
            budget_usd = excluded.budget_usd,
            budget_per = excluded.budget_per,
            budget_mode = excluded.budget_mode,
            log_prompts = excluded.log_prompts
        """,
        (
            scope.id,
            scope.app,
            scope.user,
            scope.strategy,
            None if budget is None else budget.usd,
            None if budget is None else budget.per,
            None if budget is None else budget.mode,
            to_flag(scope.log_prompts),
        ),
    )
