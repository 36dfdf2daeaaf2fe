"""`rolecall scorer predict`: the raw predictions for rows of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rolecall.cli.completion.names import model_names
from rolecall.cli.options.common import RegistryOption, SkipBadOption

if TYPE_CHECKING:
    from rolecall.registry.learning.predict import RowPredictions

RowsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="ROWS",
        help="Rows with scores or without: .jsonl or .csv, .gz too, folders, or - for stdin.",
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="ID",
        help="These models, whatever a row names; repeatable.",
        autocompletion=model_names,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Accepted; the lines are JSON anyway.")]


def predict(
    rows: RowsArgument,
    model: ModelsOption = None,
    skip_bad: SkipBadOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,  # noqa: ARG001
) -> None:
    """Print what the scorer predicts for each row.

    One JSON object a line, in the order of the rows: success by model from 0 to 1, its standard
    deviation, and output tokens. A row's models are those of its scores, or its list `models`,
    else those of the registry. A model asked with an effort is MODEL-none, -low, -medium or
    -high. The basis says what a figure rests on: facts are a model's size, date and price.

    \b
    Examples:
      rolecall scorer predict judged.jsonl > predictions.jsonl
      rolecall scorer predict prompts.jsonl --model qwen3-8b --model qwen3-8b-none
      echo '{"prompt": "why does this deadlock?"}' | rolecall scorer predict -
    """
    from rolecall.cli.render.output import note, print_json
    from rolecall.cli.render.progress import counted
    from rolecall.registry.editing.open import open_or_starter
    from rolecall.registry.learning.predict import predict_rows

    with open_or_starter(registry) as db:
        found = predict_rows(db, rows, models=model or (), skip_bad=skip_bad)
    if found.left_out is not None:
        note(found.left_out)
    with counted("predicting", by_lines=True) as report:
        for number, one in enumerate(found.rows, start=1):
            print_json(_plain(one), indent=None, flush=True)
            report(number, found.count)


def _plain(row: RowPredictions) -> dict[str, Any]:
    return {
        "id": row.id,
        "success": {one.model: one.success for one in row.predictions},
        "output_tokens": {one.model: one.output_tokens for one in row.predictions},
        "success_std": {one.model: one.success_std for one in row.predictions},
        "basis": {one.model: one.basis for one in row.predictions},
    }
