"""JSON as it is exchanged: read strictly, written short, its values named in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

MOST_NESTED = 100
_MOST_DIGITS = 4300  # more than that Python itself refuses, in other words


def decode_json(text: str) -> Any:
    """Decode JSON proper. Raises ValueError (json.JSONDecodeError for a mistake in the syntax).

    Python would also read NaN and numbers without bound, which nobody else takes.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_bounded)


def decode_shallow(text: str) -> Any:
    """Decode JSON that can be written again wherever it is put; raises ValueError.

    What is nested deeper than `MOST_NESTED` is refused: writing it takes a call for each level.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    level = [value]
    for _ in range(MOST_NESTED):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return value
    raise ValueError("nested too deep")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def compact(value: Any) -> str:
    """Return the shortest JSON text of a value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def kind_of(value: Any) -> str:
    """Say what a value is, for an error message."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _bounded(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"{digits[:8]}… is too large a number")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is too large a number")
    return number
