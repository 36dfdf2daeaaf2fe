"""Success against cost in plain characters."""

from __future__ import annotations

import math

import pytest

from rolecall.cli.render.chart import HEIGHT, WIDTH, figure_lines, mixed
from tests.cli.evaluated import segment


def test_mixing_half_and_half_gives_half_of_each() -> None:
    assert mixed([(1, 0.2), (3, 0.8)], 2) == pytest.approx(0.5)
    assert mixed([(1, 0.2), (3, 0.8)], 0.5) == 0.2
    assert mixed([(1, 0.2), (3, 0.8)], 9) == 0.8


def grid(lines: list[str]) -> list[str]:
    return [line[8:].ljust(WIDTH) for line in lines[1 : HEIGHT + 1]]


def test_every_mark_stands_where_its_point_is() -> None:
    rows = grid(figure_lines(segment()))
    assert len(rows) == HEIGHT
    assert rows[0].index("^") == round(math.log(4) / math.log(100) * (WIDTH - 1))
    assert rows[-1][0] == "·"  # the cheapest is the worst
    [best] = [row for row in rows if "*" in row]
    assert best[-1] == "*"
    assert sum(row.count("o") for row in rows) > 40


def test_the_axes_say_what_they_measure() -> None:
    lines = figure_lines(segment())
    assert lines[0].strip() == "success"
    assert lines[1].startswith(" 0.950 |")
    assert lines[HEIGHT].startswith(" 0.400 |")
    assert lines[HEIGHT + 2].split() == ["$0.1", "$0.9617", "$10"]
    assert lines[HEIGHT + 3].strip() == "cost of 1,000 prompts, logarithmic"
    assert lines[-1].strip() == "* large, the single model of the verdict"


def test_only_marks_that_are_there_are_explained() -> None:
    lines = figure_lines(segment(curves={"ours": [(0.001, 0.7), (0.008, 0.82)]}))
    assert lines[-2].strip() == "o ours   · one model   ^ oracle"


def test_what_costs_nothing_stands_at_the_left_end() -> None:
    lines = figure_lines(segment(singles={"own": (0.0, 0.4), "large": (0.01, 0.8)}))
    assert [row[0] for row in grid(lines)].count("·") == 1


def test_without_costs_there_is_no_figure() -> None:
    free = {"own": (0.0, 0.4), "other": (0.0, 0.8)}
    assert figure_lines(segment(singles=free, curves={})) == []
    assert figure_lines(segment() | {"curves": None, "singles": None}) == []


def test_points_that_all_stand_in_one_place_can_be_drawn() -> None:
    one = segment(singles={"a": (0.001, 0.5)}, curves={"ours": [(0.001, 0.5)]})
    one["policies"] = [{"policy": "oracle", "cost_usd": 0.001, "success": 0.5}]
    assert sum("^" in row for row in grid(figure_lines(one))) == 1
