"""`rolecall scorer train`, `scorer use` and what `scorer show` says of fits, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rolecall.registry.scorer.model import Scorer
from tests.scorer.judged_files import write
from tests.scorer.tiny import tiny_rows, tiny_scorer

if TYPE_CHECKING:
    from tests.conftest import Rolecall


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny scorer be the shipped one."""
    monkeypatch.setattr(Scorer, "load", lambda _folder=None, **_: tiny_scorer())


def write_rows(path: Path, count: int) -> Path:
    return write(path, *tiny_rows(count, models=["poet", "summer"]))


def test_it_says_what_was_kept_how_it_compares_and_that_it_decides(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    own = write_rows(tmp_path / "own.jsonl", 60)
    done = rolecall("scorer", "train", own)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "60 prompts, 2 models, 120 scores"
    assert lines[1].startswith("compared on 120 scores of 60 groups held back; they succeed 0.")
    shown = {line.rsplit(maxsplit=2)[0].strip(): float(line.split()[-2]) for line in lines[4:8]}
    assert list(shown) == [
        "fitted",
        "in use so far",
        "task means, told the task",
        "each model's mean",
    ]
    assert shown["fitted"] < shown["in use so far"]
    assert lines[9].startswith("promoted: better than pretrained (Brier −0.")
    predicted = rolecall("scorer", "predict", own, "--model", "poet")
    assert set(json.loads(predicted.stdout.splitlines()[0])["basis"].values()) == {"fitted"}


def test_rows_that_are_not_promoted_wait_and_that_is_said(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    own = write_rows(tmp_path / "own.jsonl", 10)
    done = rolecall("scorer", "train", own)
    assert "kept pretrained: 10 groups" in done.stdout
    assert done.stderr.endswith("the rows are kept, not used; to use them all the same: --force\n")
    listed = rolecall("scorer", "use")
    assert listed.stderr.startswith("10 more prompts are kept and not used")
    forced = rolecall("scorer", "train", own, "--force", "--json")
    answer = json.loads(forced.stdout)
    assert (answer["promoted"], answer["in_use"], answer["prompts"]) == (True, "own", 10)
    assert answer["verdict"].startswith("promoted by --force: 10 groups")


def test_fits_are_listed_shown_and_switched_off_and_on(rolecall: Rolecall, tmp_path: Path) -> None:
    rolecall("scorer", "train", write_rows(tmp_path / "own.jsonl", 60))
    lines = rolecall("scorer", "use").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["pretrained", "own"]
    assert lines[2].split()[1:4] == ["yes", "60", "2"]
    off = rolecall("scorer", "use", "pretrained")
    assert off.stdout == "in use: pretrained (before: own)\n"
    assert json.loads(rolecall("scorer", "use", "--json").stdout)["in_use"] == "pretrained"
    shown = json.loads(rolecall("scorer", "show", "--json").stdout)["fits"]
    assert (shown["in_use"], shown["models"]) == (False, {"poet": 60, "summer": 60})
    assert "poet 60, summer 60" in rolecall("scorer", "show").stdout
    assert json.loads(rolecall("scorer", "use", "own", "--json").stdout) == {
        "in_use": "own",
        "before": "pretrained",
    }


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["own"], "there are no judged rows to rest on", "rolecall scorer train JUDGED.jsonl"),
        (["mine"], 'no scorer is named "mine"', "one of pretrained, own"),
    ],
)
def test_what_cannot_be_used_is_said_with_what_to_type(
    rolecall: Rolecall, words: list[str], message: str, hint: str
) -> None:
    result = rolecall("scorer", "use", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {message}\nhint: {hint}\n"


def test_bad_lines_are_named_or_left_out(rolecall: Rolecall, tmp_path: Path) -> None:
    own = write_rows(tmp_path / "own.jsonl", 40)
    with own.open("a") as file:
        file.write('{"prompt": "no scores"}\n')
    done = rolecall("scorer", "train", own)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "own.jsonl:41: no scores" in done.stderr
    skipped = rolecall("scorer", "train", own, "--skip-bad")
    assert skipped.exit_code == 0
    assert "own.jsonl:41: no scores" in skipped.stderr
