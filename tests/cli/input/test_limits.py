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


LONG = "x" * 300
DEEP = "x/" * 3000


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        (LONG, 1, "file name too long"),
        (DEEP, 1, "file name too long"),
        ("~nobody-of-this-name/x", 2, "there is no such user's home"),
        ("~nobody-of-this-name", 2, "there is no such user's home"),
        ("", 1, "is a folder"),
        (".", 1, "is a folder"),
        ("/dev/null", 1, "is not a rolecall registry"),
        (ENDLESS, 1, "is not a rolecall registry"),
        ("/dev/null/x", 1, "not a directory"),
        ("one\ntwo/", 1, "is a folder"),
    ],
)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_path_that_is_no_registry_is_one_line(
    path: str,
    code: int,
    said: str,
    by: str,
    rolecall: Rolecall,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one\ntwo").mkdir()
    if by == "environment" and not path:
        return  # an empty variable is none
    words = ("--registry", path) if by == "option" else ()
    env = {"ROLECALL_REGISTRY": path} if by == "environment" else {}
    for command in (("endpoints", "list"), ("telemetry", "list"), ("registry", "check")):
        ran = rolecall(*command, *words, env=env)
        assert (ran.exit_code, ran.stdout) == (code, "")
        error, hint = ran.stderr.splitlines()
        assert error.startswith("error: ")
        assert said in error or "there is no registry at" in error
        assert hint.startswith("hint: ")


@pytest.mark.parametrize("option", ["-f", "--messages", "--schema", "--tools", "-a"])
@pytest.mark.parametrize("path", [LONG, DEEP, "~nobody-of-this-name/x", "no\nfile"])
def test_a_path_that_is_no_file_is_one_line(option: str, path: str, rolecall: Rolecall) -> None:
    ran = rolecall("route", "hello", option, path)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[0].startswith("error: cannot read ")
    assert len(ran.stderr.splitlines()) <= 2
