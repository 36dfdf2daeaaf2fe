"""The kinds of values that registry documents hold: how each is read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import Node, ScalarNode

from rolecall.registry.core.suggestions import choices_hint
from rolecall.registry.documents.source import YamlSource, describe_node, is_null, join

Check = Callable[[str], str | None]

_TEXT_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
_INT_TAG = "tag:yaml.org,2002:int"
_FLOAT_TAG = "tag:yaml.org,2002:float"
_BOOL_TAG = "tag:yaml.org,2002:bool"
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
_QUOTED_STYLES = ("'", '"', "|", ">")
_LARGEST = 10**12
_CONSTRUCTOR = SafeConstructor()


class Kind(Protocol):
    """One kind of value."""

    def read(self, source: YamlSource, node: Node, path: str) -> Any:
        """Return the value as records hold it. Raises InvalidDocument."""

    def plain(self, value: Any) -> Any:
        """Return the value as YAML holds it: text, number, flag, null, list or mapping."""


@dataclass(frozen=True)
class Text:
    """Text; `check` returns what is wrong with it, without quoting it."""

    check: Check | None = None
    optional: bool = False

    def read(self, source: YamlSource, node: Node, path: str) -> str | None:
        """Return the text; dates are text too."""
        if self.optional and is_null(node):
            return None
        if not isinstance(node, ScalarNode) or node.tag not in _TEXT_TAGS:
            hint = None
            if isinstance(node, ScalarNode) and not is_null(node):
                hint = f'put it in quotes: "{node.value}"'
            raise source.refusal(node, path, f"expected text, found {describe_node(node)}", hint)
        wrong = self.check(node.value) if self.check is not None else None
        if wrong is not None:
            raise source.refusal(node, path, wrong)
        return str(node.value)

    def plain(self, value: str | None) -> str | None:
        """Return the text itself."""
        return value


@dataclass(frozen=True)
class Number:
    """A finite number between `low` and `high`, both included; with `above`, more than `low`."""

    low: float = 0.0
    high: float = float(_LARGEST)
    optional: bool = False
    above: bool = False

    def read(self, source: YamlSource, node: Node, path: str) -> float | None:
        """Return the number."""
        if self.optional and is_null(node):
            return None
        number = _number(node)
        if number is None:
            raise source.refusal(node, path, f"expected a number, found {describe_node(node)}")
        is_high_enough = number > self.low if self.above else number >= self.low
        if not (is_high_enough and number <= self.high):  # nan is neither
            message = _range(node.value, self.low, self.high, above=self.above)
            raise source.refusal(node, path, message)
        return float(number)

    def plain(self, value: float | None) -> float | int | None:
        """Return the number, without a fraction where it has none."""
        return int(value) if value is not None and float(value).is_integer() else value


@dataclass(frozen=True)
class Whole:
    """A whole number of at least `low`."""

    low: int = 0
    optional: bool = True

    def read(self, source: YamlSource, node: Node, path: str) -> int | None:
        """Return the number."""
        if self.optional and is_null(node):
            return None
        number = _number(node) if node.tag == _INT_TAG else None
        if number is None:
            found = describe_node(node) if node.tag != _FLOAT_TAG else "a fraction"
            raise source.refusal(node, path, f"expected a whole number, found {found}")
        if not self.low <= number <= _LARGEST:
            raise source.refusal(node, path, _range(node.value, self.low, _LARGEST))
        return int(number)

    def plain(self, value: int | None) -> int | None:
        """Return the number itself."""
        return value


@dataclass(frozen=True)
class Flag:
    """True or false."""

    optional: bool = False

    def read(self, source: YamlSource, node: Node, path: str) -> bool | None:
        """Return the flag."""
        if self.optional and is_null(node):
            return None
        if not isinstance(node, ScalarNode) or node.tag != _BOOL_TAG:
            raise source.refusal(node, path, f"expected true or false, found {describe_node(node)}")
        return bool(_CONSTRUCTOR.construct_yaml_bool(node))

    def plain(self, value: bool | None) -> bool | None:
        """Return the flag itself."""
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    optional: bool = False
    hint: str | None = None

    def read(self, source: YamlSource, node: Node, path: str) -> str | None:
        """Return the word."""
        if self.optional and is_null(node):
            return None
        if not isinstance(node, ScalarNode) or node.value not in self.words:
            found = f'"{node.value}"' if isinstance(node, ScalarNode) else describe_node(node)
            hint = self.hint or f"one of {', '.join(self.words)}"
            raise source.refusal(node, path, f"unknown value {found}", hint)
        return str(node.value)

    def plain(self, value: str | None) -> str | None:
        """Return the word itself."""
        return value


@dataclass(frozen=True)
class ChoiceOrWhole:
    """One of a few words, a whole number above 0 called `number`, or null."""

    words: tuple[str, ...]
    number: str

    def read(self, source: YamlSource, node: Node, path: str) -> str | int | None:
        """Return the word or the number."""
        if node.tag in (_INT_TAG, _FLOAT_TAG):
            return Whole(low=1).read(source, node, path)
        hint = f"one of {', '.join(self.words)}, {self.number}, or null"
        return Choice(self.words, optional=True, hint=hint).read(source, node, path)

    def plain(self, value: str | int | None) -> str | int | None:
        """Return the word or the number itself."""
        return value


@dataclass(frozen=True)
class Words:
    """A list of texts; unless `repeats`, each stands in it once."""

    of: Text = field(default_factory=Text)
    repeats: bool = False

    def read(self, source: YamlSource, node: Node, path: str) -> tuple[str, ...]:
        """Return the texts in their order."""
        found: list[str] = []
        for index, item in enumerate(source.items(node, path)):
            place = f"{path}[{index}]"
            word = self.of.read(source, item, place)
            source.lines[place] = item.start_mark.line + 1
            if word in found and not self.repeats:
                raise source.refusal(item, place, f'"{word}" is listed twice')
            found.append(word or "")
        return tuple(found)

    def plain(self, value: tuple[str, ...]) -> list[str]:
        """Return the texts as a list."""
        return list(value)


@dataclass(frozen=True)
class Fractions:
    """A mapping of names to numbers from 0 to 1, held as pairs."""

    def read(self, source: YamlSource, node: Node, path: str) -> tuple[tuple[str, float], ...]:
        """Return the pairs in their order."""
        found: list[tuple[str, float]] = []
        for key, value in source.pairs(node, path):
            place = join(path, key.value)
            wrong = name_problem(key.value)
            if wrong is not None:
                raise source.refusal(key, place, wrong)
            number = Number().read(source, value, place) or 0.0
            if number > 1.0:
                hint = "write a percentage as a fraction, such as 0.71"
                raise source.refusal(value, place, _range(str(value.value), 0.0, 1.0), hint)
            found.append((key.value, number))
        return tuple(found)

    def plain(self, value: tuple[tuple[str, float], ...]) -> dict[str, float | int | None]:
        """Return the pairs as a mapping."""
        return {name: Number().plain(number) for name, number in value}


@dataclass(frozen=True)
class Key:
    """One key of a record: its name, the kind of its value, whether it must be given."""

    name: str
    kind: Kind
    required: bool = False


@dataclass(frozen=True)
class Shape:
    """The keys of a record in their fixed order, and the record they make."""

    record: Callable[..., Any]
    keys: tuple[Key, ...]
    check: Callable[[YamlSource, Node, str, Mapping[str, Node]], None] | None = None

    def read(self, source: YamlSource, node: Node, path: str) -> Any:
        """Return the record; keys left out take its defaults."""
        pairs = source.pairs(node, path)
        given = {key.value: value for key, value in pairs}
        for key in self.keys:
            if key.required and key.name not in given:
                raise source.refusal(node, path, f"{key.name} is missing")
        if self.check is not None:
            self.check(source, node, path, given)
        known = {key.name: key.kind for key in self.keys}
        values: dict[str, Any] = {}
        for name, value in pairs:
            place = join(path, name.value)
            if name.value not in known:
                raise source.refusal(name, place, "unknown key", choices_hint(name.value, known))
            source.lines[place] = value.start_mark.line + 1
            values[name.value] = known[name.value].read(source, value, place)
        return self.record(**values)

    @property
    def requires_keys(self) -> bool:
        """Whether some key must be given."""
        return any(key.required for key in self.keys)

    def plain(self, value: Any) -> dict[str, Any]:
        """Return all keys with their values."""
        return {key.name: key.kind.plain(getattr(value, key.name)) for key in self.keys}


@dataclass(frozen=True)
class Nested:
    """A record inside a record; one that says nothing is `blank`."""

    shape: Shape
    blank: Any = None

    def read(self, source: YamlSource, node: Node, path: str) -> Any:
        """Return the inner record, or `blank` for null and for one that says nothing."""
        if is_null(node):
            return self.blank
        value = self.shape.read(source, node, path)
        says_nothing = not self.shape.requires_keys and value == self.shape.record()
        return self.blank if says_nothing else value

    def plain(self, value: Any) -> dict[str, Any] | None:
        """Return the inner record's keys, or null."""
        return None if value is None else self.shape.plain(value)


@dataclass(frozen=True)
class Listed:
    """A list of inner records, each known by its `key`, which stands in it once."""

    shape: Shape
    key: str

    def read(self, source: YamlSource, node: Node, path: str) -> tuple[Any, ...]:
        """Return the inner records in their order."""
        found: list[Any] = []
        seen: set[str] = set()
        for index, item in enumerate(source.items(node, path)):
            value = self.shape.read(source, item, f"{path}[{index}]")
            name = getattr(value, self.key)
            if name in seen:
                place = f"{path}[{index}].{self.key}"
                raise source.refusal(source.lines[place], place, f'"{name}" is listed twice')
            seen.add(name)
            found.append(value)
        return tuple(found)

    def plain(self, value: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Return the inner records' keys."""
        return [self.shape.plain(item) for item in value]


def _number(node: Node) -> float | int | None:
    if not isinstance(node, ScalarNode):
        return None
    try:
        if node.tag == _INT_TAG:
            # Python refuses to read integers of thousands of digits.
            return math.inf if len(node.value) > 400 else _CONSTRUCTOR.construct_yaml_int(node)
        if node.tag == _FLOAT_TAG:
            return float(_CONSTRUCTOR.construct_yaml_float(node))
    except (ValueError, ConstructorError):
        return None
    # YAML 1.1 takes 5e-4 for text, for want of a point.
    if node.style not in _QUOTED_STYLES and _EXPONENT.fullmatch(node.value):
        return float(node.value)
    return None


def _range(given: str, low: float, high: float, *, above: bool = False) -> str:
    given = given if len(given) <= 40 else f"{given[:40]}…"
    if high >= _LARGEST:
        return f"{given} is out of range: {'above' if above else 'at least'} {low:g}, and finite"
    return f"{given} is out of range: {low:g} to {high:g}"


def name_problem(text: str) -> str | None:
    """Return what keeps a text from being a name, or null."""
    if not text:
        return "a name may not be empty"
    if len(text) > 200:
        return "a name may have 200 characters at most"
    if any(character.isspace() or not character.isprintable() for character in text):
        return "a name may not contain spaces"
    return None


def prompt_problem(text: str) -> str | None:
    """Return what keeps a text from being a prompt, or null."""
    return None if text.strip() else "a prompt may not be empty"


def date_problem(text: str) -> str | None:
    """Return what keeps a text from being an ISO date (or year and month), or null."""
    try:
        date.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return f'"{text}" is not a date: write YYYY-MM-DD or YYYY-MM'
    return None if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", text) else "write YYYY-MM-DD or YYYY-MM"


def url_problem(text: str) -> str | None:
    """Return what keeps a text from being a base URL, or null; empty means the API's own."""
    if text and not re.fullmatch(r"https?://[^\s/]+\S*", text):
        return "expected a URL that starts with http:// or https://"
    return None


def variable_problem(text: str) -> str | None:
    """Return what keeps a text from naming an environment variable, or null.

    Strict, and silent about the text itself: it may be a key pasted in the wrong place.
    """
    if not re.fullmatch(r"[A-Z0-9_]{1,100}", text):
        return "expected the name of an environment variable such as OPENAI_API_KEY, never a key"
    return None
