"""Read records from YAML nodes, and write them as plain values, by the types of their fields.

A library that converts plain values (msgspec, pydantic) sees neither how a value was written
nor its line, both of which a refusal names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import Node, ScalarNode

from rolecall.registry.core.addresses import without_userinfo
from rolecall.registry.core.suggestions import choices_hint
from rolecall.registry.core.value_types import Range, Url
from rolecall.registry.documents.source import YamlSource, describe_node, is_null, join

_TEXT_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
_INT_TAG = "tag:yaml.org,2002:int"
_FLOAT_TAG = "tag:yaml.org,2002:float"
_BOOL_TAG = "tag:yaml.org,2002:bool"
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
_QUOTED_STYLES = ("'", '"', "|", ">")
_CONSTRUCTOR = SafeConstructor()

AnyRecord = TypeVar("AnyRecord")


def read_record(source: YamlSource, node: Node, path: str, record: type[AnyRecord]) -> AnyRecord:
    """Return the record of a mapping; keys left out take its defaults. Raises InvalidDocument."""
    pairs = source.pairs(node, path)
    given = {key.value for key, _ in pairs}
    kind: Any = record
    for name in _required(kind):
        if name not in given:
            raise source.refusal(node, path, f"{name} is missing")
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for key, value in pairs:
        place = join(path, key.value)
        if key.value not in hints:
            raise source.refusal(key, place, "unknown key", choices_hint(key.value, hints))
        name, hint = hints[key.value]
        values[name] = _read(source, value, place, hint)
    return record(**values)


def to_plain(record: Any) -> dict[str, Any]:
    """Return a record as a mapping with all its keys, in their fixed order."""
    kind: Any = type(record)
    return {key: _plain(getattr(record, name), hint) for key, (name, hint) in _hints(kind).items()}


def _plain(value: Any, hint: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if hint == Url:
        return without_userinfo(value)  # what an earlier version let in is not shown
    if isinstance(value, tuple):
        [item, _] = get_args(hint)
        if get_origin(item) is tuple:
            return {name: _plain(number, float) for name, number in value}
        return [_plain(one, item) for one in value]
    return to_plain(value) if is_dataclass(value) else value


@cache
def _hints(record: type) -> dict[str, tuple[str, Any]]:
    """Return a record's fields by key, with their types; `else_` has the key `else`."""
    hints = get_type_hints(record, include_extras=True)
    names = [field.name for field in fields(record)]
    return {name.removesuffix("_"): (name, hints[name]) for name in names}


@cache
def _required(record: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record) if field.default is MISSING)


def _read(source: YamlSource, node: Node, path: str, hint: Any) -> Any:
    """Return the value at a path as the type of its field says."""
    source.lines[path] = node.start_mark.line + 1
    read, is_optional = _reader(hint)
    return None if is_optional and is_null(node) else read(source, node, path)


@cache
def _reader(hint: Any) -> tuple[Callable[[YamlSource, Node, str], Any], bool]:
    """Return what reads the values of a type, and whether they may be null."""
    is_union = get_origin(hint) in (Union, UnionType)
    kinds = [kind for kind in (get_args(hint) if is_union else (hint,)) if kind is not NoneType]
    is_optional = is_union and NoneType in get_args(hint)
    if len(kinds) == 2:
        words, (_, rule) = map(get_args, kinds)
        return partial(_word_or_number, words=words, rule=rule), is_optional
    [kind] = kinds
    if get_origin(kind) is Literal:
        words = get_args(kind)
        return partial(_word, words=words, hint=f"one of {', '.join(words)}"), is_optional
    if get_origin(kind) is tuple:
        [item, _] = get_args(kind)
        return partial(_pairs if get_origin(item) is tuple else _list, item=item), is_optional
    if is_dataclass(kind):
        return partial(_inner_record, record=kind, is_optional=is_optional), is_optional
    base, rule = get_args(kind) if get_origin(kind) is Annotated else (kind, None)
    return partial(_SCALARS[base], rule=rule), is_optional


def _inner_record(
    source: YamlSource, node: Node, path: str, record: Any, *, is_optional: bool
) -> Any:
    """Return a record inside a record; where it may be null, one that says nothing is."""
    if _required(record):
        return read_record(source, node, path, record)
    value = record() if is_null(node) else read_record(source, node, path, record)
    return None if is_optional and value == record() else value


def _list(source: YamlSource, node: Node, path: str, item: Any) -> tuple[Any, ...]:
    """Return the items of a list; but for free texts, each name stands in it once."""
    key = f".{fields(item)[0].name}" if is_dataclass(item) else ""
    found: dict[str, Any] = {}
    for index, one in enumerate(source.items(node, path)):
        place = f"{path}[{index}]"
        value = _read(source, one, place, item)
        name = getattr(value, key[1:]) if key else str(index) if item is str else value
        if name in found:
            line = source.lines[place + key]
            raise source.refusal(line, place + key, f'"{name}" is listed twice')
        found[name] = value
    return tuple(found.values())


def _pairs(source: YamlSource, node: Node, path: str, item: Any) -> tuple[tuple[str, Any], ...]:
    """Return a mapping of names to values, held as pairs."""
    name, kind = get_args(item)
    [_, name_problem] = get_args(name)
    found: list[tuple[str, Any]] = []
    for key, value in source.pairs(node, path):
        wrong = name_problem(key.value)
        if wrong is not None:
            raise source.refusal(key, join(path, key.value), wrong)
        found.append((key.value, _read(source, value, join(path, key.value), kind)))
    return tuple(found)


def _text(source: YamlSource, node: Node, path: str, rule: Any) -> str:
    """Return the text; dates are text too."""
    if not isinstance(node, ScalarNode) or node.tag not in _TEXT_TAGS:
        hint = None
        if isinstance(node, ScalarNode) and not is_null(node):
            hint = f'put it in quotes: "{node.value}"'
        raise source.refusal(node, path, f"expected text, found {describe_node(node)}", hint)
    wrong = rule(node.value) if rule is not None else None
    if wrong is not None:
        raise source.refusal(node, path, wrong)
    return str(node.value)


def _flag(source: YamlSource, node: Node, path: str, rule: None) -> bool:  # noqa: ARG001
    if not isinstance(node, ScalarNode) or node.tag != _BOOL_TAG:
        raise source.refusal(node, path, f"expected true or false, found {describe_node(node)}")
    if node.value.lower() not in _CONSTRUCTOR.bool_values:  # `!!bool maybe`
        raise source.refusal(node, path, f'expected true or false, found "{node.value}"')
    return bool(_CONSTRUCTOR.construct_yaml_bool(node))


def _word(source: YamlSource, node: Node, path: str, words: Any, hint: str) -> str:
    if not isinstance(node, ScalarNode) or node.value not in words:
        found = f'"{node.value}"' if isinstance(node, ScalarNode) else describe_node(node)
        raise source.refusal(node, path, f"unknown value {found}", hint)
    return str(node.value)


def _word_or_number(
    source: YamlSource, node: Node, path: str, words: Any, rule: Range
) -> str | int:
    if node.tag in (_INT_TAG, _FLOAT_TAG):
        return _whole_number(source, node, path, rule)
    hint = f"one of {', '.join(words)}, a number of tokens, or null"
    return _word(source, node, path, words, hint)


def _float(source: YamlSource, node: Node, path: str, rule: Range | None) -> float:
    number = _number(node)
    if number is None:
        raise source.refusal(node, path, f"expected a number, found {describe_node(node)}")
    return float(_in_range(source, node, path, number, rule))


def _whole_number(source: YamlSource, node: Node, path: str, rule: Range | None) -> int:
    number = _number(node) if node.tag == _INT_TAG else None
    if number is None:
        found = describe_node(node) if node.tag != _FLOAT_TAG else "a fraction"
        raise source.refusal(node, path, f"expected a whole number, found {found}")
    return int(_in_range(source, node, path, number, rule))


def _in_range(
    source: YamlSource, node: Node, path: str, number: float, rule: Range | None
) -> float:
    allowed = rule or Range()
    wrong = allowed.problem(number)
    if wrong is not None:
        given = node.value if len(node.value) <= 40 else f"{node.value[:40]}…"
        is_percentage = allowed.high == 1 and 1 < number <= 100
        hint = "write a percentage as a fraction, such as 0.71" if is_percentage else None
        raise source.refusal(node, path, f"{given} is {wrong}", hint)
    return number


def _number(node: Node) -> float | int | None:
    if not isinstance(node, ScalarNode):
        return None
    try:
        if node.tag == _INT_TAG:
            # Python refuses to read integers of thousands of digits.
            return math.inf if len(node.value) > 400 else _CONSTRUCTOR.construct_yaml_int(node)
        if node.tag == _FLOAT_TAG:
            return float(_CONSTRUCTOR.construct_yaml_float(node))
    except (ValueError, IndexError, ConstructorError):  # `!!int x`, `!!int ""`
        return None
    # YAML 1.1 takes 5e-4 for text, for want of a point.
    if node.style not in _QUOTED_STYLES and _EXPONENT.fullmatch(node.value):
        return float(node.value)
    return None


_SCALARS: dict[Any, Any] = {str: _text, bool: _flag, float: _float, int: _whole_number}
