"""Change the registry by hand: every use-case is one transaction, with references checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolecall.registry.core.entities import (
    Assignment,
    Collection,
    Endpoint,
    Record,
    Registry,
    Role,
)
from rolecall.registry.core.errors import (
    InvalidDocument,
    RecordChanged,
    RecordExists,
    RecordInUse,
    UnknownRecord,
)
from rolecall.registry.core.suggestions import NOUNS, choices_hint, named, unknown
from rolecall.registry.documents.document import (
    Document,
    checked,
    collection_of,
    dump_record,
    dump_registry,
    parse_document,
    parse_record,
)
from rolecall.registry.documents.source import join
from rolecall.registry.editing.diff import (
    Change,
    changes_between,
    merged,
    records_of,
    with_records,
)
from rolecall.registry.editing.exposure import with_exposures
from rolecall.registry.editing.history import recorded
from rolecall.registry.editing.references import Reference, dangling, users_of
from rolecall.registry.policy.layers import DEFAULT_STRATEGY
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import (
    delete_record,
    names,
    read_collection,
    read_registry,
    read_roles,
    rename_record,
    write_record,
)

_WRITE_ORDER: tuple[Collection, ...] = (
    "models",
    "endpoints",
    "strategies",
    "roles",
    "tasks",
    "scopes",
    "judged_rows",
)


def read_content(db: Database, *, with_judged_rows: bool = False) -> Registry:
    """Return the registry's records as they are at one moment, each collection sorted by id."""
    return read_registry(db, with_judged_rows=with_judged_rows)


def get_record(db: Database, collection: Collection, record_id: str) -> Record:
    """Return one record. Raises UnknownRecord with the names that come near."""
    return named(read_collection(db, collection), NOUNS[collection], record_id)


def add_record(db: Database, record: Record) -> Record:
    """Add a new record and return it as stored, with empty fields filled in.

    Raises RecordExists, InvalidDocument for a value that no document could hold, UnknownRecord
    for a reference to a record that is not there.
    """
    record, collection = checked(record), collection_of(record)
    with recorded(db, f"added {NOUNS[collection]} {record.id}"):
        if record.id in names(db, collection):
            raise RecordExists(
                f"{NOUNS[collection]} {record.id} exists already",
                hint=f"rolecall {collection} edit {record.id}",
            )
        _write_checked(db, record)
    return record


def remove_record(db: Database, collection: Collection, record_id: str) -> None:
    """Remove one record. Raises UnknownRecord, or RecordInUse naming who refers to it."""
    with recorded(db, f"removed {NOUNS[collection]} {record_id}"):
        get_record(db, collection, record_id)
        if collection == "strategies" and record_id == DEFAULT_STRATEGY:
            raise RecordInUse(
                f"strategy {record_id} is the one in force where no other is named",
                hint=f"rolecall strategies edit {record_id}",
            )
        users = users_of(read_registry(db), collection, record_id)
        if users:
            raise RecordInUse(
                f"{NOUNS[collection]} {record_id} is used by {_in_short(users)}",
                hint=release_hint(record_id, users[0]),
            )
        delete_record(db, collection, record_id)


def record_yaml(db: Database, collection: Collection, record_id: str) -> str:
    """Return one record as YAML with all its keys, for a person to edit."""
    return dump_record(get_record(db, collection, record_id))


def replace_from_yaml(
    db: Database, collection: Collection, record_id: str, text: str, *, original: str
) -> bool:
    """Replace a record by the edited `text`; return whether that changed anything.

    `original` is the text that editing began from: when the stored record is no longer that,
    RecordChanged is raised and nothing is written. Another id in the text renames the record,
    and what refers to it follows.
    """
    document = parse_record(collection, text, f"{record_id}.yaml")
    record = document.entries[0].record
    with recorded(db, f"edited {NOUNS[collection]} {record_id}") as renamed:
        stored = {one.id: one for one in read_collection(db, collection)}
        before = stored.get(record_id)
        if before is None or dump_record(before) != original:
            what = "was changed" if record_id in stored else "was removed"
            raise RecordChanged(
                f"{NOUNS[collection]} {record_id} {what} by someone else meanwhile",
                hint=f"rolecall {collection} edit {record_id}",
            )
        if record == before:
            return False
        if record.id != record_id:
            if record.id in stored:
                message = f"{NOUNS[collection]} {record.id} exists already"
                raise document.refusal("id", message, "choose another id")
            rename(db, collection, record_id, record.id)
            renamed.append((collection, record_id, record.id))
        _write_checked(db, record, document)
    return True


def assign_endpoint(db: Database, role: str, assignment: Assignment) -> Role:
    """Assign an endpoint to a role, or replace its assignment in place; return the role.

    Raises UnknownRecord for a role or endpoint that is not there.
    """
    with recorded(db, f"assigned {assignment.endpoint} to role {role}"):
        before = named(read_roles(db), "role", role)
        endpoints = [one.endpoint for one in before.assignments]
        assignments = (
            tuple(
                assignment if one.endpoint == assignment.endpoint else one
                for one in before.assignments
            )
            if assignment.endpoint in endpoints
            else (*before.assignments, assignment)
        )
        after = checked(replace(before, assignments=assignments))
        if not isinstance(after, Role) or after == before:
            return before
        _write_checked(db, after)
    return after


def unassign_endpoint(db: Database, role: str, endpoint: str) -> Role:
    """Take an endpoint's assignment from a role and return the role. Raises UnknownRecord."""
    with recorded(db, f"unassigned {endpoint} from role {role}"):
        before = named(read_roles(db), "role", role)
        assigned = [one.endpoint for one in before.assignments]
        if endpoint not in assigned:
            hint = choices_hint(endpoint, assigned) if assigned else f"rolecall roles show {role}"
            raise UnknownRecord(f"{endpoint} is not assigned to role {role}", hint=hint)
        rest = tuple(one for one in before.assignments if one.endpoint != endpoint)
        after = replace(before, assignments=rest)
        write_record(db, after)
    return after


def apply_document(
    db: Database, text: str, filename: str, *, dry_run: bool = False, prune: bool = False
) -> tuple[Change, ...]:
    """Make the registry hold the document's records; return what that changes.

    A record in the document is the whole record. Records that it does not name stay; with
    `prune` those in the sections that it names are removed. All or nothing; nothing at all with
    `dry_run`. Raises InvalidDocument, or RecordInUse when pruning would leave a name dangling.
    """
    document = parse_document(text, filename)
    with db.snapshot() if dry_run else recorded(db, f"applied {filename}"):
        before = read_registry(db, with_judged_rows=True)
        after, changes = planned(before, document, prune=prune)
        if not dry_run:
            write_changes(db, after, changes)
    return changes


def planned(
    before: Registry, document: Document, *, prune: bool
) -> tuple[Registry, tuple[Change, ...]]:
    """Return what a document makes of a registry, and the changes; raises as apply_document."""
    after = with_records(merged(before, document, prune=prune), _with_tiers(document))
    lost = dangling(after)
    if lost:
        raise _dangling_error(after, document, lost)
    return after, with_exposures(before, after, changes_between(before, after))


def _with_tiers(document: Document) -> list[Endpoint]:
    """Return the endpoints of a document that says nothing of tiers, with those of the catalog."""
    lines = document.source.lines
    untold = [
        entry.record
        for entry in document.entries
        if isinstance(entry.record, Endpoint)
        and entry.record.price is not None
        and entry.record.price.source is not None
        and join(entry.path, "price.tiers") not in lines
    ]
    if not untold:
        return []
    from rolecall.registry.catalog.models_dev import with_listed_prices  # takes 0.1 s

    return [with_listed_prices(endpoint) for endpoint in untold]


def complete_prices(db: Database) -> None:
    """Add to prices that came from the catalog what it lists of tiers and of audio."""
    from rolecall.registry.catalog.models_dev import with_listed_prices

    before = read_registry(db)
    after = with_records(before, [with_listed_prices(one) for one in before.endpoints])
    write_changes(db, after, changes_between(before, after))


def write_changes(db: Database, after: Registry, changes: Sequence[Change]) -> None:
    """Write changes that lead to the registry `after`, references before what refers to them."""
    written = {(one.collection, one.id) for one in changes if one.kind != "remove"}
    with db.transaction():
        for collection in _WRITE_ORDER:
            for record in records_of(after, collection):
                if (collection, record.id) in written:
                    write_record(db, record)
        for collection in reversed(_WRITE_ORDER):
            for change in changes:
                if change.kind == "remove" and change.collection == collection:
                    delete_record(db, collection, change.id)


def write_registry(db: Database, registry: Registry) -> None:
    """Write a whole registry where there is nothing yet."""
    write_changes(db, registry, changes_between(Registry(0), registry))


def export_document(db: Database) -> str:
    """Return the whole registry as one YAML document; the same content, the same bytes."""
    return dump_registry(read_registry(db, with_judged_rows=True))


def _write_checked(db: Database, record: Record, document: Document | None = None) -> None:
    """Write a record after checking what it refers to; a document gives the error its line."""
    after = with_records(read_registry(db), [record])
    lost = dangling(after)
    if lost and document is not None:
        raise _dangling_error(after, document, lost)
    if lost:
        known = [one.id for one in records_of(after, lost[0].target)]
        raise unknown(NOUNS[lost[0].target], lost[0].name, known)
    write_record(db, record)


def rename(db: Database, collection: Collection, old: str, new: str) -> None:
    """Give a record another id, and what refers to it; a scope is only removed."""
    if collection == "scopes":
        delete_record(db, collection, old)
        return
    rename_record(db, collection, old, new)
    if collection == "tasks":
        for role in read_roles(db):
            follower = _with_task_renamed(role, old, new)
            if follower != role:
                write_record(db, follower)


def _with_task_renamed(role: Role, old: str, new: str) -> Role:
    """Return the role with a task's new name: tasks are named freely, no foreign key follows."""

    def renamed(tasks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(new if task == old else task for task in tasks))

    return replace(
        role,
        tasks=renamed(role.tasks),
        assignments=tuple(replace(one, tasks=renamed(one.tasks)) for one in role.assignments),
    )


def _dangling_error(
    after: Registry, document: Document, lost: tuple[Reference, ...]
) -> InvalidDocument | RecordInUse:
    """Return the error for the dangling name that comes first in the document."""
    places = {(one.collection, one.record.id): one.path for one in document.entries}
    inside: list[tuple[int, str, Reference]] = []
    for one in lost:
        place = places.get((one.collection, one.owner))
        if place is not None:
            path = f"{place}.{one.path}" if place else one.path
            inside.append((document.source.lines.get(path, 0), path, one))
    if not inside:
        one = lost[0]
        return RecordInUse(
            f"{document.source.filename}: pruning would remove {NOUNS[one.target]} {one.name}, "
            f"which {one.who} uses",
            hint=f"describe {one.name} in the file too, or apply it without --prune",
        )
    _, path, one = min(inside, key=lambda found: found[0])
    known = [record.id for record in records_of(after, one.target)]
    message = f'no {NOUNS[one.target]} is named "{one.name}"'
    return document.refusal(path, message, choices_hint(one.name, known))


def _in_short(users: Sequence[Reference]) -> str:
    more = f" and {len(users) - 3} more" if len(users) > 3 else ""
    return ", ".join(user.who for user in users[:3]) + more


def release_hint(record_id: str, user: Reference) -> str:
    """Return what to type so that `user` no longer refers to a record."""
    if user.target == "endpoints":
        return f"rolecall roles unassign {user.owner} {record_id}"
    if user.collection == "scopes":
        return f"change {user.who} in a file and give it to: rolecall registry apply FILE"
    return f"rolecall {user.collection} edit {user.owner}"
