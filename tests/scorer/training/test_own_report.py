"""What a new version is compared with, and when it is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.features import measure
from tests.scorer.tiny import MODELS, TinyEncoder, tiny_scorer

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.proof.proof import Interval  # noqa: E402
from rolecall.registry.scorer.training.own_report import (  # noqa: E402
    INCUMBENT,
    NEAREST,
    NEW,
    SINGLE,
    TASK_MEANS,
    Comparison,
    baselines,
    compare,
    predicted_by,
)

Table = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def judged(scores: Table, groups: tuple[str, ...] | None = None) -> Judged:
    count = len(scores)
    names = tuple(f"p{row}" for row in range(count))
    nothing = np.full(scores.shape, np.nan, dtype=np.float32)
    return Judged(
        ids=names,
        prompts=names,
        datasets=("own",) * count,
        tasks=tuple("ab"[row % 2] for row in range(count)),
        groups=groups or names,
        folds=np.zeros(count, dtype=np.int64),
        models=("x", "y"),
        scores=scores.astype(np.float32),
        tokens=nothing,
        costs=nothing,
    )


def world(count: int = 200) -> tuple[Judged, Table]:
    """Return rows of two models, each right on its half, and their true chances."""
    dice = np.random.default_rng(1)
    chances = np.where(np.arange(count)[:, None] % 2 == [0, 1], 0.9, 0.2)
    return judged((dice.random((count, 2)) < chances).astype(float)), chances


def methods(**changes: Table) -> dict[str, Table]:
    names = (NEW, INCUMBENT, NEAREST, TASK_MEANS, SINGLE)
    even = np.full((200, 2), 0.5)
    return {name: changes.get(name, even) for name in names}


def test_what_knows_the_chances_is_better_than_what_does_not() -> None:
    rows, chances = world()
    found = compare(rows, methods(scorer=chances), seed=7)
    assert found.is_better
    assert found.over_incumbent.low < found.over_incumbent.mean < found.over_incumbent.high < 0
    assert found.methods[NEW].brier == pytest.approx(float(np.mean((chances - rows.scores) ** 2)))
    mine, theirs, single = (found.methods[name] for name in (NEW, INCUMBENT, SINGLE))
    assert mine.auc
    assert theirs.auc
    assert mine.auc > 0.8 > theirs.auc
    assert mine.right
    assert single.right
    assert mine.right > 0.8 > single.right
    assert found.gain_on_single
    assert found.gain_on_single.low > 0


def test_what_is_the_same_is_not_better() -> None:
    rows, chances = world()
    found = compare(rows, methods(scorer=chances, incumbent=chances), seed=7)
    assert not found.is_better
    assert found.over_incumbent == Interval(0, 0, 0)


def test_what_loses_to_task_means_is_not_better() -> None:
    rows, chances = world()
    better = (chances + 1.0) / 3
    found = compare(rows, methods(scorer=better, task_means=chances), seed=7)
    assert found.over_incumbent.high < 0 < found.over_task_means.low
    assert not found.is_better


def test_a_hairs_breadth_is_not_better() -> None:
    gap = Interval(-0.0001, -0.0002, -0.00005)
    found = Comparison({}, gap, Interval(0, 0, 0), None)
    assert not found.is_better
    assert replace(found, over_incumbent=Interval(-0.01, -0.02, -0.001)).is_better


def test_rows_of_one_group_are_one_piece_of_evidence() -> None:
    rows, chances = world()
    apart = compare(rows, methods(scorer=chances), seed=7).over_incumbent
    few = replace(rows, groups=tuple(str(row // 50) for row in range(200)))
    together = compare(few, methods(scorer=chances), seed=7).over_incumbent
    assert together.mean == pytest.approx(apart.mean)
    assert together != apart


def test_only_judged_models_count_and_can_be_picked() -> None:
    rows, chances = world()
    scores = rows.scores.copy()
    scores[:100, 1] = np.nan
    found = compare(replace(rows, scores=scores), methods(scorer=chances), seed=7)
    known = ~np.isnan(scores)
    expected = np.mean((chances[known] - scores[known]) ** 2)
    assert found.methods[NEW].brier == pytest.approx(float(expected))
    # Of a prompt that one model was judged on there is nothing to pick.
    best = chances[100:].argmax(axis=1)
    right = float(scores[100:][np.arange(100), best].mean())
    assert found.methods[NEW].right == pytest.approx(right)


def test_without_a_prompt_that_two_were_judged_on_there_is_nothing_to_pick() -> None:
    rows, chances = world()
    scores = rows.scores.copy()
    scores[np.arange(200), np.arange(200) % 2] = np.nan
    found = compare(replace(rows, scores=scores), methods(scorer=chances), seed=7)
    assert found.gain_on_single is None
    assert found.methods[NEW].right is None
    assert found.to_dict()["right_over_best_single"] is None


def test_the_baselines_are_learnt_from_the_training_rows_alone() -> None:
    train, _ = world()
    report = judged(np.full((20, 2), np.nan))
    vectors = np.eye(384, dtype=np.float32)[np.arange(220) % 2]
    found = baselines(train, report, (vectors[:200], vectors[200:]), seed=7)
    assert list(found) == [NEAREST, TASK_MEANS, SINGLE]
    for name in (NEAREST, TASK_MEANS):
        assert found[name][0, 0] > 0.7 > 0.4 > found[name][0, 1]
        assert found[name][1, 1] > 0.7 > 0.4 > found[name][1, 0]
    assert (found[SINGLE] == found[SINGLE][0]).all()


def test_a_scorers_predictions_are_those_of_its_decisions() -> None:
    scorer = tiny_scorer()
    prompts = ["sums of two", "poems about snow"]
    facts = [ModelFacts("stranger", parameters_b=3), ModelFacts(MODELS[4])]
    views, features = TinyEncoder().encode(prompts), np.stack([measure(one) for one in prompts])
    found = predicted_by(scorer, views, features, facts)
    said = [[one.success for one in scorer.predict(scorer.read(p), facts)] for p in prompts]
    np.testing.assert_allclose(found, said, atol=1e-3)
