"""`rolecall scorer use`: which scorer decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.completing import scorer_names
from rolecall.cli.options import JsonOption, RegistryOption

if TYPE_CHECKING:
    from rolecall.registry.using import Version

VersionArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="VERSION",
        help="The name of a version; the shipped one is pretrained.",
        autocompletion=scorer_names,
        show_default=False,
    ),
]


def use(
    version: VersionArgument = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the scorer that decides, or list those there are.

    The shipped one is called pretrained; the others lie beside the registry, as `scorer train`
    wrote them. It counts from the next command on.

    \b
    Examples:
      rolecall scorer use
      rolecall scorer use own-2026-11-22-1f0c9a3e
      rolecall scorer use pretrained
    """
    from rolecall.cli.output import print_json, print_text
    from rolecall.registry.using import list_versions, use_version

    if version is None:
        _show(list_versions(registry), as_json=as_json)
        return
    before = use_version(registry, version)
    if as_json:
        print_json({"in_use": version, "before": before})
    else:
        print_text(f"in use: {version}" + (f" (before: {before})" if before else ""))


def _show(versions: tuple[Version, ...], *, as_json: bool) -> None:
    from rolecall.cli.output import Column, print_json, print_table

    if as_json:
        print_json({"scorers": [_plain(one) for one in versions]})
        return
    numbers = ("prompts", "brier", "task means")
    columns = [Column("scorer"), Column("in use"), Column("version", drop=2), Column("trained")]
    columns += [Column(title, drop=1, is_number=True) for title in numbers]
    print_table(columns, [_row(_plain(one)) for one in versions])


def _plain(version: Version) -> dict[str, Any]:
    card = version.card or {}
    figures = card.get("figures", {})
    return {
        "name": version.name,
        "in_use": version.in_use,
        "version": card.get("version"),
        "date": card.get("date"),
        "base": card.get("base"),
        "prompts": sum(one["prompts"] for one in card.get("data", {}).get("sets", [])) or None,
        "brier": figures.get("scorer", {}).get("brier"),
        "task_means_brier": figures.get("task_means", {}).get("brier"),
    }


def _row(plain: dict[str, Any]) -> list[str]:
    figures = (plain["brier"], plain["task_means_brier"])
    return [
        plain["name"],
        "yes" if plain["in_use"] else "",
        plain["version"] or "unreadable",
        plain["date"] or "–",
        "–" if plain["prompts"] is None else f"{plain['prompts']:,}",
        *("–" if one is None else f"{one:.4f}" for one in figures),
    ]
