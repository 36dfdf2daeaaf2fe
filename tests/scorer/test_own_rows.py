"""Own rows made ready: refused, sampled, renamed, split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.own_rows import TooLittle, folds_of, pieces, prepare, split_of
from tests.scorer.judged_files import read, write


def judged(path: Path, count: int = 100, **changes: Any) -> Judged:
    rows = [
        {"prompt": f"p{n}", "scores": {"a": float(n % 2), "b": 0.5}, **changes}
        for n in range(count)
    ]
    return read(write(path / "own.jsonl", *rows))


def test_too_few_prompts_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    with pytest.raises(TooLittle) as caught:
        prepare(judged(tmp_path, 59), 1000, 7)
    assert caught.value.message == "59 prompts are too few to train on: 60 are needed"
    assert "scorer fit" in str(caught.value.hint)
    assert len(prepare(judged(tmp_path, 60), 1000, 7).prompts) == 60


def test_one_model_is_refused_and_sent_to_fit(tmp_path: Path) -> None:
    with pytest.raises(TooLittle) as caught:
        prepare(judged(tmp_path).of(["a"]), 1000, 7)
    assert caught.value.message == "only one model is judged: a"
    assert "scorer fit" in str(caught.value.hint)


def test_scores_that_are_all_equal_teach_nothing(tmp_path: Path) -> None:
    same = judged(tmp_path, scores={"a": 1, "b": 1})
    with pytest.raises(TooLittle, match="there is nothing to learn: every score is 1"):
        prepare(same, 1000, 7)


def test_of_more_prompts_a_random_part_is_taken_by_the_seed(tmp_path: Path) -> None:
    every = judged(tmp_path, 200)
    one, same, other = (prepare(every, 80, seed).prompts for seed in (7, 7, 8))
    assert len(one) == 80
    assert one == same != other
    assert prepare(every, 200, 7).prompts == every.prompts


def test_models_are_named_as_the_scorer_looks_them_up(tmp_path: Path) -> None:
    scores: list[dict[str, float]] = [
        {"x/Big": 1, "y/big": 0, "small": 1},
        {"y/big": 1, "small": 0},
    ]
    rows = [{"prompt": f"p{n}", "scores": scores[n % 2]} for n in range(60)]
    found = prepare(read(write(tmp_path / "own.jsonl", *rows)), 1000, 7)
    assert found.models == ("small", "big")
    np.testing.assert_array_equal(found.scores[:2], [[1, 0.5], [0, 1]])


def test_the_rows_own_folds_split_where_they_hold_back_enough(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{n}", "scores": {"a": n % 2, "b": 1}, "fold": n % 8} for n in range(160)]
    found = split_of(read(write(tmp_path / "own.jsonl", *rows)))
    assert found.by == "folds"
    assert set((found.tune % 8).tolist()) == {6}
    assert set((found.report % 8).tolist()) == {7}
    assert len(found.train) == 120


@pytest.mark.parametrize("fold", [0, 6, 7])
def test_rows_of_a_single_fold_are_split_by_group(tmp_path: Path, fold: int) -> None:
    found = split_of(judged(tmp_path, 100, fold=fold))
    assert found.by == "groups"
    assert [len(found.train), len(found.tune), len(found.report)] == [70, 15, 15]


def test_no_group_straddles_the_parts_and_a_large_one_is_trained_on(tmp_path: Path) -> None:
    rows = [
        {
            "prompt": f"p{n}",
            "scores": {"a": 1, "b": 0},
            "fold": 0,
            "group": n // 2 if n < 200 else -1,
        }
        for n in range(300)
    ]
    found = split_of(read(write(tmp_path / "own.jsonl", *rows)))
    parts = [
        set(np.array([r["group"] for r in rows])[part].tolist())
        for part in (found.train, found.tune, found.report)
    ]
    assert not parts[0] & (parts[1] | parts[2])
    assert not parts[1] & parts[2]
    assert -1 in parts[0]
    assert len(found.report) in (45, 46)


def test_too_few_groups_to_hold_any_back_are_refused(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"p{n}", "scores": {"a": 1, "b": 0}, "fold": 0, "group": n % 2}
        for n in range(80)
    ]
    found = read(write(tmp_path / "own.jsonl", *rows))
    with pytest.raises(TooLittle, match="2 groups are too few to hold some rows back"):
        split_of(found)


def test_pieces_count_groups_of_even_size() -> None:
    assert pieces(list("abcd")) == 4
    assert pieces(list("aabb")) == 2
    assert 1 < pieces(list("aaaaaaaab")) < 2
    assert pieces([]) == 0


def test_folds_keep_groups_together_and_are_all_used() -> None:
    groups = [str(n // 3) for n in range(300)]
    folds = folds_of(groups, 5)
    assert set(folds.tolist()) == set(range(5))
    assert all(len(set(folds[start : start + 3].tolist())) == 1 for start in range(0, 300, 3))
