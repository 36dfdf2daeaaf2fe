"""`rolecall scorer eval --robust`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Rolecall

PROMPTS = ("Write a poem about autumn rain.", "How does a steam engine work?", "What's 2 + 2?")


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    path = tmp_path / "judged.jsonl"
    rows = [
        {"prompt": f"{prompt} ({number})", "scores": {"one": number % 2, "two": 1}}
        for number, prompt in enumerate(PROMPTS * 3)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_flips_are_printed_by_kind_and_policy(
    rolecall: Rolecall, judged: Path, tmp_path: Path
) -> None:
    result = rolecall("scorer", "eval", judged, "--robust", "--prompts", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert "2 prompts changed in" in lines[0]
    assert lines[2].split()[:2] == ["change", "balanced"]
    assert [line for line in lines if line.startswith("all ")]
    assert [line for line in lines if line.startswith("constant ")]
    assert not (tmp_path / "registry.db").exists()


def test_json_has_the_same_figures(rolecall: Rolecall, judged: Path) -> None:
    args = ("scorer", "eval", judged, "--robust", "--prompts", "2", "--strategy", "fast", "--json")
    report = json.loads(rolecall(*args).stdout)
    assert report["strategies"] == ["fast"]
    assert report["prompts"] == 2
    assert report["flips"]["constant"]["share"] == 0
    assert report["flips"]["fast"]["cases"] == report["texts"]
    assert {kind["kind"] for kind in report["kinds"]} >= {"synonyms", "please", "swapped letters"}


def test_an_option_that_says_nothing_of_robustness_is_refused(
    rolecall: Rolecall, judged: Path, tmp_path: Path
) -> None:
    result = rolecall("scorer", "eval", judged, "--robust", "--plot", tmp_path / "curve.svg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--robust takes no --plot" in result.stderr


def test_bad_lines_are_named_or_left_out(rolecall: Rolecall, judged: Path) -> None:
    judged.write_text(judged.read_text() + '\n{"prompt": "and?", "scores": {"one": 2}}\n')
    refused = rolecall("scorer", "eval", judged, "--robust", "--prompts", "1")
    assert refused.exit_code != 0
    assert "judged.jsonl:10" in refused.stderr
    skipped = rolecall("scorer", "eval", judged, "--robust", "--prompts", "1", "--skip-bad")
    assert skipped.exit_code == 0
    assert "judged.jsonl:10" in skipped.stderr
