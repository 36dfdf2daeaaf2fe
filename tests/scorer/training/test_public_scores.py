"""The table of public scores is built from rows of many spellings, scales and makers."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from rolecall.registry.scorer.training.public_scores import TableCell, main, read_rows, table, write

COLUMNS = ["model", "model_as_written", "benchmark", "metric", "score", "scale_min", "scale_max"]
COLUMNS += ["date", "source_repo", "commit", "licence", "note"]
REPOS = {
    "aider": "Aider-AI/aider",
    "epoch": "epoch-research/benchmark-stitching",
    "euroeval": "EuroEval/leaderboards",
    "makers": "JonathanChavezTamales/llm-leaderboard",
    "tau2": "sierra-research/tau2-bench",
}
MMLU = ("makers", "mmlu", "score", 0, 1)


class Rows:
    """Rows of a source table, written to a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "model_scores.csv.gz"
        self.rows: list[dict[str, str]] = []

    def add(
        self,
        written: str,
        exam: tuple[str, str, str, float, float],
        score: float,
        **more: str,
    ) -> None:
        source, benchmark, metric, low, high = exam
        row = dict.fromkeys(COLUMNS, "")
        row |= {"model": written, "model_as_written": written, "source_repo": REPOS[source]}
        row |= {"benchmark": benchmark, "metric": metric, "score": str(score)}
        row |= {"scale_min": str(low), "scale_max": str(high)}
        self.rows.append(row | more)

    def cells(self) -> dict[tuple[str, str], TableCell]:
        with gzip.open(self.path, "wt", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        return {(cell.benchmark, cell.model): cell for cell in table(read_rows(self.path))}


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


def test_spellings_meet_in_one_cell_on_a_scale_of_0_to_1(rows: Rows) -> None:
    polyglot = ("aider", "aider_polyglot", "pass_rate_2 (%)", 0, 100)
    rows.add("GPT-5 (high)", polyglot, 80)
    rows.add("gpt-5-2025-08-07_high", polyglot, 90)
    rows.add("gpt-5", polyglot, 60)
    cells = rows.cells()
    assert cells["aider_polyglot", "gpt-5-high"].score == pytest.approx(0.85)
    assert cells["aider_polyglot", "gpt-5"].score == pytest.approx(0.6)


def test_a_figure_outside_its_scale_or_on_an_open_one_is_left_out(rows: Rows) -> None:
    rows.add("gpt-4o", MMLU, 88.7)
    rows.add("gpt-4.1", MMLU, 0.5, scale_max="")
    assert rows.cells() == {}


def test_an_independent_figure_beats_the_makers_own(rows: Rows) -> None:
    rows.add("gpt-4o", ("makers", "gpqa", "score", 0, 1), 0.9, note="self-reported")
    rows.add("gpt-4.1", ("makers", "gpqa", "score", 0, 1), 0.7, note="self-reported")
    rows.add("gpt-4o", ("epoch", "epoch/GPQA diamond", "accuracy", 0, 1), 0.4)
    retail = ("tau2", "tau2/retail", "pass_1", 0, 100)
    rows.add("o3", retail, 90, note="submitted by OpenAI", date="2026-01-01")
    rows.add("o3", retail, 70, note="submitted by Sierra", date="2025-01-01")
    cells = rows.cells()
    assert cells["gpqa_diamond", "gpt-4o"] == TableCell(
        "gpt-4o", "gpqa_diamond", 0.4, "epoch", False
    )
    assert cells["gpqa_diamond", "gpt-4.1"].self_reported
    assert cells["tau2_retail", "o3"] == TableCell("o3", "tau2_retail", 0.7, "tau2", False)


def test_of_several_figures_the_newest_count(rows: Rows) -> None:
    rows.add("gpt-4o", MMLU, 0.5, date="2025-01")
    rows.add("gpt-4o", MMLU, 0.7, date="2025-06")
    rows.add("gpt-4o", MMLU, 0.8, date="2025-06")
    assert rows.cells()["mmlu", "gpt-4o"].score == pytest.approx(0.75)


def test_base_models_and_systems_of_several_are_left_out(rows: Rows) -> None:
    for written in ("kimi-k2-base", "google/gemma-3-4b-pt", "o3 (high) + gpt-4.1", "gpt-4o"):
        rows.add(written, MMLU, 0.5)
    assert [model for _, model in rows.cells()] == ["gpt-4o"]


def test_an_open_model_that_thinks_by_default_is_told_from_itself_not_thinking(rows: Rows) -> None:
    for dataset in ("mmlu_de", "hellaswag_de"):
        exam = ("euroeval", f"euroeval/german/{dataset}", "primary metric", 0, 100)
        rows.add("Qwen/Qwen3-8B", exam, 70)
        rows.add("Qwen/Qwen3-8B#no-thinking", exam, 50)
    cells = rows.cells()
    assert cells["euroeval_germanic", "qwen3-8b-thinking"].score == pytest.approx(0.7)
    assert cells["euroeval_germanic", "qwen3-8b"].score == pytest.approx(0.5)


def test_a_model_that_met_only_the_easy_exam_is_not_flattered(rows: Rows) -> None:
    easy, hard = (
        ("euroeval", f"euroeval/{language}/scala_{language[:2]}", "primary metric", 0, 100)
        for language in ("english", "greek")
    )
    for written, level in (("gpt-4o", 0), ("gpt-4.1", 10)):
        rows.add(written, easy, 80 + level)
        rows.add(written, hard, 40 + level)
    rows.add("gpt-4.1-mini", easy, 80)
    cells = rows.cells()
    assert cells["euroeval_grammar", "gpt-4o"].score == pytest.approx(0.6)
    assert cells["euroeval_grammar", "gpt-4.1"].score == pytest.approx(0.7)
    assert cells["euroeval_grammar", "gpt-4.1-mini"].score == pytest.approx(0.6, abs=0.002)


def test_the_same_cells_are_the_same_bytes(tmp_path: Path) -> None:
    cells = [TableCell("gpt-4o", "mmlu", 0.8871, "llm_leaderboard", True)]
    for name in ("a.csv.gz", "b.csv.gz"):
        write(cells, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    text = gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode()
    assert text.splitlines()[1] == "mmlu,gpt-4o,0.887,llm_leaderboard,1"


def test_without_a_table_it_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/scores.csv.gz"]) == 2
    assert capsys.readouterr().err == (
        "error: no table of public scores; give MODEL_SCORES.csv.gz\n"
    )
