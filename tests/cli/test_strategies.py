"""`strategies`: what a strategy does where nobody reaches its floor, from option to decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rolecall.cli.commands.strategies import COLUMNS, row_of
from rolecall.cli.render.output import table_lines
from rolecall.registry.editing.seed import seed_registry

if TYPE_CHECKING:
    from tests.conftest import Rolecall

HARD = "Prove the Riemann-Roch theorem for compact Riemann surfaces."


def test_else_best_is_added_listed_shown_edited_and_explained(rolecall: Rolecall) -> None:
    added = rolecall("strategies", "add", "careful", "--min-success", "0.95", "--else", "best")
    assert added.exit_code == 0, added.stderr
    shown = rolecall("strategies", "show", "careful").stdout
    assert "\nmin_success: 0.95\nelse: best\n" in shown
    assert "min_success 0.95 else best" in rolecall("strategies", "list").stdout.replace("\n", " ")
    done = rolecall("route", HARD, "--strategy", "careful")
    assert (done.exit_code, done.stdout) == (0, "ollama/qwen3-8b\n")
    assert "no endpoint reaches the success of 0.95 that careful asks for" in done.stderr
    explained = rolecall("explain").stdout
    assert "as none reaches the success floor" in explained.replace("\n         ", " ")
    assert "near-tie" not in explained
    assert json.loads(rolecall("explain", "--json").stdout)["strategy_values"]["else"] == "best"
    hard = shown.replace("else: best", "else: null")
    rolecall("registry", "apply", "-", input=f"strategies:\n  - {{{_flow(hard)}}}\n")
    assert rolecall("route", HARD, "--strategy", "careful").exit_code == 3


def test_the_built_in_floors_let_the_best_one_through_and_a_flag_does_not(
    rolecall: Rolecall,
) -> None:
    for strategy in ("cheapest", "fast"):
        done = rolecall("route", HARD, "--strategy", strategy)
        assert (done.exit_code, done.stdout) == (0, "ollama/qwen3-8b\n")
        assert "the best one is taken" in done.stderr
    assert rolecall("route", HARD, "--strategy", "cheapest", "--min-success", "0.9").exit_code == 3
    assert rolecall("route", HARD, "--min-success", "0.9").exit_code == 3


def _flow(record: str) -> str:
    return ", ".join(record.strip().splitlines())


def test_descriptions_are_shown_on_a_terminal_of_80_columns() -> None:
    columns = [column for column in COLUMNS if column.drop == 0]
    lines = table_lines(COLUMNS, [row_of(one) for one in seed_registry().strategies], 80)
    assert max(map(len, lines)) <= 80
    assert [column.title in lines[0] for column in columns] == [True] * len(columns)
    text = " ".join(" ".join(lines).split())
    for word in ("weighs", "likely", "wait", "machine,", "dollar;"):
        assert f" {word}" in text
