"""`rolecall registry`: the whole registry as one file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.input.files import MAX_DOCUMENT_BYTES, read_text, shown_name
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.files import write_text
from rolecall.cli.render.output import json_text, note, print_json, print_text
from rolecall.registry.core.errors import ExitCode, InvalidDocument

if TYPE_CHECKING:
    from rolecall.registry.editing.diff import Change

MARKS = {"add": "+", "change": "~", "remove": "-"}

app = typer.Typer(help="Export, apply, undo, check or back up the registry.")


@app.command()
def path(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """Print where the registry file is.

    \b
    Examples:
      rolecall registry path
      ls -l "$(rolecall registry path)"
    """
    from rolecall.registry.editing.open import registry_path

    place = registry_path(registry)
    if as_json:
        print_json({"path": str(place), "exists": os.path.exists(place)})  # noqa: PTH110
    else:
        print_text(str(place))


@app.command()
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE instead.")
    ] = None,
    starter: Annotated[
        bool, typer.Option("--starter", help="Print what a new registry begins with instead.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the whole registry as one YAML document.

    The same registry always gives the same bytes.

    \b
    Examples:
      rolecall registry export > registry.yaml
      rolecall registry export -o registry.yaml
      rolecall registry export --starter | rolecall registry diff -
    """
    from rolecall.registry.documents.document import COLLECTIONS
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import export_document, read_content
    from rolecall.registry.editing.open import open_registry, open_starter

    with open_starter() if starter else open_registry(registry) as db:
        if as_json:
            content = read_content(db, with_judged_rows=True)
            records = {name: getattr(content, name) for name in COLLECTIONS}
            text = json_text({name: [to_plain(r) for r in records[name]] for name in records})
        else:
            text = export_document(db)
    if output is None:
        print_text(text)
    else:
        write_text(output, text)
        note(f"wrote {output}")


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A registry document in YAML; - is stdin.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove the records that a section of FILE leaves out."),
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the registry agree with a YAML document.

    The document may hold a part of a registry: records that it does not name stay as they are.
    All of it is applied, or nothing. Applying it again changes nothing. Hosts new to the
    registry, the keys they get and the commands that print keys are shown in lines with !.

    \b
    Examples:
      rolecall registry apply registry.yaml --dry-run
      rolecall registry apply registry.yaml
      rolecall registry export | ssh server rolecall registry apply -
    """
    from rolecall.registry.editing.apply import apply_text

    text = read_text(file, InvalidDocument, most=MAX_DOCUMENT_BYTES)
    changes = apply_text(registry, text, shown_name(file), dry_run=dry_run, prune=prune)
    if as_json:
        print_json({"dry_run": dry_run, "changes": [asdict(change) for change in changes]})
    elif changes:
        print_text("\n".join(line for change in changes for line in diff_lines(change)))
    else:
        print_text("no change")


def diff_lines(change: Change) -> list[str]:
    """Return one changed record as a reader of diffs expects it."""
    lines = [f"{MARKS[change.kind]} {change.collection} {change.id}"]
    for field, before, after in change.fields:
        lines.append(f"    {field}: {shown(before)} → {shown(after)}")
    lines += [f"    ! {warning}" for warning in change.warnings]
    return lines


def shown(value: Any) -> str:
    """Return a value of a record as it would stand in the document."""
    return json.dumps(value, ensure_ascii=False)


@app.command()
def diff(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A registry document in YAML; - is stdin.")
    ],
    prune: Annotated[
        bool, typer.Option("--prune", help="As if FILE were applied with --prune.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what applying a YAML document would change.

    The same as `apply --dry-run`.

    \b
    Examples:
      rolecall registry diff registry.yaml
      rolecall registry diff registry.yaml --prune
    """
    apply(file, dry_run=True, prune=prune, registry=registry, as_json=as_json)


@app.command()
def undo(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back the latest change of the registry's records.

    Adding, editing, removing, assigning and applying can be undone, one after the other, the
    latest 50. Calls, outcomes and judged rows stay as they are.

    \b
    Examples:
      rolecall registry undo --dry-run
      rolecall registry undo
    """
    from rolecall.registry.editing.open import open_registry
    from rolecall.registry.editing.undo import undo_edit

    with open_registry(registry) as db:
        done = undo_edit(db, dry_run=dry_run)
    if as_json:
        changes = [asdict(change) for change in done.changes]
        print_json({"dry_run": dry_run, "undone": done.what, "at": done.at, "changes": changes})
        return
    print_text("\n".join(line for change in done.changes for line in diff_lines(change)))
    note(f"{'would undo' if dry_run else 'undone'}: {done.what}")


@app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file that `registry backup` wrote.")
    ],
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the registry by a backup of it.

    The backup is checked first. The registry as it is now is kept beside it, the latest three
    of them.

    \b
    Examples:
      rolecall registry restore ~/rolecall-backup.db
      rolecall registry restore ~/rolecall-backup.db --json
    """
    from rolecall.registry.editing.check import restore_registry
    from rolecall.registry.editing.open import registry_path

    path = registry_path(registry)
    kept = restore_registry(path, file)
    if as_json:
        print_json({"path": str(path), "kept": kept and str(kept)})
        return
    print_text(f"restored {path}")
    if kept is not None:
        note(f"the registry as it was: {kept}")


@app.command()
def check(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """Look for damage and dangling references.

    Prints each problem on a line and exits with 1 when there is one.

    \b
    Examples:
      rolecall registry check
      rolecall registry check --registry ~/rolecall-backup.db
    """
    from rolecall.registry.editing.check import check_registry
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry, must_exist=True) as db:
        problems = check_registry(db)
    if as_json:
        print_json({"problems": list(problems)})
    else:
        print_text("\n".join(problems) or "no problem found")
    if problems:
        raise typer.Exit(ExitCode.OTHER)


@app.command()
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to; by default beside the registry."),
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the registry file while it may be in use.

    \b
    Examples:
      rolecall registry backup
      rolecall registry backup ~/rolecall-backup.db
    """
    from rolecall.registry.editing.check import backup_registry
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        copy = backup_registry(db, file)
    if as_json:
        print_json({"backup": str(copy)})
    else:
        print_text(str(copy))
