"""`rolecall scorer train`: fit all models of one's own judged rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.options.common import JsonOption, RegistryOption, SkipBadOption

if TYPE_CHECKING:
    from rolecall.registry.learning.train import TrainResult

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="JUDGED", help="Judged rows: .jsonl or .csv, .gz too, folders, or - (stdin)."
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace earlier rows of these models; do not add.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Let the fits decide even if they are not better.")
]


def train(
    files: FilesArgument,
    replace: ReplaceOption = False,
    skip_bad: SkipBadOption = False,
    force: ForceOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit all models of your own judged rows.

    The rows are kept in the registry and add to earlier ones. The fits decide from then on if
    they are better than what is in use: on at least 30 groups that it has not learned from, each
    predicted by fits to other groups. Else the rows wait there for more.

    \b
    Examples:
      rolecall scorer train judged.jsonl
      rolecall scorer train judged/ --skip-bad --json | jq .verdict
      rolecall scorer use pretrained
    """
    from rolecall.cli.render.output import note, print_json
    from rolecall.cli.render.progress import counted
    from rolecall.registry.core.formatting import seconds
    from rolecall.registry.editing.open import open_registry
    from rolecall.registry.learning.train import TrainRequest
    from rolecall.registry.learning.train import train as train_models

    request = TrainRequest(files=tuple(files), skip_bad=skip_bad, replace=replace, force=force)
    with open_registry(registry) as db, counted("reading prompts") as report:
        done = train_models(db, request, report)
    if done.left_out is not None:
        note(done.left_out)
    if as_json:
        print_json(done.to_dict())
    else:
        _show(done)
        note(f"read the prompts in {seconds(done.read_s)}, fitted in {seconds(done.fit_s)}")
    if not done.promoted:
        note("the rows are kept, not used; to use them all the same: --force")


_METHODS = {
    "fitted": "fitted",
    "in_use": "in use so far",
    "task_means": "task means, told the task",
    "model_means": "each model's mean",
}


def _show(done: TrainResult) -> None:
    from rolecall.cli.render.output import Column, print_folded, print_table, print_text

    scores = sum(done.models.values())
    added = f", {done.given:,} of them from these files" if done.given < done.prompts else ""
    print_text(f"{done.prompts:,} prompts, {len(done.models):,} models, {scores:,} scores{added}")
    compared = done.comparison
    if compared is not None:
        told = f"compared on {compared.scores:,} scores of {compared.groups:,} groups held back"
        print_text(f"{told}; they succeed {compared.success:.3f} of the time\n\n")
        columns = [Column(""), Column("Brier", is_number=True), Column("success", is_number=True)]
        methods = [(label, getattr(compared, name)) for name, label in _METHODS.items()]
        rows = [[label, f"{one.brier:.4f}", f"{one.success:.3f}"] for label, one in methods]
        print_table(columns, rows)
    print_text("")
    print_folded(done.verdict)
