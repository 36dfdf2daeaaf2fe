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

app = typer.Typer(help="Export, apply, check or back up the registry.")


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
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the whole registry as one YAML document.

    The same registry always gives the same bytes.

    \b
    Examples:
      rolecall registry export > registry.yaml
      rolecall registry export -o registry.yaml
    """
    from rolecall.registry.documents.document import COLLECTIONS
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import export_document, read_content
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
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
    All of it is applied, or nothing. Applying it again changes nothing.

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
    return lines


def shown(value: Any) -> str:
    """Return a value of a record as it would stand in the document."""
    return json.dumps(value, ensure_ascii=False)


@app.command()
def check(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """Look for damage and dangling references.

    Prints each problem on a line and exits with 1 when there is one.

    \b
    Examples:
      rolecall registry check
      rolecall registry check --registry backup.db
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
      rolecall registry backup /backups/rolecall.db
    """
    from rolecall.registry.editing.check import backup_registry
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        copy = backup_registry(db, file)
    if as_json:
        print_json({"backup": str(copy)})
    else:
        print_text(str(copy))
