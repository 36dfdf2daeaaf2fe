"""Any registry survives being stored, written as YAML and read again."""

from __future__ import annotations

import string
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.registry.core.entities import (
    Assignment,
    Registry,
    Scope,
)
from rolecall.registry.core.value_types import (
    Date,
    Factor,
    Fraction,
    Name,
    Tokens,
    Url,
    Variable,
)
from rolecall.registry.documents.document import (
    COLLECTIONS,
    dump_record,
    dump_registry,
    parse_document,
    parse_record,
)
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.documents.schema import TYPES
from rolecall.registry.editing.edit import write_registry
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_registry

NAMES = st.text(string.ascii_letters + string.digits + "._-/:@+#&*!é", min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    float: st.floats(0, 1e6),
    int: st.integers(0, 10**6),
    Name: NAMES,
    Date: st.dates().map(str) | st.dates().map(lambda day: str(day)[:7]),
    Url: NAMES.map(lambda path: f"https://gpu.lan/{path}"),
    Variable: st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=20),
    Fraction: st.floats(0, 1),
    Factor: st.floats(0, 1e6, exclude_min=True),
    Tokens: st.integers(1, 10**7),
    NoneType: st.none(),
}


def says_something(value: Any) -> bool:
    return fields(value)[0].default is MISSING or value != type(value)()


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a type as a document could hold them."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if is_dataclass(hint):
        return made(hint)
    if get_origin(hint) is tuple:
        [item, _] = get_args(hint)
        if get_origin(item) is tuple:
            return st.dictionaries(NAMES, values(get_args(item)[1]), max_size=3).map(
                lambda pairs: tuple(pairs.items())
            )
        return st.lists(values(item), max_size=4, unique=item is not str).map(tuple)
    kinds = [
        values(kind).filter(says_something) if is_dataclass(kind) else values(kind)
        for kind in get_args(hint)
    ]
    return st.one_of(*kinds)


def made(record: Any, **given: Any) -> st.SearchStrategy[Any]:
    """Return records of a type, its fields as given or else anything."""
    hints = get_type_hints(record, include_extras=True)
    anything = {one.name: values(hints[one.name]) for one in fields(record)}
    return st.builds(record, **{**anything, **given})


def some_of(names: list[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=most).map(tuple)


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    some = st.lists(NAMES, min_size=1, max_size=3, unique=True)
    names = {section: draw(some) for section in COLLECTIONS[:-1]}
    strategy = st.none() | st.sampled_from(names["strategies"])
    assignments = some_of(names["endpoints"]).flatmap(
        lambda chosen: st.tuples(*(made(Assignment, endpoint=st.just(one)) for one in chosen))
    )
    references: dict[str, dict[str, Any]] = {
        "endpoints": {
            "model": st.sampled_from(names["models"]),
            "base_url": SIMPLE[Url].filter(bool),
            "remote_model": TEXTS.filter(bool),
        },
        "roles": {"strategy": strategy, "assignments": assignments},
        "tasks": {"roles": some_of(names["roles"])},
    }
    groups = {
        section: [
            draw(made(TYPES[section], id=st.just(name), **references.get(section, {})))
            for name in names[section]
        ]
        for section in ("models", "endpoints", "roles", "tasks", "strategies")
    }
    groups["scopes"] = [
        draw(made(Scope, app=st.just(app), user=st.just(user), strategy=strategy))
        for name in names["scopes"]
        for app, user in [(name, None) if len(name) % 2 else (None, name)]
    ]
    ordered: dict[str, Any] = {
        section: tuple(sorted(group, key=lambda record: record.id))
        for section, group in groups.items()
    }
    return Registry(0, **ordered)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(registry=registries())
def test_a_registry_written_as_yaml_reads_back_equal(
    loader: type[yaml.SafeLoader], registry: Registry
) -> None:
    text = dump_registry(registry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rolecall.registry.documents.source.LOADER", loader)
        document = parse_document(text, "registry.yaml")
    assert document.is_whole
    seen_by_others = yaml.load(text, Loader=_TextLoader)
    for section in COLLECTIONS:
        records = getattr(registry, section)
        assert tuple(e.record for e in document.entries if e.collection == section) == records
        assert seen_by_others.get(section, []) == [to_plain(record) for record in records]
        for record in records:
            alone = parse_record(section, dump_record(record), "record.yaml")
            assert alone.entries[0].record == record


class _TextLoader(yaml.SafeLoader):
    """A plain loader that keeps dates as the text they were written as."""


_TextLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(registry=registries())
def test_a_registry_stored_in_a_file_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, registry: Registry
) -> None:
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    with open_database(path) as db:
        write_registry(db, registry)
        stored = read_registry(db)
    assert stored == Registry(1, *(getattr(registry, field.name) for field in fields(Registry)[1:]))
