"""What a Tab press offers, and the scripts that ask for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.cli.completion.engine import reply
from rolecall.cli.completion.scripts import SCRIPTS

if TYPE_CHECKING:
    from tests.conftest import Rolecall

COMPLETIONS = Path(__file__).parents[3] / "completions"
BIN = Path(sys.executable).parent


@pytest.fixture
def registry(rolecall: Rolecall) -> None:
    """Make a registry with an endpoint whose id has what shells split words at."""
    assert rolecall("models", "add", "ours", "--bare").exit_code == 0
    assert rolecall("endpoints", "add", "lab/ours:8b", "--model", "ours").exit_code == 0


def offered(line: str) -> list[str]:
    return [answer.partition("\t")[0] for answer in reply(line).splitlines()]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_shipped_scripts_are_the_generated_ones(name: str) -> None:
    assert (COMPLETIONS / name).read_text() == SCRIPTS[name], "run: make completions"


def test_commands_are_offered_with_their_summaries() -> None:
    assert reply("rolecall ro").splitlines() == [
        "route\tDecide which endpoint should answer a prompt.",
        "roles\tManage roles and their endpoints.",
    ]
    assert "assign\tAssign an endpoint to a role, or change its assignment." in reply(
        "rolecall roles "
    )


def test_options_are_offered_after_a_dash() -> None:
    assert offered("rolecall registry apply --d") == ["--dry-run"]
    assert {"-o", "--output", "--help"} <= set(offered("rolecall registry export -"))


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("rolecall roles show ma", ["math"]),
        ("rolecall route --role ma", ["math"]),
        ("rolecall route --role=ma", ["--role=math"]),
        ("rolecall route -r ma", ["math"]),
        ("rolecall route 'two words' --strategy ch", ["cheapest"]),
        ("rolecall route -e lab/", ["lab/ours:8b"]),
        ("rolecall roles assign math lab/", ["lab/ours:8b"]),
        ("rolecall roles assign --status inactive math lab/", ["lab/ours:8b"]),
        ("rolecall roles assign math x --status dis", ["disabled"]),
        ("rolecall endpoints add x --model ou", ["ours"]),
        ("rolecall models show 'ou", ["ours"]),
        ("rolecall roles show math more", []),
        ("rolecall registry apply ", []),
        ("rolecall nothing ", []),
    ],
)
def test_names_come_from_the_registry_where_they_are_due(line: str, names: list[str]) -> None:
    assert offered(line) == names


def test_names_come_from_the_registry_that_the_line_names(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    rolecall("roles", "add", "zoologist", "--registry", other)
    assert offered("rolecall roles show z") == []
    assert offered(f"rolecall roles show --registry {other} z") == ["zoologist"]
    assert offered(f"rolecall roles show --registry={other} z") == ["zoologist"]


def test_a_tab_press_never_makes_a_registry(tmp_path: Path) -> None:
    assert offered("rolecall roles show ") == []
    assert not (tmp_path / "registry.db").exists()


def test_a_broken_registry_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database at all" * 100)
    assert offered("rolecall roles show ") == []


PRESS_TAB = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_rolecall rolecall
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rolecall roles show ma", "math"),
        ("rolecall route --role=ma", "math"),
        ("rolecall endpoints show lab/ours:", "8b"),
        ("rolecall endpoints show lab/", "lab/ours:8b"),
        ("rolecall registry apply ", ""),
    ],
)
def test_bash_gets_words_as_it_splits_them(
    line: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    ran = subprocess.run(
        ["bash", "--norc", "-c", PRESS_TAB, "bash", str(COMPLETIONS / "rolecall.bash"), line],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout, ran.stderr) == (f"{words}\n", "")


@pytest.mark.parametrize(("shell", "name"), [("zsh", "rolecall.zsh"), ("fish", "rolecall.fish")])
def test_the_other_shells_accept_their_script(shell: str, name: str) -> None:
    try:
        ran = subprocess.run([shell, "-n", str(COMPLETIONS / name)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert (ran.returncode, ran.stderr) == (0, "")
