from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.scorer import baselines
from rolecall.registry.scorer.baselines import (
    cross_fitted,
    detected_tasks,
    nearest,
    task_means,
)
from rolecall.registry.scorer.data import Judged
from tests.scorer.judged_files import judged_table

NAN = float("nan")


def around(kinds: NDArray[np.intp], seed: int = 0, blur: float = 0.3) -> NDArray[np.float32]:
    """Return unit vectors (N, 384) that lie near one corner for each kind."""
    random = np.random.default_rng(seed)
    vectors = np.eye(384)[kinds] + blur * random.normal(size=(len(kinds), 384)) / 384**0.5
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def two_kinds(rows: int, seed: int = 0) -> tuple[Judged, NDArray[np.float32], NDArray[np.intp]]:
    """Model a answers kind 0 and model b kind 1, each nine times of ten."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 2, rows)
    truth = np.where(kinds[:, None] == np.arange(2), 0.9, 0.1)
    scores = (random.random((rows, 2)) < truth).astype(float)
    tasks = [f"kind {kind}" for kind in kinds]
    return judged_table(scores, tasks=tasks), around(kinds, seed), kinds


def test_a_task_never_seen_is_predicted_by_the_models_mean() -> None:
    # Six of eight, drawn to even odds by two cases: (6 + 1) / (8 + 2).
    train = judged_table([[1, 0]] * 6 + [[0, 0]] * 2)
    assert task_means(train, ["other"], ("a", "b")) == pytest.approx(np.array([[0.7, 0.1]]))


def test_a_task_with_few_cases_is_drawn_to_the_models_mean() -> None:
    random = np.random.default_rng(0)
    common = (random.random((300, 2)) < 0.5).astype(float)
    train = judged_table([*common.tolist(), [1, 0]], tasks=["common"] * 300 + ["rare"])
    said = task_means(train, ["rare"], ("a", "b"))[0]
    middle = task_means(train, ["never seen"], ("a", "b"))[0]
    assert middle[0] < said[0] < 1 - 0.3 * (1 - middle[0])
    assert 0.3 * middle[1] < said[1] < middle[1]


@pytest.mark.parametrize("rows", [0, 1, 2, 40])
def test_a_model_that_was_never_judged_is_predicted_at_even_odds(rows: int) -> None:
    train, vectors, _ = two_kinds(rows)
    asked = around(np.array([0, 1, 1]))
    for said in (
        task_means(train, ["kind 0"] * 3, ("new", "a")),
        nearest(train, vectors, asked, ("new", "a")),
    ):
        assert said.shape == (3, 2)
        assert said[:, 0].tolist() == [0.5] * 3
        assert np.isfinite(said).all()


def test_neighbours_tell_what_kind_of_prompt_it_is() -> None:
    train, vectors, _ = two_kinds(600)
    said = nearest(train, vectors, around(np.array([0, 1]), seed=9), ("a", "b"))
    assert said == pytest.approx(np.array([[0.9, 0.1], [0.1, 0.9]]), abs=0.08)


def test_each_model_is_predicted_by_the_prompts_that_it_answered() -> None:
    # b was asked only far from the prompt; what it did there is all that is known of it.
    kinds = np.array([0] * 20 + [1] * 20)
    scores = np.array([[1.0, NAN]] * 20 + [[0.0, 1.0]] * 20)
    said = nearest(judged_table(scores), around(kinds), around(np.array([0]), 5), ("a", "b"))
    assert said[0] == pytest.approx([1.0, 1.0], abs=0.02)


def test_every_past_prompt_counts_whatever_block_the_asked_one_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, places, _ = two_kinds(100)
    asked = around(np.arange(50) % 2, seed=4)
    whole = nearest(train, places, asked, ("a", "b"))
    monkeypatch.setattr(baselines, "_AT_ONCE", 3)
    assert nearest(train, places, asked, ("a", "b")) == pytest.approx(whole, abs=1e-6)


def test_a_task_is_detected_as_the_nearest_prompts_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = np.random.default_rng(0).integers(0, 3, 200)
    names = ("sums", "poems", "maps")
    tasks, asked = [names[kind] for kind in kinds], around(np.array([2, 0, 1, 1]), seed=9)
    monkeypatch.setattr(baselines, "_AT_ONCE", 3)
    assert detected_tasks(tasks, around(kinds), asked) == ("maps", "sums", "poems", "poems")
    assert detected_tasks(tasks[:1], around(kinds)[:1], asked) == (tasks[0],) * 4


def test_cross_fitting_predicts_every_row_by_each_method() -> None:
    train, vectors, kinds = two_kinds(300)
    found = cross_fitted(train, vectors)
    assert set(found) == {"task means", "detected tasks", "nearest"}
    for said in found.values():
        assert said.shape == (300, 2)
        assert said.dtype == np.float64
        assert (said.argmax(axis=1) == kinds).mean() > 0.95


def test_a_row_and_its_group_never_vote_on_themselves() -> None:
    # Each group has its own vector and a random outcome that all its rows share: whoever looked
    # at a row's group would be right every time.
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 5)
    outcome = random.integers(0, 2, (60, 1)).astype(float)
    rows = judged_table(
        outcome[group],
        tasks=[str(one) for one in group],
        groups=[str(one) for one in group],
        models=("a",),
    )
    for said in cross_fitted(rows, around(group, blur=0.01)).values():
        assert np.mean((said - outcome[group]) ** 2) > 0.2


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_cross_fitting_few_groups_gives_numbers(groups: int) -> None:
    rows = judged_table(
        [[1, NAN], [0, 1], [1, 1]],
        groups=[str(row % groups) for row in range(3)],
    )
    for said in cross_fitted(rows, around(np.array([0, 1, 2]))).values():
        assert ((said >= 0) & (said <= 1)).all()
