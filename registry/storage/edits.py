"""The latest changes of the registry's records, each with what was there before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rolecall.registry.storage.connection import Database

MOST_EDITS = 50


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: when it was made, what it was in words, and how to undo it, as JSON.

    `before` holds `records` as they were and the ids of those `added`, each by collection, and
    each one `renamed` as [collection, old id, new id].
    """

    at: str
    what: str
    before: dict[str, Any]
    id: int = 0


def insert_edit(db: Database, edit: Edit) -> None:
    """Store a change; only the latest 50 are kept."""
    before = json.dumps(edit.before, ensure_ascii=False)
    db.run("INSERT INTO edits (at, what, before) VALUES (?, ?, ?)", (edit.at, edit.what, before))
    db.run(
        "DELETE FROM edits WHERE id <= (SELECT max(id) FROM edits) - :most", {"most": MOST_EDITS}
    )


def last_edit(db: Database) -> Edit | None:
    """Return the latest change that was not undone; null where there is none."""
    rows = db.rows("SELECT at, what, before, id FROM edits ORDER BY id DESC LIMIT 1")
    return Edit(rows[0][0], rows[0][1], json.loads(rows[0][2]), rows[0][3]) if rows else None


def delete_edit(db: Database, edit_id: int) -> None:
    """Forget a change."""
    db.run("DELETE FROM edits WHERE id = ?", (edit_id,))
