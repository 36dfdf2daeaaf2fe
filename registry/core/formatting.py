"""How numbers are written for people: money, seconds and tokens, the same wherever they stand."""

from __future__ import annotations

import math
from typing import Literal

Rounding = Literal["nearest", "down", "up"]

UNKNOWN = "?"


def rounded(value: float, digits: int, rounding: Rounding = "nearest") -> str:
    """Write `value` with `digits` significant digits, plainly, rounded the way that is asked.

    A bound is rounded away from what it excludes, so that the sentence it stands in stays true.
    """
    if not _is_plain(value):
        return f"{value:.{digits}g}"
    return _stripped(_fixed(value, digits - 1 - math.floor(math.log10(abs(value))), rounding))


def usd(value: float | None, rounding: Rounding = "nearest") -> str:
    """Write an amount: "$0.0112", "$0.05", "$0.000012", "$12.50"; "?" where it is unknown.

    It has four decimals, or two significant digits where that is more; cents from $1 on.
    """
    if value is None:
        return UNKNOWN
    sign, size = ("-" if value < 0 else ""), abs(value)
    if not _is_plain(size):
        return f"{sign}${size:.3g}"
    if size < 1:
        places = max(4, 1 - math.floor(math.log10(size)))
        return f"{sign}${_stripped(_fixed(size, places, rounding))}"
    return f"{sign}${_fixed(size, 2, rounding).removesuffix('.00')}"


def seconds(value: float | None, rounding: Rounding = "nearest") -> str:
    """Write a time: "57 ms", "0.25 s", "28.5 s", "123 s"; "?" where it is unknown."""
    if value is None:
        return UNKNOWN
    if 0 < value < 0.1:
        return f"{rounded(1000 * value, 2, rounding)} ms"
    places = 2 if value < 10 else 1 if value < 100 else 0
    return f"{_stripped(_fixed(value, places, rounding))} s"


def success(value: float, std: float | None) -> str:
    """Write a probability with its standard deviation, where there is one: "0.77 ±.21"."""
    return f"{value:.2f}" + ("" if std is None else f" ±{std:.2f}".replace("±0", "±"))


def tokens(count: int | None) -> str:
    """Write a count of tokens: "3,641", "128k", "1.05M"; "?" where it is unknown."""
    if count is None:
        return UNKNOWN
    if count >= 999_500:
        return f"{rounded(count / 1_000_000, 3)}M"
    return f"{rounded(count / 1000, 3)}k" if count >= 10_000 else f"{count:,}"


def distinct_tokens(more: int, less: int) -> tuple[str, str]:
    """Write two different counts so that they also look different: ("151k", "131k")."""
    short = tokens(more), tokens(less)
    return short if short[0] != short[1] else (f"{more:,}", f"{less:,}")


def _is_plain(value: float) -> bool:
    return 1e-9 <= abs(value) < 1e15


def _fixed(value: float, places: int, rounding: Rounding) -> str:
    """Write `value` with so many decimals; a negative number rounds to tens, hundreds and so on."""
    scale = 10.0**places
    # A figure that is short already must not be pushed on by the noise of its own product.
    near = round(value * scale)
    if rounding != "nearest" and not math.isclose(near, value * scale, rel_tol=1e-12):
        near = math.floor(value * scale) if rounding == "down" else math.ceil(value * scale)
    return f"{near / scale:,.{max(places, 0)}f}"


def _stripped(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
