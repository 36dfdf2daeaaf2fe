"""What would have to change for another endpoint to be chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rolecall.registry.core.decisions import Candidate, Exclusion, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.routing.rules.what_if_limits import limit_flips
from rolecall.registry.routing.rules.what_if_weights import weight_flips


def flips(
    ranked: Sequence[Candidate],
    excluded: Sequence[Exclusion],
    strategy: Strategy,
    incumbent: str | None,
    worth: float,
) -> tuple[Flip, ...]:
    """Return for each weight and limit the smallest change that alters the choice, if any does.

    `becomes` is the boundary: the choice changes on it or just past it. What is excluded by more
    than one limit, or by anything that was not weighed, never comes back. The relatively smallest
    change comes first, a weight before a limit where they are equal, "no limit" last.
    """
    found = [
        *weight_flips(ranked, strategy, incumbent, worth),
        *limit_flips(ranked, excluded, strategy, incumbent),
    ]
    return tuple(sorted(found, key=_relative_size))


def _relative_size(flip: Flip) -> float:
    if isinstance(flip.was, bool) or not flip.was:
        return math.inf
    return abs(flip.becomes - flip.was) / abs(flip.was)
