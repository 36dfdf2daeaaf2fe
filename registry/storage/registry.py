"""The registry's content: read it as a whole, write or delete one record, list names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from rolecall.registry.core.entities import (
    Assignment,
    Collection,
    Endpoint,
    Model,
    Record,
    Registry,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.storage.codecs import bound, columns, from_rows, listed, to_row
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import forget_fits, read_judged_rows, write_judged_row

Entity = TypeVar("Entity", Model, Endpoint, Role, TaskKind, Strategy, Scope)

# In f-strings below stand only these names, a collection's, and those of records' fields.
_TABLES: dict[type, Collection] = {
    Model: "models",
    Endpoint: "endpoints",
    Role: "roles",
    TaskKind: "tasks",
    Strategy: "strategies",
    Scope: "scopes",
}
_IN_USE = {"judged_rows": "is_active = 1"}
# Evidence names endpoints without a foreign key, so that it outlives them. What an endpoint
# removed earlier left under the new name gives way.
_FOLLOW_ENDPOINT = (
    "UPDATE calls SET endpoint = ? WHERE endpoint = ?",
    "UPDATE outcomes SET endpoint = ? WHERE endpoint = ?",
    "UPDATE OR REPLACE endpoint_statistics SET endpoint = ? WHERE endpoint = ?",
    "UPDATE OR REPLACE endpoint_samples SET endpoint = ? WHERE endpoint = ?",
    "UPDATE OR REPLACE outcome_statistics SET endpoint = ? WHERE endpoint = ?",
)


def read_registry(db: Database, *, with_judged_rows: bool = False) -> Registry:
    """Return the registry as it is at one moment, without its judged rows unless asked for."""
    with db.snapshot():
        return Registry(
            revision=read_revision(db),
            models=_read(db, Model),
            endpoints=_read(db, Endpoint),
            roles=read_roles(db),
            tasks=_read_tasks(db),
            strategies=_read(db, Strategy),
            scopes=_read(db, Scope),
            judged_rows=read_judged_rows(db) if with_judged_rows else (),
        )


def read_revision(db: Database) -> int:
    """Return the number that grows with every change of the registry's content."""
    [(revision,)] = db.rows("SELECT value FROM meta WHERE key = 'revision'")
    return int(revision)


def read_collection(db: Database, collection: Collection) -> tuple[Record, ...]:
    """Return all records of one collection, sorted by id."""
    registry = read_registry(db, with_judged_rows=collection == "judged_rows")
    records: tuple[Record, ...] = getattr(registry, collection)
    return records


def read_roles(db: Database) -> tuple[Role, ...]:
    """Return all roles, sorted by id, with their assignments in the order given."""
    assignments: dict[str, list[Assignment]] = {}
    with db.snapshot():
        rows = db.rows(
            f"SELECT role, {listed(Assignment)} FROM assignments ORDER BY role, position"
        )
        for row, one in zip(rows, from_rows(Assignment, [row[1:] for row in rows]), strict=True):
            assignments.setdefault(row[0], []).append(one)
        return tuple(
            replace(role, assignments=tuple(assignments.get(role.id, ())))
            for role in _read(db, Role)
        )


def _read_tasks(db: Database) -> tuple[TaskKind, ...]:
    roles: dict[str, list[str]] = {}
    for task, role in db.rows("SELECT task, role FROM task_roles ORDER BY task, position"):
        roles.setdefault(task, []).append(role)
    return tuple(replace(task, roles=tuple(roles.get(task.id, ()))) for task in _read(db, TaskKind))


def _read(db: Database, kind: type[Entity]) -> tuple[Entity, ...]:
    rows = db.rows(f"SELECT {listed(kind)} FROM {_TABLES[kind]} ORDER BY id")
    return from_rows(kind, rows)


def write_record(db: Database, record: Record) -> None:
    """Insert the record, or replace the whole record of that id. Grows the revision.

    A price, profile or data policy that says nothing is read back as unknown.
    """
    with db.transaction():
        if isinstance(record, JudgedRow):
            write_judged_row(db, record)
        else:
            _write(db, record)
        if isinstance(record, Role):
            _write_assignments(db, record)
        elif isinstance(record, TaskKind):
            _write_task_roles(db, record)
        db.touch()


def _write(db: Database, record: Any) -> None:
    kind = type(record)
    excluded = ", ".join(f"excluded.{name}" for name in columns(kind))
    row = to_row(record)
    # A scope's id is put together from its fields.
    id_column, id_value = ("", "") if "id" in row else ("id, ", ":id, ")
    db.run(
        f"""
        INSERT INTO {_TABLES[kind]} ({id_column}{listed(kind)}) VALUES ({id_value}{bound(kind)})
        ON CONFLICT (id) DO UPDATE SET ({listed(kind)}) = ({excluded})
        """,
        {"id": record.id, **row},
    )


def _write_assignments(db: Database, role: Role) -> None:
    db.run("DELETE FROM assignments WHERE role = ?", (role.id,))
    db.run_many(
        f"""
        INSERT INTO assignments (role, position, {listed(Assignment)})
        VALUES (:role, :position, {bound(Assignment)})
        """,
        (
            {"role": role.id, "position": position, **to_row(one)}
            for position, one in enumerate(role.assignments)
        ),
    )


def _write_task_roles(db: Database, task: TaskKind) -> None:
    db.run("DELETE FROM task_roles WHERE task = ?", (task.id,))
    db.run_many(
        "INSERT INTO task_roles (task, position, role) VALUES (?, ?, ?)",
        ((task.id, position, role) for position, role in enumerate(task.roles)),
    )


def delete_record(db: Database, collection: Collection, record_id: str) -> bool:
    """Delete the record; return whether it was there. Grows the revision."""
    in_use = _IN_USE.get(collection, "true")
    with db.transaction():
        if collection == "judged_rows":
            forget_fits(db)
        is_there = db.run(f"DELETE FROM {collection} WHERE id = ? AND {in_use}", (record_id,)) > 0
        if is_there:
            db.touch()
    return is_there


def rename_record(db: Database, collection: Collection, old: str, new: str) -> None:
    """Give a record another id; what refers to it follows, evidence too. Not for scopes."""
    with db.transaction():
        db.run(f"UPDATE {collection} SET id = ? WHERE id = ?", (new, old))
        for follow in _FOLLOW_ENDPOINT if collection == "endpoints" else ():
            db.run(follow, (new, old))
        db.touch()


def names(db: Database, collection: Collection) -> tuple[str, ...]:
    """Return the ids of one collection, sorted."""
    in_use = _IN_USE.get(collection, "true")
    rows = db.rows(f"SELECT id FROM {collection} WHERE {in_use} ORDER BY id")
    return tuple(row[0] for row in rows)
