"""A scorer's card as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rolecall.cli.render.output import Column, one_line, print_folded, print_table, print_text
from rolecall.registry.core.formatting import success

if TYPE_CHECKING:
    from rolecall.registry.core.predictions import Ability

_COUNTS = ("prompts", "scores", "models")


def print_card(card: dict[str, Any]) -> None:
    """Print what a scorer was trained on, how it fares and beside what, what it assumes."""
    print_text(_heading(card))
    print_table(*_data(card))
    if "figures" in card:
        print_text(_split(card))
        print_table(*_figures(card["figures"]))
        print_text("\nAUC is the mean over models of 30 scores or more; --json has 95 % intervals")
    for text in _remarks(card):
        print_folded(f"- {text}")
    print_text("")
    print_folded(f"fitted to your own rows: {_fits(card['fits'])}")
    print_text("\nassumed, not measured")
    for text in card["assumed"].values():
        print_folded(f"- {text}")


def _fits(fits: dict[str, Any]) -> str:
    """Say which models are fitted to how many rows, and whether the fits decide."""
    if not fits["models"]:
        return "none"
    models = ", ".join(f"{one_line(model)} {rows:,}" for model, rows in fits["models"].items())
    off = "" if fits["in_use"] else "; switched off (rolecall scorer use own)"
    return f"{models} (latest {fits['added_at'][:10]}){off}"


def _heading(card: dict[str, Any]) -> str:
    encoder = card["encoder"]
    return (
        f"{card['version']} · trained {card['date']} · seed {card['seed']}\n"
        f"encoder {encoder['from']}, {encoder['run_as']}\n"
    )


def _data(card: dict[str, Any]) -> tuple[list[Column], list[list[str]]]:
    columns = [Column("data"), *(Column(name, is_number=True) for name in _COUNTS)]
    rows = [
        [entry["set"], *(f"{entry[name]:,}" for name in _COUNTS), str(entry.get("licence") or "–")]
        for entry in card["data"]["sets"]
    ]
    return [*columns, Column("licence")], rows


def _split(card: dict[str, Any]) -> str:
    split = card["split"]
    train = split["train_folds"]
    return (
        f"\ntrained on folds {train[0]}–{train[-1]}, calibrated on {split['tune_fold']} before it "
        f"was added, judged on {split['report_fold']} ({split['prompts']['report']:,} prompts):\n"
    )


def _figures(figures: dict[str, Any]) -> tuple[list[Column], list[list[str]]]:
    """Return each set's AUC, Brier score and pair order: this scorer's, then the neighbours'."""
    titles = {"auc": "AUC", "brier": "Brier", "pair_order": "pair order", "ece": "ECE"}
    columns = [Column("data"), Column("prompts", is_number=True)]
    columns += [Column(title, is_number=True) for title in titles.values()]
    columns += [Column(f"kNN {title}", is_number=True) for title in list(titles.values())[:3]]
    every = [(name, one["prompts"], one["quality"]) for name, one in figures["sets"].items()]
    every.append(("mean", sum(one[1] for one in every), figures["by_set"]))
    rows = []
    for name, prompts, quality in every:
        ours = [_figure(quality["ours"][key]) for key in titles]
        theirs = [_figure(quality["nearest"][key]) for key in list(titles)[:3]]
        rows.append([name, f"{prompts:,}", *ours, *theirs])
    return columns, rows


def _figure(interval: dict[str, float] | None) -> str:
    return "–" if interval is None else f"{interval['mean']:.3f}"


def _remarks(card: dict[str, Any]) -> Iterator[str]:
    if "robustness" in card:
        found = card["robustness"]
        changes = (
            f"{name} {found['edits'][name]['share']:.1%} and "
            f"{found['restatements'][name]['share']:.1%}"
            for name in ("balanced", "argmax", "nearest")
        )
        yield (
            f"choices change on edits and on restatements of {found['prompts']:,} prompts: "
            f"{', '.join(changes)}"
        )
    if "sanity" in card:
        sanity = card["sanity"]
        yield (
            f"prompts routed as the evidence says: {sanity['passed']} of {sanity['prompts']}, "
            f"by the best constant choice ({sanity['best_constant']}) "
            f"{sanity['best_constant_passed']}"
        )


def print_abilities(model: str, abilities: Sequence[Ability]) -> None:
    """Print what is known of a model by kind of work: success to expect, rows, public scores."""
    columns = [Column("kind"), Column("success"), Column("rows", is_number=True), Column("scores")]
    rows = []
    for one in abilities:
        expected = "–" if one.success is None else success(one.success, one.spread)
        scores = ", ".join(f"{each.benchmark} {each.score:.2f}" for each in one.scores[:3])
        more = f" and {len(one.scores) - 3} more" if len(one.scores) > 3 else ""
        rows.append([one.kind, expected, str(one.rows or "–"), scores + more or "–"])
    print_table(columns, rows)
    print_text(f"\n{model}: {_BASES[abilities[0].basis]}" if abilities else f"{model}: nothing")
    sources = {each.source for one in abilities for each in one.scores if each.source}
    if sources:
        print_text("public scores: " + ", ".join(sorted(sources)))


_BASES = {
    "rows": "predicted from its judged answers",
    "scores": "predicted from public scores and facts: no judged answers of its own",
    "facts": "predicted from size, date, price and family alone",
}
