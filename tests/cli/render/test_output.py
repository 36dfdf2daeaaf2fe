"""Tables that keep every id whole, and JSON that is one object."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.cli.render.output import Column, print_json, print_table, table_lines

COLUMNS = [Column("endpoint"), Column("price", is_number=True), Column("model", drop=1)]
ROWS = [["ollama/qwen3-8b", "0", "qwen3-8b"], ["a/b", "12.5", "b"]]


def test_numbers_stand_right_and_lines_end_without_spaces() -> None:
    assert table_lines(COLUMNS, ROWS, None) == [
        "endpoint         price  model",
        "ollama/qwen3-8b      0  qwen3-8b",
        "a/b               12.5  b",
    ]


def test_a_narrow_terminal_gets_fewer_columns() -> None:
    assert table_lines(COLUMNS, ROWS, 25)[1] == "ollama/qwen3-8b      0"


def test_an_id_too_long_for_the_terminal_is_folded_and_never_cut() -> None:
    long = "provider/" + "x" * 40
    lines = table_lines([Column("endpoint"), Column("price")], [[long, "3"]], 30)
    assert max(map(len, lines)) <= 30
    assert lines[1].endswith("  3")
    assert "".join(line[:23].strip() for line in lines[1:]) == long


@given(st.lists(st.lists(st.text("ab/é字", max_size=30), min_size=3, max_size=3)), st.integers(60))
def test_whatever_fits_nothing_is_lost(rows: list[list[str]], limit: int) -> None:
    columns = [Column("a"), Column("b"), Column("c", drop=1)]
    text = "".join(table_lines(columns, rows, limit)).replace(" ", "")
    for character in "ab/é字":
        expected = sum(row[0].count(character) + row[1].count(character) for row in rows)
        assert text.count(character) >= expected


def test_a_pipe_gets_plain_text_and_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    wide = [["x" * 60, "1", "y" * 60]]
    print_table(COLUMNS, wide)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[1] == f"{'x' * 60}      1  {'y' * 60}"


def test_json_is_one_readable_object(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"description": "écrit", "price": None})
    out = capsys.readouterr().out
    assert json.loads(out) == {"description": "écrit", "price": None}
    assert "écrit" in out


def test_json_on_one_line_for_a_stream_of_rows(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": 1, "b": "\udce9"}, indent=None)
    assert capsys.readouterr().out == '{"a": 1, "b": "\\udce9"}\n'
