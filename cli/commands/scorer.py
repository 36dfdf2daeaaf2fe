"""`rolecall scorer`: the scorer and its proof."""

from __future__ import annotations

import typer

from rolecall.cli.commands.scorer_eval import evaluate
from rolecall.cli.commands.scorer_fit import fit
from rolecall.cli.commands.scorer_predict import predict
from rolecall.cli.commands.scorer_train import train
from rolecall.cli.commands.scorer_use import use
from rolecall.cli.options import JsonOption, RegistryOption
from rolecall.cli.output import print_json

app = typer.Typer(help="Show the scorer and its proof.")


@app.callback()
def scorer() -> None:
    """Show the scorer and its proof."""


@app.command()
def show(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """Show the scorer's card, and which models are fitted to your rows.

    What it was trained on, how it was judged and beside what, and what it assumes.

    \b
    Examples:
      rolecall scorer show
      rolecall scorer show --json | jq .figures
    """
    from rolecall.cli.cards import print_card
    from rolecall.registry.learning.versions import scorer_card

    card = scorer_card(registry)
    if as_json:
        print_json(card)
        return
    print_card(card)


app.command()(predict)
app.command("eval")(evaluate)
app.command()(fit)
app.command()(train)
app.command()(use)
