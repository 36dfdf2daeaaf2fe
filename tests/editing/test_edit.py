"""Records are changed one at a time, whole, and never over another person's change."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.core.entities import (
    Assignment,
    Collection,
    Endpoint,
    Model,
    Record,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.errors import (
    InvalidDocument,
    RecordChanged,
    RecordInUse,
    UnknownRecord,
)
from rolecall.registry.editing.edit import (
    add_record,
    assign_endpoint,
    get_record,
    record_yaml,
    remove_record,
    replace_from_yaml,
    unassign_endpoint,
)
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import (
    read_registry,
    read_revision,
    write_record,
)

RECORDS: tuple[Record, ...] = (
    Model("m"),
    Endpoint("a/m", "m", base_url="https://a.test", remote_model="m"),
    Endpoint("b/m", "m", base_url="https://b.test", remote_model="m"),
    Strategy("quality", quality_usd=0.5),
    Role("coder", tasks=("code",), strategy="quality", assignments=(Assignment("a/m"),)),
    Role("writer", tasks=("write", "code")),
    TaskKind("code", roles=("coder",)),
    Scope(app="helpdesk", strategy="quality"),
)


EDIT_TASK = "rolecall tasks edit code"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    with open_database(path) as opened:
        for record in RECORDS:
            write_record(opened, record)
        yield opened


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Endpoint("x", "modell"), 'no model is named "modell"'),
        (Role("x", strategy="qualty"), 'no strategy is named "qualty"'),
        (Role("x", assignments=(Assignment("a/n"),)), 'no endpoint is named "a/n"'),
        (TaskKind("x", roles=("cook",)), 'no role is named "cook"'),
        (Scope(app="x", strategy="s"), 'no strategy is named "s"'),
    ],
)
def test_a_record_that_names_nothing_is_not_added(
    db: Database, record: Record, message: str
) -> None:
    before = read_registry(db)
    with pytest.raises(UnknownRecord) as unknown:
        add_record(db, record)
    assert unknown.value.message == message
    assert read_registry(db) == before


@pytest.mark.parametrize(
    ("collection", "name", "message", "hint"),
    [
        (
            "models",
            "m",
            "model m is used by endpoint a/m, endpoint b/m",
            "rolecall endpoints edit a/m",
        ),
        (
            "endpoints",
            "a/m",
            "endpoint a/m is used by role coder",
            "rolecall roles unassign coder a/m",
        ),
        (
            "strategies",
            "quality",
            "strategy quality is used by role coder, scope app:helpdesk",
            "rolecall roles edit coder",
        ),
        (
            "roles",
            "coder",
            "role coder is used by task code",
            EDIT_TASK,
        ),
    ],
)
def test_a_record_in_use_is_not_removed(
    db: Database, collection: Collection, name: str, message: str, hint: str
) -> None:
    with pytest.raises(RecordInUse) as used:
        remove_record(db, collection, name)
    assert (used.value.message, used.value.hint) == (message, hint)
    assert get_record(db, collection, name).id == name


def test_an_endpoint_is_assigned_changed_in_place_and_unassigned(db: Database) -> None:
    role = assign_endpoint(db, "coder", Assignment("b/m", tasks=("code",)))
    assert [one.endpoint for one in role.assignments] == ["a/m", "b/m"]
    role = assign_endpoint(db, "coder", Assignment("a/m", "disabled"))
    assert role.assignments == (Assignment("a/m", "disabled"), Assignment("b/m", tasks=("code",)))
    assert unassign_endpoint(db, "coder", "a/m").assignments == role.assignments[1:]
    assert get_record(db, "roles", "coder") == replace(role, assignments=role.assignments[1:])


def test_assigning_the_same_again_changes_nothing(db: Database) -> None:
    before = read_revision(db)
    assign_endpoint(db, "coder", Assignment("a/m"))
    assert read_revision(db) == before


def test_only_what_is_there_can_be_assigned_or_unassigned(db: Database) -> None:
    with pytest.raises(UnknownRecord, match='no endpoint is named "a/n"'):
        assign_endpoint(db, "coder", Assignment("a/n"))
    with pytest.raises(UnknownRecord, match='no role is named "cook"'):
        assign_endpoint(db, "cook", Assignment("a/m"))
    with pytest.raises(UnknownRecord, match="b/m is not assigned to role coder"):
        unassign_endpoint(db, "coder", "b/m")


def test_a_text_edited_without_effect_changes_nothing(db: Database) -> None:
    original = record_yaml(db, "roles", "coder")
    before = read_revision(db)
    assert not replace_from_yaml(db, "roles", "coder", "# hm\n" + original, original=original)
    assert read_revision(db) == before


def test_a_record_removed_meanwhile_is_not_brought_back(db: Database) -> None:
    original = record_yaml(db, "roles", "writer")
    remove_record(db, "roles", "writer")
    with pytest.raises(RecordChanged, match="role writer was removed by someone else meanwhile"):
        replace_from_yaml(db, "roles", "writer", original + "# more\n", original=original)


def test_a_mistake_in_an_edited_record_is_named_with_its_line(db: Database) -> None:
    original = record_yaml(db, "roles", "coder")
    line = original.splitlines().index("strategy: quality") + 1
    edited = original.replace("strategy: quality", "strategy: qualty")
    with pytest.raises(InvalidDocument) as refused:
        replace_from_yaml(db, "roles", "coder", edited, original=original)
    assert refused.value.message == f'coder.yaml:{line}: strategy: no strategy is named "qualty"'
    assert refused.value.hint == "did you mean quality?"


@pytest.mark.parametrize(
    ("collection", "name"),
    [("models", "m"), ("endpoints", "a/m"), ("strategies", "quality"), ("roles", "coder")],
)
def test_what_refers_to_a_record_follows_its_new_name(
    db: Database, collection: Collection, name: str
) -> None:
    original = record_yaml(db, collection, name)
    edited = original.replace(f"id: {name}\n", "id: renamed\n")
    assert replace_from_yaml(db, collection, name, edited, original=original)
    pool = read_registry(db)
    used: dict[Collection, set[str | None]] = {
        "models": {one.model for one in pool.endpoints},
        "endpoints": {one.endpoint for role in pool.roles for one in role.assignments},
        "strategies": {pool.roles[0].strategy, pool.scopes[0].strategy},
        "roles": {role for task in pool.tasks for role in task.roles},
    }
    if collection == "roles":
        assert [role.id for role in pool.roles] == ["renamed", "writer"]
    assert "renamed" in used[collection]
    assert name not in used[collection]


def test_roles_follow_the_new_name_of_a_task(db: Database) -> None:
    assign_endpoint(db, "coder", Assignment("a/m", tasks=("code", "math")))
    original = record_yaml(db, "tasks", "code")
    edited = original.replace("id: code", "id: programming")
    assert replace_from_yaml(db, "tasks", "code", edited, original=original)
    coder, writer = read_registry(db).roles
    assert coder.tasks == ("programming",)
    assert coder.assignments == (Assignment("a/m", tasks=("programming", "math")),)
    assert writer.tasks == ("write", "programming")


def test_a_scope_may_become_another_users(db: Database) -> None:
    original = record_yaml(db, "scopes", "app:helpdesk")
    edited = original.replace("app: helpdesk", "app: null").replace("user: null", "user: ann")
    assert replace_from_yaml(db, "scopes", "app:helpdesk", edited, original=original)
    assert read_registry(db).scopes == (Scope(user="ann", strategy="quality"),)


def test_a_record_cannot_take_the_name_of_another(db: Database) -> None:
    original = record_yaml(db, "roles", "writer")
    edited = original.replace("id: writer", "id: coder")
    with pytest.raises(InvalidDocument, match="role coder exists already"):
        replace_from_yaml(db, "roles", "writer", edited, original=original)


def assign_many(path: Path, start: object, endpoints: list[str]) -> None:
    start.wait()  # type: ignore[attr-defined]
    for endpoint in endpoints:
        with open_database(path) as db:
            assign_endpoint(db, "writer", Assignment(endpoint))


def test_two_processes_assigning_at_once_lose_no_edit(db: Database, path: Path) -> None:
    wanted = [f"{owner}/{number}" for owner in "xy" for number in range(25)]
    with db.transaction():
        for name in wanted:
            write_record(db, Endpoint(name, "m"))
    context = multiprocessing.get_context("fork")
    start = context.Barrier(2)
    editors = [
        context.Process(target=assign_many, args=(path, start, wanted[part : part + 25]))
        for part in (0, 25)
    ]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join(60)
    assert [editor.exitcode for editor in editors] == [0, 0]
    writer = get_record(db, "roles", "writer")
    assert isinstance(writer, Role)
    assert sorted(one.endpoint for one in writer.assignments) == sorted(wanted)


def test_the_strategy_in_force_by_default_cannot_be_removed(db: Database) -> None:
    add_record(db, Strategy("balanced"))
    with pytest.raises(RecordInUse, match="strategy balanced is the one in force"):
        remove_record(db, "strategies", "balanced")
