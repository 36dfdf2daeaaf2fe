"""Queries on roles and the endpoints assigned to them."""

from __future__ import annotations

from rolecall.registry.core.entities import Assignment, Role
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.values import from_json, to_json


def read_roles(db: Database) -> tuple[Role, ...]:
    """Return all roles, sorted by id, with their assignments in the order given."""
    with db.snapshot():
        roles = db.rows(
            """
            SELECT id, description, tasks, require, prefer, forbid, strategy, worth, examples
            FROM roles ORDER BY id
            """
        )
        assignments = _assignments_by_role(db)
    return tuple(
        Role(
            id=row[0],
            description=row[1],
            tasks=from_json(row[2]),
            require=from_json(row[3]),
            prefer=from_json(row[4]),
            forbid=from_json(row[5]),
            strategy=row[6],
            worth=row[7],
            examples=from_json(row[8]),
            assignments=tuple(assignments.get(row[0], ())),
        )
        for row in roles
    )


def _assignments_by_role(db: Database) -> dict[str, list[Assignment]]:
    found: dict[str, list[Assignment]] = {}
    for role, endpoint, status, tasks, capabilities in db.rows(
        """
        SELECT role, endpoint, status, tasks, capabilities
        FROM assignments ORDER BY role, position
        """
    ):
        found.setdefault(role, []).append(
            Assignment(endpoint, status, from_json(tasks), from_json(capabilities))
        )
    return found


def write_role(db: Database, role: Role) -> None:
    """Insert the role, or replace the whole record of that id, assignments included."""
    with db.transaction():
        db.run(
            """
            INSERT INTO roles (id, description, tasks, require, prefer, forbid, strategy, worth,
                examples)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                description = excluded.description,
                tasks = excluded.tasks,
                require = excluded.require,
                prefer = excluded.prefer,
                forbid = excluded.forbid,
                strategy = excluded.strategy,
                worth = excluded.worth,
                examples = excluded.examples
            """,
            (
                role.id,
                role.description,
                to_json(role.tasks),
                to_json(role.require),
                to_json(role.prefer),
                to_json(role.forbid),
                role.strategy,
                role.worth,
                to_json(role.examples),
            ),
        )
        db.run("DELETE FROM assignments WHERE role = ?", (role.id,))
        db.run_many(
            """
            INSERT INTO assignments (role, position, endpoint, status, tasks, capabilities)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (
                (role.id, position, a.endpoint, a.status, to_json(a.tasks), to_json(a.capabilities))
                for position, a in enumerate(role.assignments)
            ),
        )
