"""`rolecall scorer`: the scorer, its predictions and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.commands.scorer_eval import evaluate
from rolecall.cli.commands.scorer_fit import fit
from rolecall.cli.commands.scorer_predict import predict
from rolecall.cli.commands.scorer_train import train
from rolecall.cli.commands.scorer_use import use
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import print_json

app = typer.Typer(help="Show, evaluate or fit the scorer.")


@app.command()
def show(
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="What is known of one model."),
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the scorer's card, or what is known of a model.

    What it was trained on, how it fares and beside what, which models are fitted to your rows, and
    what it assumes. Of a model: the success to expect by kind of work, and from where.

    \b
    Examples:
      rolecall scorer show
      rolecall scorer show --model claude-sonnet-4-6
      rolecall scorer show --json | jq .figures
    """
    if model is not None:
        _show_model(model, registry, as_json=as_json)
        return
    from rolecall.cli.render.model_card import print_card
    from rolecall.registry.editing.open import open_or_starter
    from rolecall.registry.learning.versions import scorer_card

    with open_or_starter(registry) as db:
        card = scorer_card(db)
    if as_json:
        print_json(card)
        return
    print_card(card)


def _show_model(model: str, registry: Path | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from rolecall.cli.render.model_card import print_abilities
    from rolecall.registry.editing.open import open_or_starter
    from rolecall.registry.learning.predict import abilities_of

    with open_or_starter(registry) as db:
        found = abilities_of(db, model)
    if as_json:
        print_json({"model": model, "kinds": [asdict(one) for one in found]})
        return
    print_abilities(model, found)


app.command()(predict)
app.command("eval")(evaluate)
app.command()(fit)
app.command()(train)
app.command()(use)
