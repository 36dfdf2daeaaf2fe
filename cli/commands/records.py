"""What every group of records has in common: its list, and the commands show, edit and remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column, note, print_json, print_table, print_text

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Record

Names = list[str] | None
RequireOption = Annotated[
    Names,
    typer.Option(metavar="CAPABILITY", help="A capability every endpoint must have; repeatable."),
]
PreferOption = Annotated[
    Names, typer.Option(metavar="CAPABILITY", help="A capability it prefers; repeatable.")
]
Collection = Literal["models", "endpoints", "roles", "tasks", "strategies"]
NOUNS: Mapping[Collection, str] = {
    "models": "model",
    "endpoints": "endpoint",
    "roles": "role",
    "tasks": "task",
    "strategies": "strategy",
}


def read_records(collection: Collection, registry: Path | None) -> Sequence[Any]:
    """Return every record of a collection, sorted by id."""
    from rolecall.registry.editing.edit import list_records
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        return list_records(db, collection)


def print_records(
    collection: Collection,
    records: Sequence[Record],
    columns: Sequence[Column],
    row: Callable[[Any], Sequence[str]],
    *,
    as_json: bool,
) -> None:
    """Print a collection as a table or as JSON; say on stderr where there is nothing."""
    from rolecall.registry.documents.document import to_plain

    if as_json:
        print_json({collection: [to_plain(record) for record in records]})
    elif records:
        print_table(columns, [row(record) for record in records])
    else:
        note(f"no {collection} yet; see rolecall {collection} add --help")


@dataclass(frozen=True, slots=True)
class RecordHelp:
    """What help texts say of one collection: ids to show and remove, and ways to edit.

    A record is `called` by its name or id, and `completion` knows them all. `edit_note` is a
    sentence on editing; `unless` says which records may be removed.
    """

    called: str
    completion: Callable[[typer.Context, str], list[str]]
    show: tuple[str, str]
    edit: tuple[str, str]
    remove: str
    edit_note: str = ""
    unless: str = ""


def add_record_commands(app: typer.Typer, collection: Collection, texts: RecordHelp) -> None:
    """Add the commands `show`, `edit` and `remove` to a collection's group."""
    noun, command = NOUNS[collection], f"rolecall {collection}"
    argument = typer.Argument(
        metavar=noun.upper(),
        help=f"The {noun}'s {texts.called}.",
        autocompletion=texts.completion,
    )
    one, other = texts.show
    shown = _help(
        f"Print one {noun} as YAML.", f"{command} show {one}", f"{command} show {other} --json"
    )
    note = f"\n\n{texts.edit_note}" if texts.edit_note else ""
    edited = _help(f"Edit one {noun} in $EDITOR, as YAML.{note}", *texts.edit)
    removal = f"{command} remove {texts.remove}"
    unless = f" {texts.unless}" if texts.unless else ""
    removed = _help(f"Remove one {noun}{unless}.", removal, f"{removal} --json")

    @app.command(help=shown)
    def show(
        record_id: str = argument, registry: RegistryOption = None, as_json: JsonOption = False
    ) -> None:
        show_record(collection, record_id, registry, as_json=as_json)

    @app.command(help=edited)
    def edit(
        record_id: str = argument, registry: RegistryOption = None, as_json: JsonOption = False
    ) -> None:
        edit_record(collection, record_id, registry, as_json=as_json)

    @app.command(help=removed)
    def remove(
        record_id: str = argument, registry: RegistryOption = None, as_json: JsonOption = False
    ) -> None:
        remove_record_named(collection, record_id, registry, as_json=as_json)


def _help(text: str, *examples: str) -> str:
    return "\n".join([text, "", "\b", "Examples:", *(f"  {one}" for one in examples)])


def show_record(
    collection: Collection, record_id: str, registry: Path | None, *, as_json: bool
) -> None:
    """Print one record as the YAML that `edit` opens, or as a JSON object of the same keys."""
    from rolecall.registry.documents.document import dump_record, to_plain
    from rolecall.registry.editing.edit import get_record
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        record = get_record(db, collection, record_id)
    if as_json:
        print_json(to_plain(record))
    else:
        print_text(dump_record(record))


def report_added(record: Record, *, as_json: bool) -> None:
    """Say which record was added, or print it whole as JSON."""
    from rolecall.registry.documents.document import collection_of, to_plain
    from rolecall.registry.editing.references import NOUNS

    if as_json:
        print_json(to_plain(record))
    else:
        print_text(f"added {NOUNS[collection_of(record)]} {record.id}")


def edit_record(
    collection: Collection, record_id: str, registry: Path | None, *, as_json: bool
) -> None:
    """Open one record in the person's editor and keep what comes back, if it is valid."""
    from rolecall.cli.input.editor import edit_text
    from rolecall.registry.editing.edit import record_yaml, replace_from_yaml
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        original = record_yaml(db, collection, record_id)
    seen = [original]

    def apply(text: str) -> bool:
        with open_registry(registry) as db:
            return replace_from_yaml(db, collection, record_id, text, original=seen[-1])

    def reread() -> str:
        with open_registry(registry) as db:
            seen.append(record_yaml(db, collection, record_id))
        return seen[-1]

    changed = edit_text(original, name=record_id, apply=apply, reread=reread)
    if as_json:
        print_json({"id": record_id, "changed": changed})
    else:
        print_text(f"changed {NOUNS[collection]} {record_id}" if changed else "nothing changed")


def remove_record_named(
    collection: Collection, record_id: str, registry: Path | None, *, as_json: bool
) -> None:
    """Remove one record that no other refers to."""
    from rolecall.registry.editing.edit import remove_record
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        remove_record(db, collection, record_id)
    if as_json:
        print_json({"removed": record_id})
    else:
        print_text(f"removed {NOUNS[collection]} {record_id}")


def given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return only the facts that were typed, lists as the tuples that records hold."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in facts.items()
        if value is not None
    }


def words(names: Sequence[str]) -> str:
    """Return a list cell: names, or a dash where there are none."""
    return ", ".join(names) or "–"
