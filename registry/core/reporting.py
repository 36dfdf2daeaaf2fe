"""How long work says how far it is, and what a person should be told meanwhile."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]
ReportProgress = Callable[[int, int], None]  # how many of how many are done


def say_nothing(_text: str) -> None:
    """Take a note and drop it."""
