"""Values from the command line, and what is said of those that are none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command

from rolecall.cli.errors import guarded
from rolecall.cli.options.coercion import parse_plainly

seen: dict[str, Any] = {}
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def show(
    words: Annotated[list[str] | None, typer.Argument()] = None,
    size: Annotated[int, typer.Option(min=1, max=9)] = 3,
    cost: Annotated[float | None, typer.Option()] = None,
    place: Annotated[Path | None, typer.Option("-f")] = None,
    side: Annotated[Literal["local", "remote"] | None, typer.Option()] = None,
    many: Annotated[list[float] | None, typer.Option()] = None,
    loud: Annotated[bool, typer.Option("--loud")] = False,
    on: Annotated[bool, typer.Option("--on", envvar="TEST_IS_ON")] = False,
) -> None:
    seen.update(locals())


def call(*args: str) -> int:
    seen.clear()
    command = get_command(app)
    parse_plainly(command)
    return guarded(lambda: command.main(list(args), prog_name="show", standalone_mode=False))


def test_each_word_becomes_a_value_of_its_type() -> None:
    line = "a b --size 4 --cost 1e-3 -f x --side local --many 1 --many 2 --loud"
    assert call(*line.split()) == 0
    assert seen == {
        "words": ["a", "b"],
        "size": 4,
        "cost": 0.001,
        "place": Path("x"),
        "side": "local",
        "many": [1.0, 2.0],
        "loud": True,
        "on": False,
    }


def test_what_is_not_given_keeps_its_default() -> None:
    assert call() == 0
    assert seen == {
        "words": None,
        "size": 3,
        "cost": None,
        "place": None,
        "side": None,
        "many": None,
        "loud": False,
        "on": False,
    }


def test_a_flag_may_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_IS_ON", "yes")
    assert call() == 0
    assert seen["on"] is True


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--size x", "invalid value for '--size': 'x' is not a whole number"),
        ("--size 1.5", "invalid value for '--size': '1.5' is not a whole number"),
        ("--size 0", "invalid value for '--size': 0 is below 1"),
        ("--size 10", "invalid value for '--size': 10 is above 9"),
        ("--cost much", "invalid value for '--cost': 'much' is not a number"),
        ("--cost nan", "invalid value for '--cost': 'nan' is not a finite number"),
        ("--side left", "invalid value for '--side': 'left' is none of local, remote"),
        ("--many 1 --many x", "invalid value for '--many': 'x' is not a number"),
        ("--nothing", "no such option: --nothing (Possible options: --on)"),
    ],
)
def test_a_wrong_value_is_one_line_and_a_hint(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*line.split()) == 2
    assert capsys.readouterr() == ("", f"error: {message}\nhint: show --help\n")


def test_no_value_needs_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    assert call("a", "--size", "4", "--side", "local") == 0
