"""`rolecall scorer eval`: what it prints, as text and as JSON, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rolecall.cli.render.evaluation import (
    cost_table,
    policy_table,
    quality_table,
    reliability_table,
    value_table,
)
from rolecall.cli.render.output import table_lines
from rolecall.registry.scorer.artifact import prompt_key, write_seen
from tests.conftest import Rolecall
from tests.evaluation.worlds import PRICES, SKILLED, Seer, install, rows, write_prices, write_rows

METHODS = ["nearest", "task means", "detected tasks", "one ability", "price order"]
OURS = ["ours", "ours, equal success"]


@pytest.fixture(autouse=True)
def seer(monkeypatch: pytest.MonkeyPatch) -> Seer:
    return install(monkeypatch)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "judged.jsonl", rows(240))


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    return write_prices(tmp_path / "prices.yaml")


def first_words(lines: list[str], start: str) -> list[str]:
    """Return the first cell of each row of the table that starts so."""
    begin = next(number for number, line in enumerate(lines) if line.startswith(start))
    cells = []
    for line in lines[begin + 1 :]:
        if not line:
            break
        cells.append(line.split("  ")[0])
    return cells


def test_it_tells_the_coverage_the_policies_and_last_the_verdict(
    rolecall: Rolecall, judged: Path, prices: Path
) -> None:
    result = rolecall("scorer", "eval", judged, "--prices", prices)
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0] == "seer-1 · balanced: the value of a correct answer is $0.05"
    assert "cross-fitted on these rows" in lines[1]
    assert lines[4] == "world · 240 of 240 prompts, 3 of 3 models"
    first = ["oracle", *OURS, *METHODS, "middling *"]
    assert first_words(lines, "policy")[:9] == first
    assert sorted(first_words(lines, "policy")[9:11]) == ["abacus", "lyra"]
    assert first_words(lines, "policy")[11:13] == ["cheapest", "random"]
    assert first_words(lines, "predictions")[:6] == ["ours", *METHODS]
    assert first_words(lines, "value of ours over") == METHODS
    assert "        success" in lines, "the figure in plain characters"
    legend = "* middling: the cheapest that is as successful as the best within noise; gain:"
    assert legend in lines
    assert lines[-1].startswith("world: route: ")


def test_without_prices_there_are_no_costs_and_it_says_so(rolecall: Rolecall, judged: Path) -> None:
    result = rolecall("scorer", "eval", judged)
    assert result.exit_code == 0
    assert "without costs: too few of these models have a price (--prices FILE)" in result.stdout
    assert "aiq" not in result.stdout
    assert "  success\n" not in result.stdout
    assert "world: " in result.stdout.splitlines()[-1]


def test_json_is_one_object_with_everything(rolecall: Rolecall, judged: Path, prices: Path) -> None:
    result = rolecall("scorer", "eval", judged, "--prices", prices, "--fold", "2", "--json")
    told = json.loads(result.stdout)
    assert list(told) == [
        "scorer_version",
        "strategy",
        "quality_usd",
        "learned_by",
        "seen_left_out",
        "sets",
        "by_prompts",
        "by_set",
        "skipped",
        "bad_lines",
        "counted",
    ]
    assert (told["counted"], told["learned_by"]) == (["success", "cost"], "other folds")
    [one] = told["sets"]
    assert (one["dataset"], one["prompts"], one["cases"]) == ("world", 48, 48)
    assert one["prices"]["lyra"]["source"] == str(prices)
    assert one["verdict"]["model"] in one["verdict"]["text"]
    assert {each["policy"] for each in one["policies"]} >= {"ours", "oracle", "single:lyra"}


def test_several_data_sets_end_with_their_verdicts_together(
    rolecall: Rolecall, tmp_path: Path, prices: Path
) -> None:
    made = [*rows(60), *rows(60, dataset="other"), *rows(9, {"lyra": (1, 1)}, dataset="solo")]
    path = write_rows(tmp_path / "all.jsonl", made)
    lines = rolecall("scorer", "eval", path, "--prices", prices).stdout.splitlines()
    assert lines[-5:-2] == ["left out: solo judges one model only (lyra)", "", "in short"]
    assert [line.partition(":")[0] for line in lines[-2:]] == ["world", "other"]


def test_the_reliability_of_each_model_is_shown_when_asked_for(
    rolecall: Rolecall, judged: Path, prices: Path
) -> None:
    command = ("scorer", "eval", judged, "--prices", prices)
    assert "predicted  observed" not in rolecall(*command).stdout
    shown = rolecall(*command, "--reliability").stdout
    assert shown.count("predicted  observed  prompts") == 3


def test_prompts_that_the_scorer_learned_from_are_told_and_left_out(
    rolecall: Rolecall, judged: Path, prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_seen(tmp_path, [prompt_key(row["prompt"]) for row in rows(240)[:100]])
    monkeypatch.setattr("rolecall.registry.scorer.artifact.PRETRAINED", tmp_path)
    shown = rolecall("scorer", "eval", judged, "--prices", prices).stdout
    assert "world · 140 of 240 prompts" in shown
    text = " ".join(shown.split())
    assert "100 of 240 prompts were in this scorer's training data: left out (--include" in text
    kept = rolecall("scorer", "eval", judged, "--prices", prices, "--include-seen").stdout
    assert "world · 240 of 240 prompts" in kept
    assert "are included: its figures here are too good" in " ".join(kept.split())


def test_a_second_evaluation_reads_no_prompt_again(
    rolecall: Rolecall, judged: Path, prices: Path, tmp_path: Path, seer: Seer
) -> None:
    command = ("scorer", "eval", judged, "--prices", prices, "--cache", tmp_path / "kept")
    first = rolecall(*command)
    assert len(seer.read_prompts) == 240
    again = rolecall(*command)
    assert len(seer.read_prompts) == 240
    assert (again.exit_code, again.stdout) == (0, first.stdout)


def test_several_sets_are_one_mixed_workload_with_one_verdict(
    rolecall: Rolecall, tmp_path: Path, prices: Path
) -> None:
    first = write_rows(tmp_path / "first.jsonl", rows(120, dataset="first"))
    path = write_rows(tmp_path / "other.jsonl", rows(60, dataset="other", seed=2))
    command = ("scorer", "eval", first, path, "--prices", prices, "--mixed")
    lines = rolecall(*command, "--share", "other=3").stdout.splitlines()
    assert lines[4] == "first + other · 180 of 180 prompts, 3 of 3 models"
    assert lines[5] == "one workload: first 25%, other 75%"
    assert lines[-1].startswith("first + other: route: ")
    refused = rolecall(*command, "--share", "othr=3")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith('error: no data set is named "othr"')


def test_answers_that_nobody_asked_for_are_told_with_what_was_done_about_them(
    rolecall: Rolecall, tmp_path: Path, prices: Path
) -> None:
    made = rows(100)
    for row in made[:30]:
        del row["scores"]["lyra"]
    path = write_rows(tmp_path / "holes.jsonl", made)
    text = " ".join(rolecall("scorer", "eval", path, "--prices", prices).stdout.split())
    assert "world · 100 of 100 prompts, 3 of 3 models 90% of the answers were judged: " in text
    made = rows(100)
    del made[0]["scores"]["lyra"]  # 299 of 300
    path = write_rows(tmp_path / "hole.jsonl", made)
    assert "99% of the answers" in rolecall("scorer", "eval", path, "--prices", prices).stdout
    assert "inverse probability weights and an additive model" in text


def test_a_csv_of_judged_rows_is_read_or_told_what_it_needs(
    rolecall: Rolecall, tmp_path: Path, prices: Path
) -> None:
    made = rows(60)
    table = [
        f"{row['prompt']},{','.join(f'{one:g}' for one in row['scores'].values())}" for row in made
    ]
    path = tmp_path / "exam.csv"
    path.write_text("\n".join(["prompt,abacus,lyra,middling", *table]))
    result = rolecall("scorer", "eval", path, "--prices", prices)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "exam · 60 of 60 prompts, 3 of 3 models" in result.stdout
    path.write_text("\n".join(["question,abacus,lyra,middling", *table]))
    refused = rolecall("scorer", "eval", path)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "a CSV has a column `prompt` and a column of scores for each model" in refused.stderr


def test_lines_left_out_are_told_on_stderr(
    rolecall: Rolecall, tmp_path: Path, prices: Path
) -> None:
    path = write_rows(tmp_path / "a.jsonl", [*rows(40), {"prompt": ""}])
    refused = rolecall("scorer", "eval", path, "--prices", prices)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "41" in refused.stderr
    result = rolecall("scorer", "eval", path, "--prices", prices, "--skip-bad", "--json")
    assert result.stderr.startswith("left out: ")
    assert json.loads(result.stdout)["bad_lines"].endswith(result.stderr.split(": ", 1)[1].strip())


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--strategy", "nope"], 2, 'error: no strategy is named "nope"'),
        (["--dataset", "nope"], 2, 'error: no data set is named "nope"'),
        (["--model", "nope", "--model", "lyra"], 2, 'error: no answer of "nope" was judged'),
        (["--model", "lyra"], 2, "error: lyra alone: there is nothing to route"),
        (["--fold", "77"], 2, "error: no row is in fold 77"),
        (["--share", "world=2"], 2, "error: --share says nothing without --mixed"),
        (["--mixed", "--share", "world"], 2, 'error: cannot read the share "world"'),
        (["--prices", "missing.yaml"], 2, "error: cannot read missing.yaml: no such file"),
        (["--plot", "figure.pdf"], 2, "error: cannot plot as figure.pdf"),
        (["--plot", "nowhere/figure.png"], 2, "error: cannot plot to nowhere/figure.png"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    rolecall: Rolecall, judged: Path, options: list[str], code: int, message: str
) -> None:
    result = rolecall("scorer", "eval", judged, *options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(message)
    assert "Traceback" not in result.stderr


def test_one_model_alone_is_told_with_a_hint(rolecall: Rolecall, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", rows(20, {"lyra": (0.5, 0.5)}))
    result = rolecall("scorer", "eval", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: world judges one model only (lyra): there is nothing to route\n"
        "hint: bring rows that judge two models or more on the same prompts\n"
    )


def test_no_registry_is_made_for_it(rolecall: Rolecall, judged: Path, tmp_path: Path) -> None:
    rolecall("scorer", "eval", judged)
    assert not (tmp_path / "registry.db").exists()


def test_plotting_without_matplotlib_says_what_to_install(
    rolecall: Rolecall, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in [one for one in sys.modules if one.startswith("rolecall.cli.render.plot")]:
        monkeypatch.delitem(sys.modules, name)
    result = rolecall("scorer", "eval", judged, "--plot", tmp_path / "a.svg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        'error: plotting needs matplotlib\nhint: pip install "rolecall[plot]"\n'
    )


def test_the_plot_is_written_beside_the_answer(
    rolecall: Rolecall, judged: Path, prices: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "curve.svg"
    result = rolecall("scorer", "eval", judged, "--prices", prices, "--json", "--plot", plot)
    verdict = json.loads(result.stdout)["sets"][0]["verdict"]["text"]
    assert result.exit_code == 0
    assert verdict.split()[0] in plot.read_text()


def test_a_plot_without_costs_is_told_after_the_answer(
    rolecall: Rolecall, judged: Path, tmp_path: Path
) -> None:
    result = rolecall("scorer", "eval", judged, "--json", "--plot", tmp_path / "curve.svg")
    assert json.loads(result.stdout)["sets"]
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        "error: there is nothing to plot: no model is known to cost anything",
    )


@pytest.fixture
def segment(rolecall: Rolecall, tmp_path: Path) -> dict[str, Any]:
    """A data set of twelve models with long names."""
    skill = {f"provider-family-{n}-instruct-2024": (0.3 + n / 20, 0.4) for n in range(12)}
    path = write_rows(tmp_path / "wide.jsonl", rows(40, SKILLED | skill))
    prices = write_prices(tmp_path / "p.yaml", PRICES | dict.fromkeys(skill, (1.0, 2.0)))
    told = json.loads(rolecall("scorer", "eval", path, "--prices", prices, "--json").stdout)
    found: dict[str, Any] = told["sets"][0]
    return found


def test_every_table_fits_a_terminal_of_80_columns(segment: dict[str, Any]) -> None:
    quality = segment["by_model"]["lyra"]
    values = value_table(segment["quality"], 0.05)
    tables = [policy_table(segment), quality_table(segment["quality"]), cost_table(segment), values]
    for columns, cells in [*tables, reliability_table("lyra", quality)]:
        assert max(map(len, table_lines(columns, cells, 80))) <= 80


def test_eight_single_models_are_shown_and_the_rest_counted(
    rolecall: Rolecall, tmp_path: Path, segment: dict[str, Any]
) -> None:
    columns, cells = policy_table(segment)
    assert len(columns) == 7
    assert len(cells) == 1 + len(OURS) + len(METHODS) + 8 + 2
    result = rolecall("scorer", "eval", tmp_path / "wide.jsonl", "--prices", tmp_path / "p.yaml")
    assert "  … and 7 more single models (--json has them)" in result.stdout
