"""Lists, pairs and flags as SQLite stores them: JSON text and 0, 1 or null."""

from __future__ import annotations

import json


def to_json(words: tuple[str, ...]) -> str:
    """Return a list column's text."""
    return json.dumps(words, ensure_ascii=False) if words else "[]"


def from_json(text: str) -> tuple[str, ...]:
    """Return a list column's words."""
    return () if text == "[]" else tuple(json.loads(text))


def to_json_object(pairs: tuple[tuple[str, float], ...]) -> str:
    """Return a column's text for pairs of names and numbers."""
    return json.dumps(dict(pairs), ensure_ascii=False)


def from_json_object(text: str) -> tuple[tuple[str, float], ...]:
    """Return the pairs that `to_json_object` stored, in their order."""
    return () if text == "{}" else tuple(json.loads(text).items())


def to_flag(claim: bool | None) -> int | None:
    """Return a column value for a claim that may be unknown."""
    return None if claim is None else int(claim)


def from_flag(value: int | None) -> bool | None:
    """Return the claim that `to_flag` stored."""
    return None if value is None else bool(value)
