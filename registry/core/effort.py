"""How much a model is asked to think, and the name by which a model so asked is known."""

from __future__ import annotations

from typing import Literal, get_args

from rolecall.registry.core.value_types import Tokens

Level = Literal["none", "low", "medium", "high"]
Effort = Level | Tokens  # a number is a budget in tokens
LEVELS: tuple[Level, ...] = get_args(Level)
_MOST_LOW = 4_096
_MOST_MEDIUM = 12_288
# How names of models say it elsewhere; the longer suffix comes before one that it ends in.
_SUFFIXES: dict[str, Level] = {
    "-no-thinking": "none",
    "-nothinking": "none",
    "-none": "none",
    "-minimal": "low",
    "-low": "low",
    "-medium": "medium",
    "-thinking": "medium",
    "-xhigh": "high",
    "-high": "high",
}


def level_of(effort: Effort) -> Level:
    """Return the level of an effort; a budget has the nearest one."""
    if isinstance(effort, str):
        return effort
    if effort <= _MOST_LOW:
        return "low"
    return "medium" if effort <= _MOST_MEDIUM else "high"


def variant_of(model: str, effort: Effort) -> str:
    """Return the name of a model asked with an effort, `MODEL-LEVEL`."""
    return f"{model}-{level_of(effort)}"


def parted(name: str) -> tuple[str, Level] | None:
    """Return the model and the level that a variant's name tells; null where it tells none."""
    for suffix, level in _SUFFIXES.items():
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix), level
    return None
