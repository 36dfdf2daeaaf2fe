"""How a Gemini is asked to think: by a level or a budget, as its generation takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolecall.registry.core.effort import level_of
from rolecall.registry.providers.generations import Generation, generation_of
from rolecall.registry.providers.protocol import Target

# What Google documents for a history whose calls were made by another model.
FOREIGN_SIGNATURE = "skip_thought_signature_validator"
_NO_THINKING = ("none", "minimal")
_BUDGETS = {"low": 1_024, "medium": 8_192, "high": 24_576}


def gemini_of(target: Target) -> Generation | None:
    """Return which Gemini a target serves; null for other models behind this API."""
    return generation_of(target, "gemini")


def thinking_config(target: Target, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how to think, by what `options` ask; null where nothing is asked or can be said."""
    gemini = gemini_of(target)
    budget, effort = options.get("thinking_budget"), options.get("reasoning_effort")
    if gemini is None or "no_thinking" not in gemini.takes or (budget is None and effort is None):
        return None
    is_off = budget == 0 or (budget is None and effort in _NO_THINKING)
    key = "thinkingLevel" if gemini.has("levels") else "thinkingBudget"
    if is_off:
        return {key: gemini.takes["no_thinking"]}
    if gemini.has("levels"):
        return {key: _level(gemini, budget, effort), "includeThoughts": True}
    least, most = gemini.takes["budgets"]
    wanted = _BUDGETS.get(str(effort), _BUDGETS["high"]) if budget is None else budget
    return {key: max(least, min(wanted, most)), "includeThoughts": True}


def _level(gemini: Generation, budget: int | None, effort: str | None) -> str:
    """Return the level nearest to what is asked."""
    if effort is None or effort in _NO_THINKING:
        effort = level_of(budget or 0)
    return effort if effort in gemini.takes["levels"] else "high"
