"""The registry as a YAML document: reading one, writing one, naming what is wrong in one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast, get_args

from yaml.nodes import Node

from rolecall.registry.core.entities import (
    Collection,
    Record,
    Registry,
)
from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.core.suggestions import choices_hint
from rolecall.registry.documents.emit import yaml_list, yaml_mapping
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.schema import TYPES, read_entity
from rolecall.registry.documents.source import YamlSource, is_null

COLLECTIONS: tuple[Collection, ...] = get_args(Collection)
HEADER = "# A rolecall registry; `rolecall registry apply FILE` reads it back.\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a document and the path at which it stands, such as `roles[1]`."""

    collection: Collection
    record: Record
    path: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text describes: its records in order, and the sections that it names."""

    entries: tuple[Entry, ...]
    sections: frozenset[Collection]
    source: YamlSource = field(compare=False)

    @property
    def is_whole(self) -> bool:
        """Whether every section is named, as in an export: the text is a whole registry.

        Judged rows are there only where the user brought some.
        """
        return self.sections >= set(COLLECTIONS) - {"judged_rows"}

    def refusal(self, path: str, message: str, hint: str | None) -> InvalidDocument:
        """Return the error for the value at `path`, naming file and line."""
        return self.source.refusal(self.source.lines.get(path), path, message, hint)


def collection_of(record: Record) -> Collection:
    """Return the collection that a record belongs to."""
    return next(name for name, kind in TYPES.items() if isinstance(record, kind))


def parse_document(text: str, filename: str) -> Document:
    """Return what a registry document describes, wholly or in part.

    References are not checked: they may point at what the registry holds already. Raises
    InvalidDocument for the first thing wrong.
    """
    source = YamlSource(filename)
    top = source.compose(text)
    if top is None or is_null(top):
        raise source.refusal(None, "", "holds no records", f"sections: {', '.join(COLLECTIONS)}")
    entries: list[Entry] = []
    sections: set[Collection] = set()
    for key, value in source.pairs(top, ""):
        if key.value not in COLLECTIONS:
            hint = choices_hint(key.value, COLLECTIONS)
            raise source.refusal(key, key.value, "unknown section", hint)
        section = cast(Collection, key.value)
        sections.add(section)
        entries += _section(source, section, value)
    return Document(tuple(entries), frozenset(sections), source)


def _section(source: YamlSource, section: Collection, node: Node) -> list[Entry]:
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for index, item in enumerate([] if is_null(node) else source.items(node, section)):
        path = f"{section}[{index}]"
        source.lines[path] = item.start_mark.line + 1
        record = read_entity(source, item, section, path)
        if record.id in seen:
            line = source.lines.get(f"{path}.id", source.lines[path])
            message = f'"{record.id}" is described twice, first at line {seen[record.id]}'
            raise source.refusal(line, path, message)
        seen[record.id] = source.lines[path]
        entries.append(Entry(section, record, path))
    return entries


def parse_record(collection: Collection, text: str, filename: str | None) -> Document:
    """Return the document of one record, as `dump_record` writes it. Raises InvalidDocument."""
    source = YamlSource(filename)
    node = source.compose(text)
    if node is None or is_null(node):
        raise source.refusal(None, "", "holds nothing")
    record = read_entity(source, node, collection, "")
    return Document((Entry(collection, record, ""),), frozenset({collection}), source)


def checked(record: Record) -> Record:
    """Return a record made elsewhere as a document would hold it. Raises InvalidDocument."""
    return from_plain(collection_of(record), to_plain(record))


def from_plain(collection: Collection, plain: dict[str, Any]) -> Record:
    """Return the record of a mapping such as `to_plain` returns. Raises InvalidDocument."""
    text = "\n".join(yaml_mapping(plain, ""))
    return parse_record(collection, text, None).entries[0].record


def dump_record(record: Record) -> str:
    """Return one record as YAML with all its keys."""
    return "\n".join(yaml_mapping(to_plain(record), "")) + "\n"


def dump_registry(registry: Registry) -> str:
    """Return the whole registry as one YAML document; the same content gives the same bytes."""
    lines: list[str] = []
    for section in COLLECTIONS:
        records = sorted(getattr(registry, section), key=lambda record: record.id)
        if section == "judged_rows" and not records:
            continue
        lines.append(f"{section}:" if records else f"{section}: []")
        lines += yaml_list([to_plain(record) for record in records], "  ")
    return HEADER + "\n".join(lines) + "\n"
