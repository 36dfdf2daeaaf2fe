"""Queries on what each scope spent, day by day: `app:NAME`, `user:NAME` or `all`."""

from __future__ import annotations

from rolecall.registry.storage.connection import Database


def add_spending(db: Database, scope: str, day: str, usd: float) -> None:
    """Add to what a scope spent on a day (YYYY-MM-DD); a negative amount gives a hold back."""
    db.run(
        """
        INSERT INTO spending (scope, day, usd) VALUES (?, ?, ?)
        ON CONFLICT (scope, day) DO UPDATE SET usd = usd + excluded.usd
        """,
        (scope, day, usd),
    )


def spent(db: Database, scope: str, since_day: str, last_day: str = "9999-12-31") -> float:
    """Return what a scope spent in USD from a day to another, both included."""
    [(usd,)] = db.rows(
        """
        SELECT coalesce(sum(usd), 0.0) FROM spending
        WHERE scope = ? AND day BETWEEN ? AND ?
        """,
        (scope, since_day, last_day),
    )
    return float(usd)
