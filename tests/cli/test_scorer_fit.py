"""`rolecall scorer fit` as a person meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.scorer.model import Scorer
from tests.conftest import Rolecall
from tests.scorer.judged_files import write
from tests.scorer.tiny import tiny_rows, tiny_scorer


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny scorer be the shipped one."""
    monkeypatch.setattr(Scorer, "load", lambda _folder=None, **_: tiny_scorer())


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    rows = tiny_rows(60, models=["stranger"], output_tokens={"stranger": 50})
    return write(tmp_path / "judged.jsonl", *rows)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    lines = [{"id": n, "prompt": f"{('sums', 'poems')[n % 2]}: new {n}"} for n in range(8)]
    return write(tmp_path / "pool.jsonl", *lines)


def test_the_answer_says_what_the_rows_are_worth(rolecall: Rolecall, judged: Path) -> None:
    result = rolecall("scorer", "fit", "stranger", judged)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "stranger: 60 rows (sums 30, poems 30), all with a length"
    assert lines[2].split() == ["success", "±", "brier"]
    shown = {line.rsplit(maxsplit=3)[0].strip(): line.split()[-3:] for line in lines[3:7]}
    assert list(shown) == ["judged", "by facts", "fitted", "its mean alone"]
    assert float(shown["fitted"][1]) < float(shown["by facts"][1])
    assert float(shown["fitted"][2]) < float(shown["its mean alone"][2])
    assert shown["judged"][1:] == ["–", "–"]
    assert re.fullmatch(
        r"kept; 60 rows held back are predicted better than before: brier down by \d+%", lines[-1]
    )
    assert re.fullmatch(r"read the prompts in [\d.]+ m?s, fitted in [\d.]+ m?s\n", result.stderr)


def test_a_fit_is_forgotten_without_a_word_on_stdout(rolecall: Rolecall, judged: Path) -> None:
    rolecall("scorer", "fit", "stranger", judged)
    result = rolecall("scorer", "fit", "x/Stranger", "--forget")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "forgot the judged rows of x/Stranger\n"
    rolecall("scorer", "fit", "stranger", judged)
    as_json = rolecall("scorer", "fit", "stranger", "--forget", "--json")
    assert (json.loads(as_json.stdout), as_json.stderr) == ({"forgot": "stranger"}, "")


def test_json_is_one_object_with_the_same_keys_with_and_without_rows(
    rolecall: Rolecall, judged: Path
) -> None:
    found = json.loads(rolecall("scorer", "fit", "stranger", judged, "--json").stdout)
    none = json.loads(rolecall("scorer", "fit", "nobody", judged, "--json").stdout)
    assert list(found) == list(none)
    assert (found["model"], found["rows"], found["stored"]) == ("stranger", 60, True)
    assert found["tasks"] == {"sums": 30, "poems": 30}
    compared = found["comparison"]
    assert compared["fitted"]["brier"] < compared["in_use"]["brier"]
    assert (none["rows"], none["stored"], none["known_by"]) == (0, False, "facts")
    assert none["comparison"] is None


def test_a_model_that_no_row_judges_stays_as_it_is_and_is_no_error(
    rolecall: Rolecall, judged: Path
) -> None:
    result = rolecall("scorer", "fit", "nobody", judged)
    assert result.exit_code == 0
    assert result.stdout == (
        "nobody: no row judges it; it is still read by its size, price and date\n"
    )
    assert result.stderr == "judged there: stranger\n"


def test_a_rehearsal_says_that_nothing_is_kept(rolecall: Rolecall, judged: Path) -> None:
    result = rolecall("scorer", "fit", "stranger", judged, "--dry-run")
    assert result.stdout.splitlines()[-1].startswith("not kept (--dry-run); ")
    assert rolecall("scorer", "fit", "stranger", "--forget").exit_code == 2


def test_one_row_is_too_few_to_tell(rolecall: Rolecall, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"prompt": "sums: 1", "model": "stranger", "score": 1, "task": "sums"}\n')
    result = rolecall("scorer", "fit", "stranger", path)
    assert result.stdout.startswith("stranger: 1 row (sums 1), none with a length\n")
    assert result.stdout.endswith(
        "kept; too few rows that it has not learned from to tell what they are worth\n"
    )


def test_suggestions_are_json_lines_ready_to_be_judged(
    rolecall: Rolecall, prompts: Path, judged: Path
) -> None:
    result = rolecall("scorer", "fit", "stranger", "--suggest", "3", prompts, judged)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [["id", "prompt"]] * 3
    assert all(line["prompt"].endswith(f" {line['id']}") for line in lines)
    again = rolecall("scorer", "fit", "stranger", "--suggest", "3", "-", input=prompts.read_text())
    assert len(again.stdout.splitlines()) == 3


def test_a_pool_that_is_too_small_is_given_whole_and_said_so(
    rolecall: Rolecall, prompts: Path
) -> None:
    result = rolecall("scorer", "fit", "stranger", "--suggest", "20", prompts)
    assert len(result.stdout.splitlines()) == 8
    assert result.stderr == "the pool has no more than 8 prompts to judge\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stranger"], "error: no judged rows were named\n"),
        (["stranger", "--forget", "a.jsonl"], "error: --forget takes a model and nothing else\n"),
        (["stranger", "--forget", "--suggest", "3"], "error: --forget takes a model and nothing"),
        (["stranger", "--forget", "--dry-run"], "error: --forget takes a model and nothing else\n"),
        (["stranger", "--forget"], 'error: there is no judged row of "stranger"\n'),
        (["stranger", "/nowhere.jsonl"], "error: cannot read /nowhere.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    rolecall: Rolecall, words: list[str], message: str
) -> None:
    result = rolecall("scorer", "fit", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


def test_a_few_rows_more_add_to_the_many_and_that_is_said(
    rolecall: Rolecall, judged: Path, tmp_path: Path
) -> None:
    rolecall("scorer", "fit", "stranger", judged)
    few = tmp_path / "few.jsonl"
    few.write_text('{"prompt": "sums: new", "scores": {"stranger": 1}, "task": "sums"}\n')
    again = rolecall("scorer", "fit", "stranger", few)
    assert again.stdout.startswith("stranger: 61 rows, 1 given and 60 kept before (sums 31, poems")
    replaced = rolecall("scorer", "fit", "stranger", few, "--replace")
    assert replaced.stdout.startswith("stranger: 1 row, 1 given and 61 kept before (sums 1)")


def test_fits_that_are_switched_off_are_said_to_be(rolecall: Rolecall, judged: Path) -> None:
    rolecall("scorer", "fit", "stranger", judged)
    rolecall("scorer", "use", "pretrained")
    again = rolecall("scorer", "fit", "stranger", judged)
    assert again.stderr.endswith("fits are switched off: rolecall scorer use own\n")


def test_an_evaluation_says_what_the_fits_have_seen_and_does_not_profit_from_it(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    """Every answer is a coin's: who had learned these rows would look better than even odds."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = [
        {
            "prompt": f"{('sums', 'poems')[number % 2]}: toss {number}",
            "scores": {model: float(rng.random() < 0.5) for model in ("stranger", "trained-3")},
        }
        for number in range(60)
    ]
    path = write(tmp_path / "tosses.jsonl", *rows)

    def brier() -> float:
        [one] = json.loads(rolecall("scorer", "eval", path, "--json").stdout)["sets"]
        return float(one["quality"]["ours"]["brier"]["mean"])

    before = rolecall("scorer", "eval", path).stdout
    assert "the scorer learned nothing here" in " ".join(before.split())
    assert "your fits" not in before
    assert rolecall("scorer", "fit", "stranger", path).exit_code == 0
    told = " ".join(rolecall("scorer", "eval", path).stdout.split())
    assert "your fits have seen prompts of these" in told
    assert "your fits have seen 60 of these prompts: each is predicted by fits to other" in told
    assert brier() > 0.24
