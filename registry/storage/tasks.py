"""Queries on task kinds and the roles that may do them."""

from __future__ import annotations

from rolecall.registry.core.entities import TaskKind
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.values import from_json, to_json


def read_tasks(db: Database) -> tuple[TaskKind, ...]:
    """Return all task kinds, sorted by id."""
    with db.snapshot():
        tasks = db.rows(
            "SELECT id, description, require, prefer, worth, examples FROM tasks ORDER BY id"
        )
        roles: dict[str, list[str]] = {}
        for task, role in db.rows("SELECT task, role FROM task_roles ORDER BY task, position"):
            roles.setdefault(task, []).append(role)
    return tuple(
        TaskKind(
            id=row[0],
            description=row[1],
            require=from_json(row[2]),
            prefer=from_json(row[3]),
            roles=tuple(roles.get(row[0], ())),
            worth=row[4],
            examples=from_json(row[5]),
        )
        for row in tasks
    )


def write_task(db: Database, task: TaskKind) -> None:
    """Insert the task kind, or replace the whole record of that id."""
    with db.transaction():
        db.run(
            """
            INSERT INTO tasks (id, description, require, prefer, worth, examples)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                description = excluded.description,
                require = excluded.require,
                prefer = excluded.prefer,
                worth = excluded.worth,
                examples = excluded.examples
            """,
            (
                task.id,
                task.description,
                to_json(task.require),
                to_json(task.prefer),
                task.worth,
                to_json(task.examples),
            ),
        )
        db.run("DELETE FROM task_roles WHERE task = ?", (task.id,))
        db.run_many(
            "INSERT INTO task_roles (task, position, role) VALUES (?, ?, ?)",
            ((task.id, position, role) for position, role in enumerate(task.roles)),
        )
