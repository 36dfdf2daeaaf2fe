"""The registry's content as a whole: read it, write or delete one record, list names."""

from __future__ import annotations

from typing import assert_never

from rolecall.registry.core.entities import (
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
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.endpoints import read_endpoints, write_endpoint
from rolecall.registry.storage.judged_rows import forget_fits, read_judged_rows, write_judged_row
from rolecall.registry.storage.models import read_models, write_model
from rolecall.registry.storage.roles import read_roles, write_role
from rolecall.registry.storage.scopes import read_scopes, write_scope
from rolecall.registry.storage.strategies import read_strategies, write_strategy
from rolecall.registry.storage.tasks import read_tasks, write_task

_NAMES: dict[Collection, str] = {
    "models": "SELECT id FROM models ORDER BY id",
    "endpoints": "SELECT id FROM endpoints ORDER BY id",
    "roles": "SELECT id FROM roles ORDER BY id",
    "tasks": "SELECT id FROM tasks ORDER BY id",
    "strategies": "SELECT id FROM strategies ORDER BY id",
    "scopes": "SELECT id FROM scopes ORDER BY id",
    "judged_rows": "SELECT id FROM judged_rows WHERE is_active = 1 ORDER BY id",
}
_DELETE: dict[Collection, str] = {
    "models": "DELETE FROM models WHERE id = ?",
    "endpoints": "DELETE FROM endpoints WHERE id = ?",
    "roles": "DELETE FROM roles WHERE id = ?",
    "tasks": "DELETE FROM tasks WHERE id = ?",
    "strategies": "DELETE FROM strategies WHERE id = ?",
    "scopes": "DELETE FROM scopes WHERE id = ?",
    "judged_rows": "DELETE FROM judged_rows WHERE is_active = 1 AND id = ?",
}
_RENAME: dict[Collection, str] = {
    "models": "UPDATE models SET id = ? WHERE id = ?",
    "endpoints": "UPDATE endpoints SET id = ? WHERE id = ?",
    "roles": "UPDATE roles SET id = ? WHERE id = ?",
    "tasks": "UPDATE tasks SET id = ? WHERE id = ?",
    "strategies": "UPDATE strategies SET id = ? WHERE id = ?",
}
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
            models=read_models(db),
            endpoints=read_endpoints(db),
            roles=read_roles(db),
            tasks=read_tasks(db),
            strategies=read_strategies(db),
            scopes=read_scopes(db),
            judged_rows=read_judged_rows(db) if with_judged_rows else (),
        )


def read_revision(db: Database) -> int:
    """Return the number that grows with every change of the registry's content."""
    [(revision,)] = db.rows("SELECT value FROM meta WHERE key = 'revision'")
    return int(revision)


def read_collection(db: Database, collection: Collection) -> tuple[Record, ...]:
    """Return all records of one collection, sorted by id."""
    match collection:
        case "models":
            return read_models(db)
        case "endpoints":
            return read_endpoints(db)
        case "roles":
            return read_roles(db)
        case "tasks":
            return read_tasks(db)
        case "strategies":
            return read_strategies(db)
        case "scopes":
            return read_scopes(db)
        case "judged_rows":
            return read_judged_rows(db)
    assert_never(collection)


def write_record(db: Database, record: Record) -> None:
    """Insert the record, or replace the whole record of that id. Grows the revision."""
    with db.transaction():
        match record:
            case Model():
                write_model(db, record)
            case Endpoint():
                write_endpoint(db, record)
            case Role():
                write_role(db, record)
            case TaskKind():
                write_task(db, record)
            case Strategy():
                write_strategy(db, record)
            case Scope():
                write_scope(db, record)
            case JudgedRow():
                write_judged_row(db, record)
        db.touch()


def delete_record(db: Database, collection: Collection, record_id: str) -> bool:
    """Delete the record; return whether it was there. Grows the revision."""
    with db.transaction():
        if collection == "judged_rows":
            forget_fits(db)
        is_there = db.run(_DELETE[collection], (record_id,)) > 0
        if is_there:
            db.touch()
    return is_there


def rename_record(db: Database, collection: Collection, old: str, new: str) -> None:
    """Give a record another id; what refers to it follows, evidence too. Not for scopes."""
    with db.transaction():
        db.run(_RENAME[collection], (new, old))
        for follow in _FOLLOW_ENDPOINT if collection == "endpoints" else ():
            db.run(follow, (new, old))
        db.touch()


def names(db: Database, collection: Collection) -> tuple[str, ...]:
    """Return the ids of one collection, sorted."""
    return tuple(row[0] for row in db.rows(_NAMES[collection]))
