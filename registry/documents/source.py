"""A YAML or JSON text as nodes that know their line, and the refusals that name it."""

from __future__ import annotations

import json
import re

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.core.json_text import decode_json
from rolecall.registry.documents.json_nodes import json_nodes

LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
_DEEPEST = 50
_MERGE_TAG = "tag:yaml.org,2002:merge"
_KINDS = {
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
}


class YamlSource:
    """One YAML text being read: its name, and where each value stood."""

    def __init__(self, filename: str | None) -> None:
        self.filename = filename
        self.lines: dict[str, int] = {}

    def refusal(
        self, where: Node | int | None, path: str, message: str, hint: str | None = None
    ) -> InvalidDocument:
        """Return the error `FILE:LINE: path: message`, leaving out what is not known."""
        line = where.start_mark.line + 1 if isinstance(where, Node) else where
        place = ""
        if self.filename is not None:
            place = f"{self.filename}:{line}: " if line is not None else f"{self.filename}: "
        return InvalidDocument(place + (f"{path}: " if path else "") + message, hint=hint)

    def compose(self, text: str) -> Node | None:
        """Return the text's top node, null if it holds none. Raises InvalidDocument.

        What is JSON is read as JSON: a file named so, and a text that can be read so.
        """
        if self._is_json(text):
            return self._whole(json_nodes(text))
        try:
            self._refuse_depth(text)
            node: Node | None = yaml.compose(text, Loader=LOADER)
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            raise self.refusal(
                line, "", "not a text file: it holds control characters", "give a YAML file"
            ) from error
        except yaml.MarkedYAMLError as error:
            raise self._broken(text, error) from error
        return node

    def _is_json(self, text: str) -> bool:
        """Tell whether a text is JSON; raise InvalidDocument where it should be."""
        if not text.lstrip().startswith(("{", "[")):
            return False
        try:
            decode_json(text)
        except RecursionError as error:
            raise self.refusal(None, "", f"nested more than {_DEEPEST} levels deep") from error
        except ValueError as error:
            if self.filename is None or not self.filename.lower().endswith(".json"):
                return False
            problem, line = str(error), None
            if isinstance(error, json.JSONDecodeError):
                problem, line = error.msg[:1].lower() + error.msg[1:], error.lineno
            raise self.refusal(line, "", f"not valid JSON: {problem}") from error
        return True

    def _whole(self, node: Node, depth: int = 1) -> Node:
        """Return a node of a JSON text; refuse too many levels, and half characters."""
        if depth > _DEEPEST:
            raise self.refusal(node, "", f"nested more than {_DEEPEST} levels deep")
        if isinstance(node, ScalarNode):
            if not node.value.isascii() and any("\ud800" <= one <= "\udfff" for one in node.value):
                raise self.refusal(node, "", "an escape stands for half a character only")
            return node
        pairs = node.value if isinstance(node, MappingNode) else [(one,) for one in node.value]
        for inner in (one for pair in pairs for one in pair):
            self._whole(inner, depth + 1)
        return node

    def _refuse_depth(self, text: str) -> None:
        """Refuse what no registry needs: composing a text nested thousands deep overflows."""
        depth = 0
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else None
                raise self.refusal(line, "", f"nested more than {_DEEPEST} levels deep")

    def _broken(self, text: str, error: yaml.MarkedYAMLError) -> InvalidDocument:
        mark = error.problem_mark or error.context_mark
        lines = text.splitlines() or [""]
        line = None if mark is None else min(mark.line + 1, len(lines))
        problem = error.problem or error.context or "it cannot be read"
        hint = "close what was opened, or quote the value"
        if line is not None and re.match(r" *\t", lines[line - 1]):
            hint = "indent with spaces, not tabs"
        return self.refusal(line, "", f"not valid YAML: {problem}", hint)

    def pairs(self, node: Node, path: str) -> list[tuple[ScalarNode, Node]]:
        """Return a mapping's keys and values in order; merges (`<<`) come after own keys.

        Raises InvalidDocument when it is no mapping, or a key is no text or comes twice.
        """
        if not isinstance(node, MappingNode):
            raise self.refusal(node, path, f"expected keys and values, found {describe_node(node)}")
        own: list[tuple[ScalarNode, Node]] = []
        merged: list[tuple[ScalarNode, Node]] = []
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag == _MERGE_TAG:
                merged += self._merged(node, value, path)
                continue
            if not isinstance(key, ScalarNode):
                raise self.refusal(key, path, "a key must be one word")
            if key.value in seen:
                raise self.refusal(key, join(path, key.value), "this key is given twice")
            seen.add(key.value)
            own.append((key, value))
        for key, value in merged:
            if key.value not in seen:
                seen.add(key.value)
                own.append((key, value))
        return own

    def _merged(self, holder: Node, value: Node, path: str) -> list[tuple[ScalarNode, Node]]:
        """Return the pairs of the mappings named by a `<<` key."""
        found: list[tuple[ScalarNode, Node]] = []
        for merged in value.value if isinstance(value, SequenceNode) else [value]:
            if merged is holder or (
                isinstance(merged, MappingNode)
                and any(key.tag == _MERGE_TAG for key, _ in merged.value)
            ):
                raise self.refusal(value, path, "merged keys (<<) may not merge others in turn")
            found += self.pairs(merged, path)
        return found

    def items(self, node: Node, path: str) -> list[Node]:
        """Return a list's items. Raises InvalidDocument when it is no list."""
        if not isinstance(node, SequenceNode):
            raise self.refusal(
                node,
                path,
                f"expected a list, found {describe_node(node)}",
                "write [one, two], or [] for none",
            )
        return list(node.value)


def describe_node(node: Node) -> str:
    """Return what a node is, in words for a person."""
    if isinstance(node, MappingNode):
        return "keys and values"
    if isinstance(node, SequenceNode):
        return "a list"
    if is_null(node):
        return "null"
    return _KINDS.get(node.tag, "text")


def is_null(node: Node) -> bool:
    """Whether the node is YAML's null (also an empty value)."""
    return bool(node.tag == "tag:yaml.org,2002:null")


def join(path: str, key: str) -> str:
    """Return the path of a key inside what stands at `path`."""
    return f"{path}.{key}" if path else key
