"""Take back the latest change of the registry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rolecall.registry.core.entities import Registry
from rolecall.registry.core.errors import RecordInUse, UsageError
from rolecall.registry.core.suggestions import NOUNS
from rolecall.registry.documents.document import from_plain
from rolecall.registry.editing.diff import Change, changes_between, records_of, with_records
from rolecall.registry.editing.edit import release_hint, rename, write_changes
from rolecall.registry.editing.references import dangling
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.edits import delete_edit, last_edit
from rolecall.registry.storage.registry import read_registry


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back: what it was, when it was made, and what that changed."""

    what: str
    at: str
    changes: tuple[Change, ...]


def undo_edit(db: Database, *, dry_run: bool = False) -> Undone:
    """Take back the latest change that was not taken back yet; only show it with `dry_run`.

    Records alone change: calls, outcomes and spending stay as they are. Raises UsageError where
    there is none, RecordInUse where something added since refers to what it would remove.
    """
    with db.rehearsal() if dry_run else db.transaction():
        edit = last_edit(db)
        if edit is None:
            raise UsageError("no change is left to undo", hint="rolecall registry restore FILE")
        start = read_registry(db)
        for collection, old, new in reversed(edit.before["renamed"]):
            rename(db, collection, new, old)
        now = read_registry(db)
        after = _without(now, edit.before["added"])
        records = edit.before["records"]
        after = with_records(
            after, [from_plain(name, plain) for name in records for plain in records[name]]
        )
        for one in dangling(after):
            raise RecordInUse(
                f"{NOUNS[one.target]} {one.name} cannot go again: {one.who} uses it",
                hint=release_hint(one.name, one),
            )
        write_changes(db, after, changes_between(now, after))
        delete_edit(db, edit.id)
        return Undone(edit.what, edit.at, changes_between(start, after))


def _without(registry: Registry, added: dict[Any, list[str]]) -> Registry:
    left: dict[str, Any] = {
        name: tuple(one for one in records_of(registry, name) if one.id not in ids)
        for name, ids in added.items()
    }
    return replace(registry, **left)
