"""How often choices change when a prompt is perturbed, as tables for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rolecall.cli.render.output import Column, one_line, print_folded, print_table, print_text

UNKNOWN = "–"
ALL = "all"
# The policies beside the strategies, with the order in which they go where room is short.
_BESIDE = {"argmax": 0, "predicted": 3, "nearest": 0, "constant": 0}
_MAY_GO = {"private": 2}
_LEGEND = (
    "% of changed texts for which the choice is another than for the prompt as it is; "
    "argmax: the highest predicted success; of the models judged on the prompt, predicted: the "
    "highest predicted success, nearest: the highest mean score on the nearest judged prompts"
)


def print_robustness(report: Mapping[str, Any]) -> None:
    """Print a measurement of robustness (`RobustnessReport` as plain JSON) as tables."""
    print_text(
        f"{report['scorer_version']} · {report['prompts']:,} prompts changed in "
        f"{report['texts']:,} ways, {report['endpoints']:,} endpoints, seed {report['seed']}"
    )
    print_text("")
    print_table(*flip_table(report))
    print_folded(_LEGEND)
    print_text("")
    print_table(*rate_table(report))
    print_text("edits: of words and characters; restatements: another frame or form")


def flip_table(report: Mapping[str, Any]) -> tuple[list[Column], list[list[str]]]:
    """Return each policy's flips in %, a kind of change a row, and over all kinds."""
    policies = [*report["strategies"], *(one for one in _BESIDE if one in report["flips"])]
    columns = [Column("change")]
    for policy in policies:
        # Strategies beyond the built-in ones give way before any column that explains them.
        drop = _BESIDE.get(policy, _MAY_GO.get(policy, int(policy not in _BUILT_IN)))
        columns.append(Column(one_line(policy), drop=drop, is_number=True))
    columns.append(Column("texts", drop=5, is_number=True))
    rows = [_row(kind["kind"], kind["flips"], policies) for kind in report["kinds"]]
    return columns, [*rows, _row(ALL, report["flips"], policies)]


_BUILT_IN = frozenset({"balanced", "cheapest", "fast", "quality"})


def _row(name: str, flips: Mapping[str, Any], policies: list[str]) -> list[str]:
    cases = max((flips[policy]["cases"] for policy in policies), default=0)
    return [name, *(_share(flips[policy]) for policy in policies), f"{cases:,}"]


def rate_table(report: Mapping[str, Any]) -> tuple[list[Column], list[list[str]]]:
    """Return every policy's flips by edits, by restatements and over all, with 95 % intervals."""
    columns, kinds = (
        [Column("policy")],
        {"edits": "edits", "restatements": "restatements", ALL: "flips"},
    )
    for title in kinds:
        columns += [Column(f"{title} %", is_number=True), Column("95 %", is_number=True)]
    return columns, [
        [
            one_line(name),
            *(cell(report[kind][name]) for kind in kinds.values() for cell in (_share, _interval)),
        ]
        for name in report["flips"]
    ]


def _share(rate: Mapping[str, float | None]) -> str:
    share = rate["share"]
    return UNKNOWN if share is None else f"{100 * share:.1f}"


def _interval(rate: Mapping[str, float | None]) -> str:
    low, high = rate["low"], rate["high"]
    if low is None or high is None:
        return UNKNOWN
    return f"{100 * low:.1f} to {100 * high:.1f}"
