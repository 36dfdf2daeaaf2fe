"""`rolecall scorer`: the scorer and its proof."""

from __future__ import annotations

import typer

from rolecall.cli.commands.scorer_eval import evaluate
from rolecall.cli.commands.scorer_fit import fit
from rolecall.cli.commands.scorer_predict import predict
from rolecall.cli.commands.scorer_train import train
from rolecall.cli.commands.scorer_use import VersionArgument, use
from rolecall.cli.options import JsonOption, RegistryOption
from rolecall.cli.output import print_json

app = typer.Typer(help="Show the scorer and its proof.")


@app.callback()
def scorer() -> None:
    """Show the scorer and its proof."""


@app.command()
def show(
    version: VersionArgument = None, registry: RegistryOption = None, as_json: JsonOption = False
) -> None:
    """Show the card of the scorer in use, or of another version.

    What it was trained on, how it was judged and beside what, and what it assumes.

    \b
    Examples:
      rolecall scorer show
      rolecall scorer show pretrained
      rolecall scorer show --json | jq .figures
    """
    from rolecall.cli.cards import print_card
    from rolecall.registry.scoring import scorer_card

    card = scorer_card(registry, version)
    if as_json:
        print_json(card)
        return
    print_card(card)


app.command()(predict)
app.command("eval")(evaluate)
app.command()(fit)
app.command()(train)
app.command()(use)
