"""What every group of records has in common: its list, and the commands show, edit and remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column, print_json, print_table, print_text
from rolecall.cli.render.output import note as say
from rolecall.registry.core.suggestions import NOUNS

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Collection, Record

Names = list[str] | None
RequireOption = Annotated[
    Names,
    typer.Option(metavar="CAPABILITY", help="A capability every endpoint must have; repeatable."),
]
PreferOption = Annotated[
    Names, typer.Option(metavar="CAPABILITY", help="A capability it prefers; repeatable.")
]
StarterOption = Annotated[
    bool, typer.Option("--starter", help="Bring back the one that a new registry has.")
]


def list_collection(
    collection: Collection,
    columns: Sequence[Column],
    row: Callable[[Any], Sequence[str]],
    registry: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print every record of a collection, sorted by id."""
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import read_content
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        records: tuple[Any, ...] = getattr(read_content(db), collection)
    if as_json:
        print_json({collection: [to_plain(record) for record in records]})
    else:
        print_rows(collection, columns, [row(record) for record in records])


def print_rows(
    collection: Collection, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Print a collection as a table; say on stderr where there is nothing."""
    if rows:
        print_table(columns, rows)
    else:
        say(f"no {collection} yet; see rolecall {collection} add --help")


@dataclass(frozen=True, slots=True)
class RecordHelp:
    """What help texts say of one collection: ids to show and remove, and a way to edit.

    `completion` knows all ids. `edit_note` is a sentence on editing; `unless` says which records
    may be removed.
    """

    completion: Callable[[typer.Context, str], list[str]]
    show: tuple[str, str]
    edit: str
    remove: str
    edit_note: str = ""
    unless: str = ""


def add_record_commands(app: typer.Typer, collection: Collection, texts: RecordHelp) -> None:
    """Add the commands `show`, `edit` and `remove` to a collection's group."""
    noun, command = NOUNS[collection], f"rolecall {collection}"
    argument = typer.Argument(
        metavar=noun.upper(), help=f"The {noun}'s id.", autocompletion=texts.completion
    )
    one, other = texts.show
    shown = _help(
        f"Print one {noun} as YAML.", f"{command} show {one}", f"{command} show {other} --json"
    )
    note = f"\n\n{texts.edit_note}" if texts.edit_note else ""
    edited = _help(
        f"Edit one {noun} in $EDITOR, as YAML.{note}", f"{command} edit {one}", texts.edit
    )
    removal = f"{command} remove {texts.remove}"
    unless = f" {texts.unless}" if texts.unless else ""
    removed = _help(f"Remove one {noun}{unless}.", removal, "rolecall registry undo")

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
        from rolecall.registry.editing.edit import remove_record
        from rolecall.registry.editing.open import open_registry

        with open_registry(registry) as db:
            remove_record(db, collection, record_id)
        print_outcome(f"removed {noun} {record_id}", {"removed": record_id}, as_json=as_json)
        say("to bring it back: rolecall registry undo")


def _help(text: str, *examples: str) -> str:
    return "\n".join([text, "", "\b", "Examples:", *(f"  {one}" for one in examples)])


def show_record(
    collection: Collection, record_id: str, registry: Path | None, *, as_json: bool
) -> None:
    """Print one record as the YAML that `edit` opens, or as a JSON object of the same keys."""
    from rolecall.registry.documents.document import dump_record
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import get_record
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        record = get_record(db, collection, record_id)
    if as_json:
        print_json(to_plain(record))
    else:
        print_text(dump_record(record))


def edit_record(
    collection: Collection, record_id: str, registry: Path | None, *, as_json: bool
) -> None:
    """Open one record in the person's editor and keep what comes back, if it is valid."""
    from rolecall.cli.input.editor import edit_text
    from rolecall.registry.editing.edit import record_yaml, replace_from_yaml
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        seen = [record_yaml(db, collection, record_id)]

        def apply(text: str) -> bool:
            return replace_from_yaml(db, collection, record_id, text, original=seen[-1])

        def reread() -> str:
            seen.append(record_yaml(db, collection, record_id))
            return seen[-1]

        changed = edit_text(seen[0], name=record_id, apply=apply, reread=reread)
    text = f"changed {NOUNS[collection]} {record_id}" if changed else "nothing changed"
    print_outcome(text, {"id": record_id, "changed": changed}, as_json=as_json)


def add_stated(
    collection: Collection,
    facts: Mapping[str, Any],
    registry: Path | None,
    *,
    is_starter: bool = False,
    as_json: bool,
) -> None:
    """Add the record of the facts that were typed, and say so."""
    from rolecall.registry.editing.add import add_facts
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        added = add_facts(db, collection, given(facts), is_starter=is_starter)
    report_added(collection, added, as_json=as_json)


def report_added(collection: Collection, record: Record, *, as_json: bool) -> None:
    """Say which record was added, or print it whole as JSON."""
    from rolecall.registry.documents.fields import to_plain

    print_outcome(f"added {NOUNS[collection]} {record.id}", to_plain(record), as_json=as_json)


def print_outcome(text: str, value: Mapping[str, Any], *, as_json: bool) -> None:
    """Say what was done, or print it as a JSON object."""
    if as_json:
        print_json(value)
    else:
        print_text(text)


def given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return only the facts that were typed."""
    return {name: value for name, value in facts.items() if value is not None}


def words(names: Sequence[str]) -> str:
    """Return a list cell: names, or a dash where there are none."""
    return ", ".join(names) or "–"
