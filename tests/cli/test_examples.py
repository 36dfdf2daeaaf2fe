"""Every example of every `--help` runs as it is printed, group by group, on a starter registry.

Ids of decisions stand for those of one's own. Training and evaluating a scorer is held elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rolecall.cli.tree import PLACES, tree
from tests.faults.plan import Plan
from tests.faults.server import FaultServer

COLOURS = '["red", "green", "blue"]'
SCHEMA = '{"type": "array", "items": {"type": "string"}}'
# Programs that the examples name and that are not what is tried here.
PROGRAMS = {"nano": "exit 0", "ssh": 'shift; exec "$@"', "git": "echo '+a line of a diff'"}
OTHER_SHELLS = re.compile(r"source <\((rolecall completion zsh)\)")
LONG = ("rolecall scorer train", "rolecall scorer eval", "rolecall scorer use own")
IDS = re.compile(r"\b(1m8x0b2k4e|01k9)\b")


def examples(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the example lines of a command, then those of the commands in it."""
    _, _, after = (command.help or "").partition("Examples:")
    yield from (line.strip() for line in after.splitlines() if line.strip())
    for name in (
        command.list_commands(typer.Context(command)) if path and _is_group(command) else ()
    ):
        yield from examples(command.get_command(typer.Context(command), name), (*path, name))


def _is_group(command: Any) -> bool:
    return hasattr(command, "list_commands")


GROUPS = {
    name: list(examples(tree().get_command(typer.Context(tree()), name), (name,)))
    for name in PLACES
}
GROUPS["rolecall"] = list(examples(tree(), ()))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with all that the examples name, a registry, and servers on loopback."""
    tmp_path = tmp_path_factory.mktemp("examples")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        _program(programs / name, f"#!/bin/sh\n{text}\n")
    run = f"#!{sys.executable}\nfrom rolecall.cli.main import run\nrun()\n"
    _program(programs / "rolecall", run)
    (tmp_path / "home" / ".config" / "fish" / "completions").mkdir(parents=True)
    (tmp_path / "trace.log").write_text("Thread 1 waits for Thread 2\n")
    (tmp_path / "list.json").write_text(SCHEMA)
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "hello"}\n{"prompt": "1 + 1"}\n')
    (tmp_path / "judged.jsonl").write_text(
        "".join(
            json.dumps({"prompt": f"what is {n} + {n}?", "scores": {"qwen3-8b": n % 2}}) + "\n"
            for n in range(30)
        )
    )
    with FaultServer(Plan(COLOURS)) as server:
        text = _run("rolecall registry export", tmp_path).stdout
        text = text.replace("http://localhost:11434", server.base_url("ollama"))
        text = text.replace("https://api.openai.com/v1", server.base_url("openai"))
        (tmp_path / "registry.yaml").write_text(text)
        for line in (
            "rolecall registry apply registry.yaml",
            "rolecall ask hello -m qwen3-8b",
            "rolecall registry backup ~/rolecall-backup.db",
        ):
            done = _run(line, tmp_path)
            assert done.returncode == 0, done.stderr
        yield tmp_path


@pytest.fixture
def desk(prepared: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    return shutil.copytree(prepared, tmp_path / "desk")


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _run(line: str, desk: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{desk / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(desk / "home"),
        "LC_ALL": "C.UTF-8",
        "EDITOR": "true",
        "OPENAI_API_KEY": "placeholder",
    }
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=desk,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_group_has_examples() -> None:
    assert [name for name, lines in GROUPS.items() if not lines] == []
    assert sum(map(len, GROUPS.values())) > 100


@pytest.mark.parametrize("group", GROUPS)
def test_examples_run_as_they_are_printed(group: str, desk: Path) -> None:
    decision = json.loads(_run("rolecall explain --json", desk).stdout)["decision_id"]
    for line in GROUPS[group]:
        if line.startswith(LONG):
            continue
        if line == "rolecall registry backup ~/rolecall-backup.db":
            (desk / "home" / "rolecall-backup.db").unlink()
        done = _run(OTHER_SHELLS.sub(r"\1", IDS.sub(decision, line)), desk)
        assert done.returncode == 0, f"$ {line}\n{done.stdout[-500:]}{done.stderr}"
        assert "Traceback" not in done.stderr
