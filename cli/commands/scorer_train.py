"""`rolecall scorer train`: a version of the scorer for one's own data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.completing import scorer_names
from rolecall.cli.options import JsonOption, RegistryOption

if TYPE_CHECKING:
    from rolecall.registry.own_training import Report

FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="JUDGED", help="Judged rows: .jsonl, .jsonl.gz, folders, or - (stdin)."),
]
BaseOption = Annotated[
    str,
    typer.Option(metavar="VERSION", help="The version to start from.", autocompletion=scorer_names),
]
MostOption = Annotated[
    int,
    typer.Option("--prompts", metavar="N", min=60, help="Of more prompts, a random part."),
]


def train(
    files: FilesArgument,
    base: BaseOption = "pretrained",
    prompts: MostOption = 50_000,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out lines that are no judged row.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Use the new version even if it is not better.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of every random draw.")] = 7,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a version of the scorer on your own judged rows.

    Some rows are held back, on which it must beat the version in use to take its place: the rows
    of fold 7, or three groups in twenty. It lies beside the registry either way. Ctrl-C during
    training keeps the best so far. Needs the extra "rolecall[train]".

    \b
    Examples:
      rolecall scorer train judged.jsonl
      rolecall scorer train judged/ --skip-bad --json | jq .verdict
      rolecall scorer use pretrained
    """
    from rolecall.cli.interrupting import terminable
    from rolecall.cli.output import note, print_json
    from rolecall.registry.own_training import Wanted, train_version

    wanted = Wanted(
        files=tuple(files), base=base, most=prompts, seed=seed, skip_bad=skip_bad, force=force
    )
    with terminable(), _told() as report:
        done = train_version(registry, wanted, report)
    if done.left_out is not None:
        note(f"left out: {done.left_out}")
    if done.was_interrupted:
        note("interrupted: this is the best so far")
    if as_json:
        print_json(done.to_dict())
        return
    _show(done.to_dict())
    if not done.in_use:
        note(f"to use it all the same: rolecall scorer use {done.name}")


_METHODS = {
    "nearest": "nearest prompts",
    "task_means": "task means, told the task",
    "best_single": "best single model",
}
_WIDTH = 80


def _show(done: dict[str, Any]) -> None:
    from textwrap import wrap

    from rolecall.cli.output import Column, print_table, print_text

    data, split, compared = done["data"], done["split"], done["comparison"]
    parts = split["prompts"]
    used = sum(parts.values())
    scores = sum(one["scores"] for one in data["sets"])
    of = f" of {done['read']:,}" if used < done["read"] else ""
    models = len(done["training"]["models"])
    print_text(f"{used:,}{of} prompts, {models:,} models, {scores:,} scores; from {done['base']}")
    lessons = f"trained on {parts['train']:,}, tuned on {parts['tune']:,}"
    if split["is_crossed"]:
        lessons = f"trained and, by turns, tuned on {parts['train'] + parts['tune']:,}"
    print_text(f"{lessons}, judged on {parts['report']:,} (split by {split['by']})")
    print_text("")
    names = {
        "scorer": done["version"],
        "incumbent": f"{compared['incumbent']}, in use so far",
        **_METHODS,
    }
    titles = ("Brier", "AUC", "picks right")
    columns = [Column(""), *(Column(title, is_number=True) for title in titles)]
    rows = []
    for method, name in names.items():
        found = compared["methods"][method]
        rows.append(
            [name, f"{found['brier']:.4f}", _shown(found["auc"], 3), _shown(found["right"], 3)]
        )
    print_table(columns, rows)
    print_text("")
    for line in wrap(done["verdict"], _WIDTH, break_on_hyphens=False):
        print_text(line)


def _shown(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:.{places}f}"


@contextmanager
def _told() -> Iterator[Report]:
    """Yield a function of a stage and how far it is; only a terminal is shown a bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    stages: dict[str, Any] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in stages:
            stages[stage] = progress.add_task(stage, total=total)
        progress.update(stages[stage], completed=done, total=total)

    with progress:
        yield report
