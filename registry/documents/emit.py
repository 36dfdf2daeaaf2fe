"""Plain values as YAML text: the same bytes every time, short lists and mappings on one line.

PyYAML's own dump quotes dates, breaks lines inside of a mapping that is too long, and takes
nested lists apart however short they are.
"""

from __future__ import annotations

import json
import re
from typing import Any

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

_WIDTH = 100
_SAFE = re.compile(r"[A-Za-z0-9_./~$*?+-]([A-Za-z0-9_./:@~$*?+()' -]*[A-Za-z0-9_./@~$*?+()'-])?")
_UNSAFE_INSIDE = re.compile(r": | #|:$")
_SAFE_FIRST = re.compile(r"[A-Za-z0-9_./~$+]")
_RESOLVER: Any = Resolver()
_PLAIN_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")


def yaml_list(items: list[dict[str, Any]], indent: str) -> list[str]:
    """Return the lines of a list of mappings, each item's keys on lines of their own."""
    lines: list[str] = []
    for item in items:
        body = yaml_mapping(item, indent + "  ")
        body[0] = f"{indent}- {body[0].removeprefix(indent + '  ')}"
        lines += body
    return lines


def yaml_mapping(mapping: dict[str, Any], indent: str) -> list[str]:
    """Return the lines of a mapping, one key a line where its value fits."""
    lines: list[str] = []
    for key, value in mapping.items():
        line = f"{indent}{_scalar(key)}: {_inline(value)}"
        if len(line) <= _WIDTH or not value or not isinstance(value, (list, tuple, dict)):
            lines.append(line)
            continue
        lines.append(f"{indent}{_scalar(key)}:")
        if isinstance(value, dict):
            lines += yaml_mapping(value, indent + "  ")
        else:
            for item in value:
                line = f"{indent}  - {_inline(item)}"
                is_short = len(line) <= _WIDTH or not isinstance(item, dict)
                lines += [line] if is_short else yaml_list([item], indent + "  ")
    return lines


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: str | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _reads_back_as_itself(value) else _quoted(value)
    return _number(value)


def _number(value: float) -> str:
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    if exponent and "." not in mantissa:
        # YAML 1.1 reads 5e-05 as text.
        return f"{mantissa}.0e{power}"
    return text


def _reads_back_as_itself(text: str) -> bool:
    return (
        _SAFE.fullmatch(text) is not None
        and _SAFE_FIRST.match(text) is not None
        and _UNSAFE_INSIDE.search(text) is None
        and _RESOLVER.resolve(ScalarNode, text, (True, False)) in _PLAIN_TAGS
    )


def _quoted(text: str) -> str:
    # What JSON quotes is YAML too, but for characters that YAML does not print.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
