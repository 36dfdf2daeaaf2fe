from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from rolecall.registry.errors import InvalidDocument
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training.data import read_judged
from rolecall.registry.scorer.training.evaluate import (
    auc,
    calibration_error,
    excess_spread,
    figures,
    neighbours,
    task_means,
)

MODELS = ("gpt-4-0314", "llama-2-7b-hf", "stranger-1", "stranger-2")
SKILL = {"gpt-4-0314": 0.9, "llama-2-7b-hf": 0.3, "stranger-1": 0.6, "stranger-2": 0.6}
SUBJECTS = {
    "cooking": ("bake a plum cake", "boil potatoes", "roast a chicken", "season a soup"),
    "proofs": ("prove the lemma", "prove the theorem", "show the bound", "derive the identity"),
}


def judged_rows(count: int, seed: int) -> list[dict[str, object]]:
    """Synthetic rows: cooking is easy, proofs are hard, and models differ in skill."""
    order = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        subject = ("cooking", "proofs")[number % 2]
        phrase = SUBJECTS[subject][number % 4]
        ease = 1.5 if subject == "cooking" else -1.5
        chances = {m: 1 / (1 + np.exp(-(ease + 4 * (SKILL[m] - 0.6)))) for m in MODELS}
        rows.append(
            {
                "id": str(number),
                "task": subject,
                "fold": number // 2 % 8,
                "prompt": f"{phrase}, case {number}",
                "scores": {m: float(order.random() < p) for m, p in chances.items()},
                "output_tokens": dict.fromkeys(MODELS, 50 if subject == "cooking" else 400),
            }
        )
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_small_seeded_training_run_learns_what_is_there(scorer: Scorer, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    from rolecall.registry.scorer.training.fit import Settings
    from rolecall.registry.scorer.training.lesson import Lesson

    write(tmp_path / "rows.jsonl", judged_rows(480, seed=1))
    judged = read_judged(tmp_path)
    settings = Settings(members=2, hidden=32, dim=4, epochs=12, batch=64, everyday_weight=0.0)
    lesson = Lesson(judged, settings, scorer.encoder, None)
    network = lesson.train()
    trained = lesson.scorer(network, lesson.hold_out())
    signals = trained.signals(lesson.vectors[lesson.report], lesson.features[lesson.report])
    success, _ = trained.latent_success(signals)
    found = figures(judged, lesson.report, success)
    assert found["auc_rows"] > 0.75
    cake = trained.read("bake an apple cake")
    proof = trained.read("prove the corollary")
    assert cake.difficulty < proof.difficulty - 0.2
    again = lesson.train().state_dict()
    assert all((again[name] == value).all() for name, value in network.state_dict().items())


def test_rows_are_read_wide_and_by_answer_plain_and_packed(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        [{"prompt": "p", "scores": {"M": 1, "n": 0.5}, "output_tokens": {"M": 7}, "fold": 3}],
    )
    lines = [
        {"prompt": "q", "model": "m", "score": 0.25, "output_tokens": 9, "id": "1"},
        {"prompt": "q", "model": "n", "score": 1, "id": "2"},
        {"messages": [{"role": "user", "content": "r"}], "model": "n", "score": 0},
    ]
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write("\n\n".join(json.dumps(line) for line in lines))
    judged = read_judged(tmp_path)
    assert judged.prompts == ("p", "q", "r")
    assert judged.models == ("m", "n")
    assert judged.datasets == ("a", "b", "b")
    np.testing.assert_array_equal(judged.scores, [[1, 0.5], [0.25, 1], [np.nan, 0]])
    np.testing.assert_array_equal(judged.tokens, [[7, np.nan], [9, np.nan], [np.nan, np.nan]])
    assert judged.folds[0] == 3


def test_rows_of_one_group_share_a_fold(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": f"p{n}", "scores": {"m": 1}, "group": n // 5} for n in range(50)
    ]
    write(tmp_path / "a.jsonl", rows)
    folds = read_judged(tmp_path).folds.reshape(10, 5)
    assert (folds == folds[:, :1]).all()
    assert len(np.unique(folds)) > 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[1]", "object"),
        ('{"scores": {"m": 1}}', "prompt"),
        ('{"prompt": "p"}', "scores"),
        ('{"prompt": "p", "scores": {}}', "scores"),
        ('{"prompt": "p", "scores": {"m": 1.5}}', "m: expected a number from 0 to 1, got 1.5"),
        ('{"prompt": "p", "scores": {"m": null}}', "m: expected"),
        ('{"prompt": "p", "scores": {"m": NaN}}', "m: expected"),
        ('{"prompt": "p", "model": "m"}', "m: expected"),
        ('{"prompt": "p", "scores": {"m": 1}, "output_tokens": {"m": -1}}', "output_tokens"),
        ('{"prompt": "p", "scores": {"m": 1}, "fold": "x"}', "fold"),
    ],
)
def test_a_bad_line_is_named_with_file_and_number(
    tmp_path: Path, line: str, complaint: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "p", "scores": {"m": 1}}\n\n' + line + "\n")
    with pytest.raises(InvalidDocument) as caught:
        read_judged(tmp_path)
    assert caught.value.message.startswith(f"{path}:3: ")
    assert complaint in caught.value.message


def test_a_folder_without_rows_and_a_broken_archive_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="no judged rows"):
        read_judged(tmp_path)
    (tmp_path / "rows.jsonl.gz").write_bytes(b"not an archive")
    with pytest.raises(InvalidDocument, match=r"rows\.jsonl\.gz:1: unreadable"):
        read_judged(tmp_path)


def test_auc_counts_ties_as_half() -> None:
    truth = np.array([True, True, False, False])
    assert auc(truth, np.array([0.9, 0.8, 0.2, 0.1])) == 1
    assert auc(truth, np.array([0.1, 0.2, 0.8, 0.9])) == 0
    assert auc(truth, np.array([0.5, 0.5, 0.5, 0.5])) == 0.5
    assert auc(truth, np.array([0.9, 0.4, 0.4, 0.1])) == 0.875


def test_calibration_error_is_the_mean_gap_between_said_and_seen() -> None:
    truth = np.array([1.0, 0.0] * 300)
    assert calibration_error(truth, np.full(600, 0.5)) == pytest.approx(0)
    assert calibration_error(truth, np.full(600, 0.8)) == pytest.approx(0.3)


def test_the_baselines_know_tasks_and_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", judged_rows(160, seed=2))
    judged = read_judged(tmp_path)
    train, rows = judged.fold(0, 1, 2, 3, 4, 5), judged.fold(7)
    by_task = task_means(judged, train, rows)
    is_cooking = np.array(judged.tasks)[rows] == "cooking"
    assert by_task[is_cooking].mean() > by_task[~is_cooking].mean() + 0.3
    vectors = np.eye(2, dtype=np.float32)[(np.array(judged.tasks) == "cooking").astype(int)]
    near = neighbours(judged, vectors, train, rows, count=30)
    assert near[is_cooking].mean() > near[~is_cooking].mean() + 0.3


def test_excess_spread_is_the_least_when_chance_explains_all(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", judged_rows(1600, seed=3))
    judged = read_judged(tmp_path)
    rows = judged.fold(7)
    right = task_means(judged, judged.fold(*range(7)), rows)
    wrong = np.clip(right + 0.2, 0.05, 0.95)
    assert excess_spread(judged, rows, right, 0.15) < 0.4
    assert excess_spread(judged, rows, wrong, 0.15) > 0.8
