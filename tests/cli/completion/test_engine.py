"""What a Tab press offers, and the scripts that ask for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.cli.completion.engine import reply
from rolecall.cli.completion.scripts import SCRIPTS
from rolecall.cli.tree import PLACES, tree

if TYPE_CHECKING:
    from tests.conftest import Rolecall

COMPLETIONS = Path(__file__).parents[3] / "completions"
BIN = Path(sys.executable).parent


@pytest.fixture
def registry(rolecall: Rolecall) -> None:
    """Make a registry with an endpoint whose id has what shells split words at."""
    assert rolecall("models", "add", "ours", "--bare").exit_code == 0
    assert rolecall("endpoints", "add", "lab/ours:8b", "--model", "ours").exit_code == 0


def offered(line: str) -> list[str] | None:
    """Return the words offered; null where the shell is to complete a file's name."""
    answer = reply(line, tree())
    return None if answer is None else [one.partition("\t")[0] for one in answer.splitlines()]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_shipped_scripts_are_those_that_are_printed(shell: str, rolecall: Rolecall) -> None:
    printed = rolecall("completion", shell)
    assert (printed.exit_code, printed.stderr) == (0, "")
    shipped = (COMPLETIONS / f"rolecall.{shell}").read_text()
    assert shipped == printed.stdout, "run: make completions"


def test_a_shell_without_a_script_is_refused(rolecall: Rolecall) -> None:
    done = rolecall("completion", "tcsh")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is none of bash, zsh, fish" in done.stderr


def test_commands_are_offered_with_their_summaries() -> None:
    found = reply("rolecall ro", tree())
    assert found == "".join(f"{name}\t{PLACES[name].summary}\n" for name in ("route", "roles"))
    assert "assign\tAssign an endpoint to a role, or change its assignment.\n" in str(
        reply("rolecall roles ", tree())
    )


def test_options_are_offered_after_a_dash() -> None:
    assert offered("rolecall registry apply --d") == ["--dry-run"]
    assert {"-o", "--output", "--help"} <= set(offered("rolecall registry export -") or ())


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
        ("rolecall nothing ", []),
        ("rolecall completion z", ["zsh"]),
        ("rolecall help r", ["route", "roles", "registry"]),
        ("rolecall route why ", []),
        ("rolecall registry apply ", None),
        ("rolecall scorer eval one.jsonl two", None),
        ("rolecall route --messages=", None),
    ],
)
def test_what_is_due_is_offered(line: str, names: list[str] | None) -> None:
    assert offered(line) == names


def test_names_come_from_the_registry_that_the_line_names(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    rolecall("roles", "add", "zoologist", "--registry", other)
    assert offered("rolecall roles show z") == []
    assert offered(f"rolecall roles show --registry {other} z") == ["zoologist"]
    assert offered(f"rolecall roles show --registry={other} z") == ["zoologist"]


def test_before_a_registry_exists_neither_names_nor_files_are_offered(tmp_path: Path) -> None:
    assert offered("rolecall roles show ") == []
    assert not (tmp_path / "registry.db").exists()


def test_a_broken_registry_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database at all" * 100)
    assert offered("rolecall roles show ") == []


PRESS_TAB = """
source "$1"
compopt() { printf 'compopt %s\\n' "$*"; }
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_rolecall rolecall
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rolecall roles show ma", ["math"]),
        ("rolecall route --role=ma", ["math"]),
        ("rolecall endpoints show lab/ours:", ["8b"]),
        ("rolecall endpoints show lab/", ["lab/ours:8b"]),
        ("rolecall roles show zzz", [""]),
        ("rolecall registry apply ", None),
    ],
)
def test_bash_gets_words_as_it_splits_them_and_files_only_where_one_is_due(
    line: str, words: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    ran = subprocess.run(
        ["bash", "--norc", "-c", PRESS_TAB, "bash", str(COMPLETIONS / "rolecall.bash"), line],
        capture_output=True,
        text=True,
        check=True,
    )
    said = [""] if words is None else ["compopt +o default", *words]
    assert (ran.stdout.splitlines(), ran.stderr) == (said, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_accept_their_script(shell: str) -> None:
    script = str(COMPLETIONS / f"rolecall.{shell}")
    try:
        ran = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert (ran.returncode, ran.stderr) == (0, "")
