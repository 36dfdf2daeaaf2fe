"""`rolecall scorer`: the scorer and its proof."""

from __future__ import annotations

from typing import Any

import typer

from rolecall.cli.options import JsonOption
from rolecall.cli.output import Column, print_json, print_table, print_text

app = typer.Typer(help="Show the scorer and its proof.")


@app.callback()
def scorer() -> None:
    """Show the scorer and its proof."""


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Show the shipped scorer's card.

    What it was trained on, how it was judged and beside what, and what it assumes.

    \b
    Examples:
      rolecall scorer show
      rolecall scorer show --json | jq .figures
    """
    from rolecall.registry.scoring import scorer_card

    card = scorer_card()
    if as_json:
        print_json(card)
        return
    print_text(_heading(card))
    print_table(*_data(card))
    print_text(_split(card))
    print_table(*_figures(card))
    print_text("\nAUC is per model, averaged by data set; brier and ece over every score.")
    print_text(f"quantized graph against full precision: {_quantization(card)}\n")
    print_text("assumed, not measured")
    for text in card["assumed"]:
        print_text(f"- {text}")


def _heading(card: dict[str, Any]) -> str:
    encoder = card["encoder"]
    return (
        f"{card['version']} · trained {card['date']} · seed {card['seed']}\n"
        f"encoder {encoder['from']}, {encoder['run_as']}\n"
    )


def _data(card: dict[str, Any]) -> tuple[list[Column], list[list[str]]]:
    columns = [Column("data"), *(Column(name, is_number=True) for name in _COUNTS)]
    rows = [
        [entry["set"], *(f"{entry[name]:,}" for name in _COUNTS), str(entry["licence"] or "–")]
        for entry in card["data"]["sets"]
    ]
    return [*columns, Column("licence")], rows


_COUNTS = ("prompts", "scores", "models")


def _split(card: dict[str, Any]) -> str:
    split = card["split"]
    train = split["train_folds"]
    return (
        f"\ntrained on folds {train[0]}–{train[-1]}, tuned on {split['tune_fold']}, "
        f"judged on {split['report_fold']} ({card['figures']['cases']:,} scores):\n"
    )


def _figures(card: dict[str, Any]) -> tuple[list[Column], list[list[str]]]:
    figures = card["figures"]
    sides = {
        "this scorer": figures["scorer"],
        "100 nearest prompts": figures["nearest_100"],
        "task means (task known)": figures["task_means"],
        "unseen models, by facts": card["facts_prior"]["held_out_families"],
    }
    names = [name for name in figures["task_means"] if name.startswith("auc_")]
    columns = [Column("AUC"), *(Column(side, is_number=True) for side in sides)]
    rows = [
        [name.removeprefix("auc_"), *(f"{side[name]:.3f}" for side in sides.values())]
        for name in names
    ]
    for name, title in (("brier", "brier"), ("calibration_error", "ece")):
        rows.append([title, *(f"{side[name]:.3f}" for side in sides.values())])
    return columns, rows


def _quantization(card: dict[str, Any]) -> str:
    found = card["quantization"]
    return (
        f"cosine {found['mean_cosine']:.3f}, success moved by {found['mean_success_moved']:.3f} "
        f"on average, brier {found['brier_shipped']:.3f} against {found['brier_exact']:.3f}"
    )
