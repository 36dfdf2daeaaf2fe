"""`rolecall models`: what is known of each model, wherever it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.commands.records import (
    RecordHelp,
    add_record_commands,
    given,
    list_collection,
    report_added,
    words,
)
from rolecall.cli.completion.names import model_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column
from rolecall.registry.core.formatting import tokens

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Model

app = typer.Typer(help="Manage models.")


@app.command("list")
def list_models(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """List the models and what they can do.

    \b
    Examples:
      rolecall models list
      rolecall models list --json | jq -r '.models[].id'
    """
    columns = [
        Column("model"),
        Column("context", is_number=True),
        Column("output", drop=1, is_number=True),
        Column("size", drop=3, is_number=True),
        Column("released", drop=2),
        Column("capabilities"),
    ]
    list_collection("models", columns, row_of, registry, as_json=as_json)


def row_of(model: Model) -> list[str]:
    """Return a model's cells; its size is in billions of weights."""
    return [
        model.id,
        tokens(model.context_tokens),
        tokens(model.max_output_tokens),
        "?" if model.parameters_b is None else f"{model.parameters_b:g}B",
        model.release_date or "?",
        words(model.capabilities),
    ]


@app.command()
def add(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="Its id in the catalog, or PROVIDER/ID."),
    ],
    name: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Call it NAME here.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="Do not ask the catalog; only the options count.")
    ] = False,
    capability: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What it can do, such as tools; repeatable."),
    ] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What it reads, such as text or image; repeatable."),
    ] = None,
    context_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How much it can read, in tokens.")
    ] = None,
    max_input_tokens: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How much of that may be input, where less."),
    ] = None,
    max_output_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How much it can write, in tokens.")
    ] = None,
    parameters_b: Annotated[
        float | None, typer.Option(min=0, metavar="N", help="Its size, in billions of weights.")
    ] = None,
    release_date: Annotated[
        str | None, typer.Option(metavar="DATE", help="YYYY-MM or YYYY-MM-DD.")
    ] = None,
    open_weights: Annotated[
        bool | None,
        typer.Option("--open-weights/--no-open-weights", help="Whether its weights are public."),
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a model, with what the catalog knows of it.

    The catalog is the models.dev data that came with rolecall; nothing is fetched. Options
    win over it.

    \b
    Examples:
      rolecall models add claude-opus-4-6
      rolecall models add groq/llama-3.3-70b-versatile --id llama-3.3-70b
      rolecall models add ours --bare --context-tokens 32000 --capability tools
    """
    from rolecall.registry.editing.add import add_model
    from rolecall.registry.editing.open import open_registry

    facts = given(
        {
            "id": name,
            "capabilities": capability,
            "modalities": modality,
            "context_tokens": context_tokens,
            "max_input_tokens": max_input_tokens,
            "max_output_tokens": max_output_tokens,
            "parameters_b": parameters_b,
            "release_date": release_date,
            "open_weights": open_weights,
        }
    )
    with open_registry(registry) as db:
        added = add_model(db, model, facts, bare=bare)
    report_added("models", added, as_json=as_json)


add_record_commands(
    app,
    "models",
    RecordHelp(
        completion=model_names,
        show=("claude-sonnet-4-6", "claude-sonnet-4-6"),
        edit="EDITOR=nano rolecall models edit claude-sonnet-4-6",
        remove="ours",
        edit_note="Scores that you know of it go under benchmarks, each from 0 to 1.",
        unless="that no endpoint serves",
    ),
)
