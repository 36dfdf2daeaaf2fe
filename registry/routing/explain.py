"""Bring back a stored decision, with the calls that were made for it."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.core.telemetry import Call
from rolecall.registry.storage.calls import calls_of_decision
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision


class Explained(NamedTuple):
    """A decision, and the attempts that followed it, in their order."""

    decision: Decision
    calls: tuple[Call, ...] = ()


def explain_decision(db: Database, decision_id: str | None, choices: RoutingChoices) -> Explained:
    """Return the stored decision of that id or id prefix with its calls; null: the latest.

    Raises UnknownRecord when there is none, UsageError for choices, which cannot change it.
    """
    if choices != RoutingChoices():
        raise UsageError(
            "a stored decision cannot be made again with other choices",
            hint='rolecall explain --prompt "…" with the same options',
        )
    decision = read_decision(db, decision_id)
    return Explained(decision, calls_of_decision(db, decision.id))
