"""Bring back a stored decision."""

from __future__ import annotations

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision


def explain_decision(db: Database, decision_id: str | None, choices: RoutingChoices) -> Decision:
    """Return the stored decision of that id or id prefix; null: the latest.

    Raises UnknownRecord when there is none, UsageError for choices, which cannot change it.
    """
    if choices != RoutingChoices():
        raise UsageError(
            "a stored decision cannot be made again with other choices",
            hint='rolecall explain --prompt "…" with the same options',
        )
    return read_decision(db, decision_id)
