"""`rolecall scorer use`: what decides, the shipped scorer alone or with one's own fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.completion.names import scorer_names
from rolecall.cli.options.common import JsonOption, RegistryOption

if TYPE_CHECKING:
    from rolecall.registry.learning.versions import FitsInUse

NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="pretrained: the shipped scorer alone; own: with fits to your judged rows.",
        autocompletion=scorer_names,
        show_default=False,
    ),
]


def use(
    name: NameArgument = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch your own fits on or off, or say which are there.

    The rows of `scorer fit` and `scorer train` stay in the registry either way. It counts from
    the next command on.

    \b
    Examples:
      rolecall scorer use
      rolecall scorer use pretrained
      rolecall scorer use own
    """
    from rolecall.cli.render.output import print_json, print_text
    from rolecall.registry.editing.open import open_or_starter, open_registry
    from rolecall.registry.learning.versions import fits_in_use, use_version

    if name is None:
        with open_or_starter(registry) as db:
            _show(fits_in_use(db), as_json=as_json)
        return
    with open_registry(registry) as db:
        before = use_version(db, name)
    if as_json:
        print_json({"in_use": name, "before": before})
    else:
        print_text(f"in use: {name} (before: {before})")


def _show(found: FitsInUse, *, as_json: bool) -> None:
    from dataclasses import asdict

    from rolecall.cli.render.output import Column, note, print_json, print_table

    if as_json:
        print_json(asdict(found) | {"in_use": found.name})
        return
    columns = [Column("scorer"), Column("in use"), Column("prompts", is_number=True)]
    columns += [Column("models", is_number=True), Column("added")]
    own = [f"{found.prompts:,}", f"{len(found.models):,}", (found.added_at or "–")[:10]]
    rows = [
        ["pretrained", "" if found.in_use else "yes", "–", "–", "–"],
        ["own", "yes" if found.in_use else "", *(own if found.prompts else ["–"] * 3)],
    ]
    print_table(columns, rows)
    if found.waiting:
        note(f"{found.waiting:,} more prompts are kept and not used: rolecall scorer train --help")
