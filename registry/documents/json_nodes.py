"""A JSON text as the nodes that YAML is read into, each with its line.

YAML contains almost all of JSON, but not escapes of two halves, tabs between values, `\\/`, keys
above 1,024 characters, or numbers such as 1e5.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any, NamedTuple

from yaml import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_DECODER = json.JSONDecoder()
_TAG = "tag:yaml.org,2002:"
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"[^ \t\n\r,\]}]+")
_PLAIN_TAGS = {"true": "bool", "false": "bool", "null": "null"}


class _Found(NamedTuple):
    node: Any
    end: int


def json_nodes(text: str) -> Node:
    """Return the top node of a text that is known to be JSON."""
    node: Node = _Reader(text).value(0).node
    return node


class _Reader:
    """Reads values from a place on, and tells the line of a place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def value(self, place: int) -> _Found:
        place = self._after_space(place)
        match self._text[place]:
            case "{":
                return self._mapping(place)
            case "[":
                return self._list(place)
            case '"':
                return self._string(place)
            case _:
                return self._word(place)

    def _mapping(self, start: int) -> _Found:
        pairs: list[tuple[Node, Node]] = []
        place = self._after_space(start + 1)
        while self._text[place] != "}":
            key = self._string(place)
            value = self.value(self._after_space(key.end) + 1)
            pairs.append((key.node, value.node))
            place = self._after_comma(value.end)
        node = MappingNode(_TAG + "map", pairs, self._mark(start), self._mark(place))
        return _Found(node, place + 1)

    def _list(self, start: int) -> _Found:
        items: list[Node] = []
        place = self._after_space(start + 1)
        while self._text[place] != "]":
            item = self.value(place)
            items.append(item.node)
            place = self._after_comma(item.end)
        node = SequenceNode(_TAG + "seq", items, self._mark(start), self._mark(place))
        return _Found(node, place + 1)

    def _string(self, start: int) -> _Found:
        value, end = _DECODER.raw_decode(self._text, start)
        return _Found(self._scalar("str", value, start, end, style='"'), end)

    def _word(self, start: int) -> _Found:
        found = _PLAIN.match(self._text, start)
        assert found is not None
        word = found.group()
        kind = _PLAIN_TAGS.get(word) or ("int" if word.lstrip("-").isdigit() else "float")
        return _Found(self._scalar(kind, word, start, found.end(), style=None), found.end())

    def _scalar(self, kind: str, value: str, start: int, end: int, *, style: str | None) -> Node:
        return ScalarNode(_TAG + kind, value, self._mark(start), self._mark(end), style=style)

    def _after_space(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        assert found is not None
        return found.end()

    def _after_comma(self, place: int) -> int:
        place = self._after_space(place)
        return self._after_space(place + 1) if self._text[place] == "," else place

    def _mark(self, place: int) -> Mark:
        line = bisect_left(self._ends, place)
        column = place - (self._ends[line - 1] + 1 if line else 0)
        return Mark("", place, line, column, None, 0)
