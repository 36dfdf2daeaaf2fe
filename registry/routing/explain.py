"""Bring back a stored decision, or make one that is not kept."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.requests import Request, RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.decisions import read_decision


def explain_decision(
    given: Path | None, decision_id: str | None, choices: RoutingChoices
) -> Decision:
    """Return the stored decision of that id or id prefix; null: the latest.

    Raises UnknownRecord when there is none, UsageError for choices, which cannot change it.
    """
    if choices != RoutingChoices():
        raise UsageError(
            "a stored decision cannot be made again with other choices",
            hint='rolecall explain --prompt "…" with the same options',
        )
    with open_registry(given) as db:
        return read_decision(db, decision_id)


def explain_request(given: Path | None, request: Request, choices: RoutingChoices) -> Decision:
    """Decide a request without recording it; raises as `Router.decide` does."""
    # Only here: a stored decision is explained without loading the scorer.
    from rolecall.registry.routing.router import open_router

    with open_router(given) as router:
        return router.decide(request, choices, record=False)
