"""Files that have no end, and paths that lead to no file, are refused in one line."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from rolecall.cli.input import files
from rolecall.registry.scorer import data_lines
from tests.conftest import Rolecall

ENDLESS = "/dev/zero"
TOO_LONG = "is over 64 MiB, the most that is read"


@pytest.mark.parametrize(
    "words",
    [
        ("route", "-f", ENDLESS),
        ("route", "hello", "--messages", ENDLESS),
        ("route", "hello", "-a", ENDLESS),
        ("route", "hello", "--schema", ENDLESS),
        ("route", "hello", "--tools", ENDLESS),
        ("ask", "-f", ENDLESS),
        ("explain", "-f", ENDLESS),
    ],
)
def test_a_file_without_end_is_refused_with_the_limit(
    words: tuple[str, ...], rolecall: Rolecall
) -> None:
    ran = rolecall(*words)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"error: {ENDLESS} {TOO_LONG}\n" in ran.stderr


def test_a_registry_document_without_end_is_refused(
    rolecall: Rolecall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolecall.cli.commands.registry.MAX_DOCUMENT_BYTES", files.MIB)
    ran = rolecall("registry", "apply", ENDLESS)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"error: {ENDLESS} is over 1 MiB, the most that is read\n")


def test_a_line_without_end_is_refused_and_the_rows_before_it_are_decided(
    rolecall: Rolecall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", files.MIB)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('"hello"\n' + "x" * (2 * files.MIB))
    ran = rolecall("route", "--jsonl", "-f", rows, env={"OPENAI_API_KEY": "placeholder"})
    assert ran.exit_code == 2
    assert len(ran.stdout.splitlines()) == 1
    assert f"{rows}:2: the line is over 1 MiB, the most that is read" in ran.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_judged_rows_is_bounded_packed_or_not(
    packed: bool, rolecall: Rolecall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(data_lines, "MAX_LINE_BYTES", files.MIB)
    rows = Path(ENDLESS)
    if packed:
        rows = tmp_path / "rows.jsonl.gz"
        rows.write_bytes(gzip.compress(bytes(4 * files.MIB)))
    ran = rolecall("scorer", "fit", "anything", rows)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"{rows}:1: a line of over 1 MiB" in ran.stderr


def test_a_pipe_without_end_is_refused(own_home: Path) -> None:  # noqa: ARG001
    reading = """
from pathlib import Path
from rolecall.cli.input.files import read_bytes
from rolecall.registry.core.errors import InvalidPrompt
try:
    read_bytes(Path("-"), InvalidPrompt)
except InvalidPrompt as error:
    print(error.message)
"""
    ran = subprocess.run(
        ["bash", "-c", f"yes | '{sys.executable}' -c '{reading}'"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout == f"stdin {TOO_LONG}\n"


@pytest.mark.parametrize("option", ["-f", "--messages", "--schema", "--tools", "-a"])
def test_a_folder_is_named(option: str, rolecall: Rolecall, tmp_path: Path) -> None:
    ran = rolecall("route", "hello", option, tmp_path)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"error: cannot read {tmp_path}: is a directory\n")
