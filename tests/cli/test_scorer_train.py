"""`rolecall scorer train` and `scorer use` as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scorer.own_world import own_rows, quicken, ship_tiny, write_rows

if TYPE_CHECKING:
    from tests.conftest import Rolecall

pytest.importorskip("torch", reason="the train extra is not installed")


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny scorer be the shipped one, and training be quick."""
    ship_tiny(monkeypatch, tmp_path / "shipped")
    quicken(monkeypatch)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "own.jsonl", own_rows(160))


def test_it_says_what_was_read_how_it_compares_and_that_it_is_used(
    rolecall: Rolecall, own: Path
) -> None:
    done = rolecall("scorer", "train", own)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "160 prompts, 3 models, 480 scores; from tiny-1"
    assert lines[1].startswith("trained and, by turns, tuned on ")
    assert lines[3].split() == ["Brier", "AUC", "picks", "right"]
    version = lines[4].split()[0]
    starts = (version, "tiny-1, in use so far", "nearest", "task means", "best single model")
    for line, start in zip(lines[4:9], starts, strict=True):
        assert line.startswith(start)
    assert lines[10].startswith(f"promoted: {version} is better (Brier −0.")
    assert max(map(len, lines)) <= 80
    listed = json.loads(rolecall("scorer", "use", "--json").stdout)["scorers"]
    assert [(one["name"], one["in_use"]) for one in listed] == [
        ("pretrained", False),
        (version, True),
    ]
    predicted = rolecall("scorer", "predict", own, "--model", "poet")
    assert set(json.loads(predicted.stdout.splitlines()[0])["basis"].values()) == {"latent"}


def test_json_is_one_object_with_the_documented_keys(rolecall: Rolecall, own: Path) -> None:
    done = rolecall("scorer", "train", own, "--json")
    answer = json.loads(done.stdout)
    assert list(answer) == [
        "version",
        "promoted",
        "in_use",
        "verdict",
        "interrupted",
        "read",
        "left_out",
        "base",
        "data",
        "split",
        "training",
        "comparison",
    ]
    assert done.stderr == ""


def test_one_that_is_kept_back_names_the_command_that_uses_it(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    rows = [
        {"prompt": f"other {n}", "scores": {"trained-5": n % 2, "trained-6": (n // 2) % 2}}
        for n in range(200)
    ]
    path = write_rows(tmp_path / "coin.jsonl", rows)
    done = rolecall("scorer", "train", path)
    assert done.exit_code == 0
    version = done.stdout.splitlines()[4].split()[0]
    assert done.stderr == f"to use it all the same: rolecall scorer use {version}\n"
    assert "\nkept tiny-1: the new one is not better beyond chance" in done.stdout
    used = rolecall("scorer", "use", version)
    assert (used.exit_code, used.stdout) == (0, f"in use: {version} (before: pretrained)\n")
    shown = rolecall("scorer", "show")
    assert shown.stdout.startswith(f"{version} · trained ")
    assert rolecall("scorer", "show", "pretrained").stdout.startswith("tiny-1 · trained ")
    back = rolecall("scorer", "use", "pretrained", "--json")
    assert json.loads(back.stdout) == {"in_use": "pretrained", "before": version}


def test_what_cannot_be_trained_on_is_one_clear_line(rolecall: Rolecall, tmp_path: Path) -> None:
    few = write_rows(tmp_path / "few.jsonl", own_rows(12))
    alone = write_rows(
        tmp_path / "alone.jsonl", [{"prompt": f"p{n}", "scores": {"a": 1}} for n in range(99)]
    )
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "p", "scores": {"a": 2}}\n{"prompt": ')
    for path, line in (
        (few, "error: 12 prompts are too few to train on: 60 are needed"),
        (alone, "error: only one model is judged: a"),
        (bad, "error: 2 bad lines"),
        (tmp_path / "gone.jsonl", f"error: cannot read {tmp_path / 'gone.jsonl'}: no such file"),
    ):
        done = rolecall("scorer", "train", path)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.splitlines()[0].startswith(line)


def test_an_unknown_version_is_refused_with_those_there_are(rolecall: Rolecall) -> None:
    done = rolecall("scorer", "use", "own-1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == 'error: no scorer is named "own-1"\nhint: one of pretrained\n'


def test_the_shell_is_offered_the_versions(rolecall: Rolecall, own: Path) -> None:
    rolecall("scorer", "train", own)
    offered = rolecall(env={"_ROLECALL_COMPLETE": "rolecall scorer use "}).stdout.split()
    assert offered[0] == "pretrained"
    assert offered[1].startswith("own-")
