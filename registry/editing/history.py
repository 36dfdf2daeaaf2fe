"""Keep what each change of the registry replaced, so that it can be undone."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from rolecall.registry.core.clock import stamp, utc_now
from rolecall.registry.core.entities import Collection
from rolecall.registry.documents.fields import to_plain
from rolecall.registry.editing.diff import Change, changes_between, records_of
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.edits import Edit, insert_edit
from rolecall.registry.storage.registry import read_registry

Renames = list[tuple[Collection, str, str]]


@contextmanager
def recorded(db: Database, what: str) -> Generator[Renames]:
    """Hold a transaction and store what it changes; inside another one, join that.

    What is renamed inside is added to the list that is yielded. Judged rows are not stored.
    """
    renamed: Renames = []
    if db.is_in_transaction:
        yield renamed
        return
    with db.transaction():
        before = read_registry(db)
        yield renamed
        changes = changes_between(before, read_registry(db))
        if changes:
            records: dict[Collection, list[dict[str, Any]]] = {}
            for one in changes:
                if one.kind != "add":
                    found = {each.id: each for each in records_of(before, one.collection)}
                    records.setdefault(one.collection, []).append(to_plain(found[one.id]))
            document = {"records": records, "added": _added(changes), "renamed": renamed}
            insert_edit(db, Edit(stamp(utc_now()), what, document))


def _added(changes: tuple[Change, ...]) -> dict[Collection, list[str]]:
    added: dict[Collection, list[str]] = {}
    for one in changes:
        if one.kind == "add":
            added.setdefault(one.collection, []).append(one.id)
    return added
