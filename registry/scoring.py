"""What the scorer tells of itself."""

from __future__ import annotations

from typing import Any

from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.integrity import check


def scorer_card() -> dict[str, Any]:
    """Return the shipped scorer's card as it was written by its training.

    Raises ScorerUnusable, also when a file of the artifact is not the one the card was made for.
    """
    check()
    return card()
