"""What the scorer tells of itself."""

from __future__ import annotations

from typing import Any

from rolecall.registry.scorer.card import card


def scorer_card() -> dict[str, Any]:
    """Return the shipped scorer's card as it was written by its training; raises ScorerUnusable."""
    return card()
