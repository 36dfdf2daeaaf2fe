"""Numbers as short words for the details of exclusions and flips."""

from __future__ import annotations

import math
from typing import Literal

Rounding = Literal["nearest", "down", "up"]


def rounded(value: float, digits: int, rounding: Rounding = "nearest") -> str:
    """Write `value` with `digits` significant digits, plainly, rounded the way that is asked.

    A bound is rounded away from what it excludes, so that the sentence it stands in stays true.
    """
    if not 1e-9 <= abs(value) < 1e15:
        return f"{value:.{digits}g}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    scale = 10.0**places
    # A figure that is short already must not be pushed on by the noise of its own product.
    near = round(value * scale)
    if rounding != "nearest" and not math.isclose(near, value * scale, rel_tol=1e-12):
        near = math.floor(value * scale) if rounding == "down" else math.ceil(value * scale)
    text = f"{near / scale:.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd(value: float, rounding: Rounding = "nearest") -> str:
    """Write a price with three significant digits: "$0.0112"."""
    return f"${rounded(value, 3, rounding)}"


def seconds(value: float, rounding: Rounding = "nearest") -> str:
    """Write a time with three significant digits: "0.9 s"."""
    return f"{rounded(value, 3, rounding)} s"


def tokens(more: int, less: int) -> tuple[str, str]:
    """Write two different counts so that they also look different: ("151k", "131k")."""
    short = _short(more), _short(less)
    return short if short[0] != short[1] else (f"{more:,}", f"{less:,}")


def _short(count: int) -> str:
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}M".replace(".0M", "M")
    return f"{round(count / 1_000)}k" if count >= 1_000 else str(count)
