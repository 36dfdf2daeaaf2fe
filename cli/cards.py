"""A scorer's card as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rolecall.cli.output import Column, one_line, print_table, print_text

_COUNTS = ("prompts", "scores", "models")


def print_card(card: dict[str, Any]) -> None:
    """Print what a scorer was trained on, how it was judged and beside what, what it assumes."""
    print_text(_heading(card))
    print_table(*_data(card))
    print_text(_split(card))
    print_table(*_figures(card))
    print_text("\nAUC is per model, averaged by data set; brier and ece over every score.")
    for text in _remarks(card):
        print_text(f"- {text}")
    print_text(f"\nfitted to your own rows: {_fits(card['fits'])}")
    print_text("\nassumed, not measured")
    for text in card.get("assumed", []):
        print_text(f"- {text}")


def _fits(fits: dict[str, Any]) -> str:
    """Say which models are fitted to how many rows, and whether the fits decide."""
    if not fits["models"]:
        return "none"
    models = ", ".join(f"{one_line(model)} {rows:,}" for model, rows in fits["models"].items())
    off = "" if fits["in_use"] else "; switched off (rolecall scorer use own)"
    return f"{models} (latest {fits['added_at'][:10]}){off}"


def _heading(card: dict[str, Any]) -> str:
    encoder = card["encoder"]
    tuned = f", tuned ({encoder['tuned']})" if "tuned" in encoder else ""
    return (
        f"{card['version']} · trained {card['date']} · seed {card['seed']}\n"
        f"encoder {encoder['from']}{tuned}, {encoder['run_as']}\n"
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
    if train is None:
        parts = split["prompts"]
        return (
            f"\ntrained on {parts['train']:,} prompts, tuned on {parts['tune']:,}, judged on "
            f"{parts['report']:,}, by groups ({card['figures']['cases']:,} scores):\n"
        )
    return (
        f"\ntrained on folds {train[0]}–{train[-1]}, calibrated on {split['tune_fold']} before it "
        f"was added, judged on {split['report_fold']} ({card['figures']['cases']:,} scores):\n"
    )


def _figures(card: dict[str, Any]) -> tuple[list[Column], list[list[str]]]:
    figures = card["figures"]
    sides = {
        "this scorer": figures["scorer"],
        "nearest": figures["nearest"],
        "task means": figures["task_means"],
    }
    if "facts_prior" in card:
        sides["by facts"] = card["facts_prior"]["held_out_families"]
    columns = [Column(""), *(Column(side, is_number=True) for side in sides)]
    rows = []
    for start, title in (("auc_", "AUC"), ("brier", "brier"), ("calibration_error", "ece")):
        for name in figures["scorer"]:
            if name.startswith(start):
                part = name.removeprefix(start).lstrip("_")
                label = f"{title} {part}".strip()
                rows.append([label, *(_figure(side.get(name)) for side in sides.values())])
    return columns, rows


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _remarks(card: dict[str, Any]) -> Iterator[str]:
    figures = card["figures"]
    yield "nearest and task means are learnt from the same rows; a task mean is told the task"
    if "facts_prior" in card:
        yield "by facts: every model foretold by a network that saw none of its family"
    if "parts" in card:
        alone = (
            f"{part} {one['auc_mean']:.3f} and {one['brier']:.4f} (counts {one['share']:.2f})"
            for part, one in card["parts"].items()
            if one["share"] is not None
        )
        yield f"mean AUC and brier of each part alone: {', '.join(alone)}"
    lengths = figures.get("log_length_error")
    if lengths and lengths["scorer"] is not None:
        yield (
            f"lengths are off by {lengths['scorer']:.2f} in logarithm (median), "
            f"by each model's median {lengths['model_median']:.2f}"
        )
    errors = figures.get("calibration_error_by_model", {})
    if errors:
        name = max(errors, key=lambda model: float(errors[model]["error"]))
        worst = errors[name]
        yield (
            f"worst calibration of a model: {name} {worst['error']:.3f}; perfect forecasts "
            f"would show {worst['by_chance']:.3f} on its {worst['rows']:,} scores"
        )
    if "quantization" in card:
        found = card["quantization"]
        yield (
            f"quantized, AUC {found['shipped']['auc_mean']:.3f} against "
            f"{found['full_precision']['auc_mean']:.3f} in full precision, brier "
            f"{found['shipped']['brier']:.4f} against {found['full_precision']['brier']:.4f}"
        )
    if "robustness" in card:
        found = card["robustness"]
        flips = (
            f"{name} {found['edits'][name]['share']:.1%} and "
            f"{found['restatements'][name]['share']:.1%}"
            for name in ("balanced", "argmax", "nearest")
        )
        yield (
            f"choices flip on edits and on restatements of {found['prompts']:,} prompts: "
            f"{', '.join(flips)}"
        )
    if "sanity" in card:
        sanity = card["sanity"]
        yield (
            f"prompts routed as the evidence says: {sanity['passed']} of {sanity['prompts']}, "
            f"by the best constant choice ({sanity['best_constant']}) "
            f"{sanity['best_constant_passed']}"
        )
