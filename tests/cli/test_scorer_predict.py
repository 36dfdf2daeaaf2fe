"""`rolecall scorer predict` as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.scorer.judged_files import write

if TYPE_CHECKING:
    from tests.conftest import Rolecall

SKIP_HINT = "hint: mend these lines, or leave them out: --skip-bad\n"


def test_each_row_is_a_line_with_the_documented_keys_first(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"id": "k1", "prompt": "hello", "scores": {"x/GPT-4o-2024-08-06": 1, "nobody": 0}},
        {"id": 2, "prompt": "hello", "models": ["nobody"]},
        {"prompt": "hello", "models": ["nobody"]},
    )
    done = rolecall("scorer", "predict", path)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["k1", 2, "a.jsonl:3"]
    for line in lines:
        assert list(line) == ["id", "success", "output_tokens", "success_std", "basis"]
    names = ["x/GPT-4o-2024-08-06", "nobody"]
    assert all(list(lines[0][key]) == names for key in list(lines[0])[1:])
    assert all(0 <= value <= 1 for value in lines[0]["success"].values())
    assert all(type(value) is int for value in lines[0]["output_tokens"].values())
    assert lines[0]["basis"]["nobody"] == "facts" != lines[0]["basis"]["x/GPT-4o-2024-08-06"]
    assert lines[0]["success"]["nobody"] == lines[1]["success"]["nobody"]
    assert rolecall("scorer", "predict", path, "--json") == done


def test_stdin_and_files_are_read_and_models_can_be_named(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", {"prompt": "q", "scores": {"own": 1}})
    done = rolecall(
        "scorer", "predict", "-", path, "--model", "b", "--model", "a", input='{"prompt": "p"}'
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["stdin:1", "a.jsonl:1"]
    assert [list(line["success"]) for line in lines] == [["b", "a"]] * 2


def test_without_models_the_registrys_are_predicted_and_none_is_made(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    registry = tmp_path / "other.db"
    done = rolecall("scorer", "predict", "-", "--registry", registry, input='{"prompt": "p"}\n')
    starter = json.loads(rolecall("models", "list", "--json").stdout)["models"]
    variants = set(json.loads(done.stdout)["success"]) - {model["id"] for model in starter}
    assert variants == {
        *("claude-haiku-4-5-high", "claude-sonnet-4-6-high", "gpt-5.4-mini-high"),
        "qwen3-8b-none",
    }
    assert not registry.exists()


def test_bad_lines_are_named_before_anything_is_predicted(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    good, bad = {"prompt": "p", "scores": {"x": 1}}, {"prompt": "q", "scores": {"x": 2}}
    path = write(tmp_path / "a.jsonl", good, bad)
    problem = f"{path}:2: scores: x: expected a number from 0 to 1, got 2"
    done = rolecall("scorer", "predict", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: {problem}\n{SKIP_HINT}"
    done = rolecall("scorer", "predict", path, "--skip-bad")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1)
    assert done.stderr == f"left out: {problem}\n"


def test_a_reader_that_has_enough_stops_it_quietly(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *({"prompt": f"{n}", "models": ["x"]} for n in range(3000)))
    program = Path(sys.executable).with_name("rolecall")
    with subprocess.Popen(
        [program, "scorer", "predict", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["id"] == "a.jsonl:1"
        running.stdout.close()
        assert running.stderr.read() == b""
