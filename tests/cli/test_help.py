"""`rolecall help`: what there is, a command's help, and a topic as text or formatted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.cli.commands.help import TOPICS

if TYPE_CHECKING:
    from tests.conftest import Rolecall

PAGES = Path(__file__).parents[2] / "cli" / "help"


def test_help_alone_is_the_help_and_the_topics(rolecall: Rolecall) -> None:
    done = rolecall("help")
    assert (done.exit_code, done.stderr) == (0, "")
    usual = rolecall("--help").stdout.rstrip()
    assert done.stdout.startswith(usual)
    listed = [line.split()[0] for line in done.stdout[len(usual) :].splitlines() if line][1:]
    assert listed == list(TOPICS)


def test_help_on_a_command_is_its_own_help(rolecall: Rolecall) -> None:
    assert rolecall("help", "roles", "assign") == rolecall("roles", "assign", "--help")
    assert rolecall("help", "route") == rolecall("route", "--help")


def test_every_page_is_a_topic_and_a_pipe_gets_it_as_it_is(rolecall: Rolecall) -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(TOPICS)
    for name in TOPICS:
        done = rolecall("help", name)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout == (PAGES / f"{name}.md").read_text()


def test_a_terminal_gets_a_topic_formatted(rolecall: Rolecall) -> None:
    # rich takes a stream for a terminal where this is set.
    shown = rolecall("help", "calls", env={"FORCE_COLOR": "1"}).stdout
    assert "How endpoints are called" in shown
    assert "**" not in shown
    assert "```" not in shown
    plain = rolecall("help", "calls", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    colour = re.compile(r"\x1b\[[0-9;]*[34][0-9]")
    assert (bool(colour.search(shown)), colour.search(plain)) == (True, None)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["decidin"], 'error: there is no help on "decidin"\nhint: did you mean deciding?\n'),
        (["file", "x"], 'error: there is no help on "file x"\nhint: did you mean file?\n'),
        (["xyzzy"], 'error: there is no help on "xyzzy"\nhint: rolecall help\n'),
        (["roles", "nope"], "error: no such command 'nope'\nhint: rolecall roles --help\n"),
    ],
)
def test_what_there_is_no_help_on_exits_2(words: list[str], line: str, rolecall: Rolecall) -> None:
    done = rolecall("help", *words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", line)
