"""What the scorer tells of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.paths import registry_path
from rolecall.registry.scorer.card import card
from rolecall.registry.scorer.integrity import check
from rolecall.registry.using import known_folder
from rolecall.registry.versions import USE_HINT, folder_in_use


def scorer_card(registry: Path | None = None, version: str | None = None) -> dict[str, Any]:
    """Return a version's card, by default of the one in use, as it was written by its training.

    Raises UnknownRecord for a version that is not there, and ScorerUnusable, also when a file of
    the artifact is not the one the card was made for.
    """
    place = registry_path(registry)
    folder = folder_in_use(place) if version is None else known_folder(place, version)
    try:
        check(folder)
        return card(folder)
    except ScorerUnusable as error:
        if folder is None:
            raise
        raise ScorerUnusable(error.message, hint=USE_HINT) from error


def card_in_use(registry: Path | None = None) -> dict[str, Any]:
    """Return the card of the scorer in use, without reading the rest of it."""
    return card(folder_in_use(registry_path(registry)))
