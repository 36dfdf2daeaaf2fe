"""What each generation of Gemini takes: a thinking level or a budget, thought signatures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.effort import level_of
from rolecall.registry.providers.protocol import Target

# What Google documents for a history whose calls were made by another model.
FOREIGN_SIGNATURE = "skip_thought_signature_validator"
_NO_THINKING = ("none", "minimal")
_NEWEST = (99, 0)
_NAME = re.compile(r"gemini-(?:(?P<major>\d{1,2})(?:\.(?P<minor>\d{1,2}))?(?=-|$)-?)?(?P<kind>.*)")
_BUDGETS = {"low": 1_024, "medium": 8_192, "high": 24_576}
_MOST_BUDGET = 24_576


@dataclass(frozen=True, slots=True)
class Gemini:
    """A Gemini by version and kind; one that names no version is taken for the newest."""

    version: tuple[int, int]
    kind: str

    @property
    def has_levels(self) -> bool:
        """Whether thinking is set by a level; before, by a budget of tokens."""
        return self.version >= (3, 0)

    @property
    def signs_calls(self) -> bool:
        """Whether it wants its signature on the calls of a history."""
        return self.version >= (3, 0)

    @property
    def is_lite(self) -> bool:
        """Whether it is of the smallest kind."""
        return "lite" in self.kind

    @property
    def is_pro(self) -> bool:
        """Whether it is of the largest kind, which always thinks."""
        return self.kind.startswith("pro")

    @property
    def lowest_level(self) -> str:
        """The level with the least thinking that it takes."""
        is_flash = self.kind.startswith("flash")
        return "minimal" if is_flash and (self.is_lite or self.version < (3, 7)) else "low"


def gemini_of(target: Target) -> Gemini | None:
    """Return which Gemini a target serves; null for other models behind this API."""
    for name in (target.endpoint.remote_model, target.model.id):
        found = _NAME.search(name.lower())
        if found is not None:
            major, minor = found["major"], found["minor"]
            version = _NEWEST if major is None else (int(major), int(minor or 0))
            return Gemini(version, found["kind"])
    return None


def thinking_config(target: Target, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how to think, by what `options` ask; null where nothing is asked or can be said."""
    gemini = gemini_of(target)
    budget, effort = options.get("thinking_budget"), options.get("reasoning_effort")
    if gemini is None or gemini.version < (2, 5) or (budget is None and effort is None):
        return None
    is_off = budget == 0 or (budget is None and effort in _NO_THINKING)
    if gemini.has_levels:
        said: dict[str, Any] = {"thinkingLevel": _level(gemini, budget, effort, is_off)}
    else:
        said = {"thinkingBudget": _budget(gemini, budget, effort, is_off)}
    return said if is_off else said | {"includeThoughts": True}


def _level(gemini: Gemini, budget: int | None, effort: str | None, is_off: bool) -> str:
    """Return the level nearest to what is asked."""
    if is_off:
        return gemini.lowest_level
    if effort is None or effort in _NO_THINKING:
        effort = level_of(budget or 0)
    level = effort if effort in ("low", "medium") else "high"
    # The first of the third generation's largest kind knew only two levels.
    is_first_pro = gemini.is_pro and gemini.version == (3, 0)
    return "high" if level == "medium" and is_first_pro else level


def _budget(gemini: Gemini, budget: int | None, effort: str | None, is_off: bool) -> int:
    """Return the tokens asked for, within what the model takes."""
    if is_off:
        return 128 if gemini.is_pro else 0
    wanted = _BUDGETS.get(str(effort), _MOST_BUDGET) if budget is None else budget
    least = 512 if gemini.is_lite else 128 if gemini.is_pro else 1
    return max(least, min(wanted, 32_768 if gemini.is_pro else _MOST_BUDGET))
