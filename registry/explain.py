"""Bring back a stored decision, or make one that is not kept."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.errors import InvalidPrompt, UsageError
from rolecall.registry.layers import Choices
from rolecall.registry.opening import open_registry
from rolecall.registry.records import Decision, Message, Request
from rolecall.registry.storage.decisions import read_decision


def explain_decision(given: Path | None, decision_id: str | None, choices: Choices) -> Decision:
    """Return the stored decision of that id or id prefix; null: the latest.

    Raises UnknownRecord when there is none, UsageError for choices, which cannot change it.
    """
    if choices != Choices():
        raise UsageError(
            "a stored decision cannot be made again with other choices",
            hint='rolecall explain --prompt "…" with the same options',
        )
    with open_registry(given) as db:
        return read_decision(db, decision_id)


def explain_prompt(
    given: Path | None, prompt: str, choices: Choices, decision_id: str | None
) -> Decision:
    """Decide a prompt without recording it; raises as `Router.decide` does."""
    # Only here: a stored decision is explained without loading the scorer.
    from rolecall.registry.route import open_router

    if decision_id is not None:
        raise UsageError("either a decision's id or --prompt", hint="rolecall explain --help")
    if not prompt.strip():
        raise InvalidPrompt("the prompt is empty", hint='rolecall explain --prompt "…"')
    with open_router(given) as router:
        return router.decide(Request((Message("user", prompt),)), choices, record=False)
