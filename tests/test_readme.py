"""Every command that the README and the help topics show is run, and transcripts are real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.plan import Plan
from tests.faults.server import FaultServer

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "cli" / "help").glob("*.md"))]
LONGEST_README = 1800  # words
CONSOLE = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
FILES = re.compile(r"^```yaml file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYS = ("ANTHROPIC", "OPENAI", "GEMINI", "GROQ", "DEEPSEEK", "MISTRAL")
TRACE = "\n".join(
    f'Thread {n} waits for lock {n % 3} held by thread {n + 1}\n  File "pool.py", line {40 + n}'
    for n in range(200)
)
CHAT = """{"messages": [{"role": "system", "content": "You are terse."},
 {"role": "user", "content": "Is it raining in Lisbon?"}],
 "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]}"""
PROMPTS = '{"custom_id": "a", "prompt": "Hello there!"}\n{"prompt": "Solve x^2 = 2 mod 7."}\n'
COLOURS = """{"type": "object", "required": ["colours"],
 "properties": {"colours": {"type": "array", "items": {"type": "string"}}}}"""
ANSWER = "Air scatters short waves of light more than long ones, so the sky looks blue."


class Model(FaultServer):
    """A model that answers in JSON where it is asked to."""

    def _next_plan(self, model: str) -> Plan:
        plan = super()._next_plan(model)
        is_json = "format" in self.requests[-1].body
        return replace(plan, text='{"colours": ["red", "green", "blue"]}') if is_json else plan


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that holds every file that the commands name, and a local model."""
    (tmp_path / "colours.json").write_text(COLOURS)
    _fill(tmp_path)
    model = Plan(ANSWER, input_tokens=31, output_tokens=19, first_delay_s=0.3, token_delay_s=0.02)
    with Model(model) as server:
        run("rolecall registry export -o local.yaml", tmp_path)
        text = (tmp_path / "local.yaml").read_text()
        here = server.base_url("ollama")
        (tmp_path / "local.yaml").write_text(text.replace("http://localhost:11434", here))
        run("rolecall registry apply local.yaml", tmp_path)
        yield tmp_path


def _fill(tmp_path: Path) -> None:
    (tmp_path / "trace.log").write_text(TRACE)
    (tmp_path / "notes.txt").write_text("We still do not know who owns the backups.\n")
    (tmp_path / "chat.json").write_text(CHAT)
    (tmp_path / "prompts.jsonl").write_text(PROMPTS)
    for page in PAGES:
        for name, text in FILES.findall(page.read_text()):
            (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    (tmp_path / "pool.py").write_text("def take():\n    return 1\n")
    subprocess.run(["git", "add", "pool.py"], cwd=tmp_path, check=True)
    (tmp_path / "pool.py").write_text("def take():\n    return 2\n")


def environment(desk: Path) -> dict[str, str]:
    """Return a bare environment in which every provider's key is set."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(desk / "home"),
        "LC_ALL": "C.UTF-8",
        **{f"{name}_API_KEY": "placeholder" for name in KEYS},
    }


def run(command: str, desk: Path) -> str:
    """Run one shown command as a shell does; return what a terminal would have shown."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.replace("=…", "=placeholder")],
        cwd=desk,
        env=environment(desk),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def shape(text: str) -> str:
    """Return a transcript with every figure, every id and all spacing made alike.

    Quantized arithmetic differs in the last digits between processors, and a slow machine takes
    seconds where another takes milliseconds.
    """
    text = re.sub(r"\b01[0-9a-z]{14}\b", "ID", text).replace(" ms", " s")
    return re.sub(r"\s+", " ", re.sub(r"\d+(?:[.,]\d+)*", "0", text)).strip()


def transcript(block: str, desk: Path) -> str:
    """Run a console block's commands; return it with what they printed, where it shows output."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    printed = []
    for part in parts:
        command, _, shown = part.partition("\n")
        output = run(command, desk)
        printed.append(f"$ {command}\n" + (output if shown.strip() else ""))
    return "".join(printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_runs_and_prints_what_is_shown(
    page: Path, desk: Path, request: pytest.FixtureRequest
) -> None:
    text = page.read_text()
    fresh = CONSOLE.sub(lambda block: transcript(block[0], desk), text)
    if request.config.getoption("--golden"):
        page.write_text(fresh)
        text = fresh
    for shown, real in zip(CONSOLE.findall(text), CONSOLE.findall(fresh), strict=True):
        assert shape(shown) == shape(real)


def test_every_command_named_anywhere_exists(tmp_path: Path) -> None:
    named = {
        line
        for page in PAGES
        for line in re.findall(r"`rolecall ([a-z]+(?: [a-z]+)?)\b", page.read_text())
    }
    assert len(named) > 10
    for line in sorted(named):
        assert "Usage:" in run(f"rolecall {line} --help", tmp_path), line


def test_the_readme_stays_short() -> None:
    assert len(PAGES[0].read_text().split()) < LONGEST_README
