"""What the nearest judged prompts say, on places that are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.encoder import WIDTH
from rolecall.registry.scorer.knn import Neighbours, as_blocks, in_steps

NAN = np.nan


def neighbours(scores: list[list[float]], sets: list[str], places: list[list[float]]) -> Neighbours:
    order, blocks = as_blocks(np.array(scores, np.float32), sets, frozenset({"runs"}))
    return Neighbours(
        temperature=0.1,
        phrase_mean=np.zeros(WIDTH, dtype=np.float32),
        phrase_scale=np.ones(WIDTH, dtype=np.float32),
        axes=np.eye(2 * WIDTH, 2, dtype=np.float32),
        places=in_steps(np.array(places, dtype=np.float32)[order]),
        blocks=blocks,
        model_count=len(scores[0]),
    )


def at(*place: float) -> Floats:
    return np.array([place], dtype=np.float32)


def test_a_model_is_predicted_by_the_prompts_it_was_asked_and_the_near_ones_count_most() -> None:
    held = neighbours(
        [[1.0, NAN, 0.5], [0.0, NAN, 0.5], [NAN, 1.0, NAN]],
        ["b", "b", "a"],
        [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]],
    )
    mean, weight, nearest = held.recall(at(1.0, 0.0))
    far = np.exp(-1 / 0.1)
    assert mean[0, 0] == pytest.approx(1 / (1 + far))
    assert mean[0, 1] == pytest.approx(1.0)
    assert mean[0, 2] == pytest.approx(0.5)
    assert weight[0, 1] == pytest.approx(np.exp(-0.4 / 0.1), rel=0.03)
    assert nearest[0] == pytest.approx(1.0)


def test_a_model_nobody_asked_is_unknown_not_wrong() -> None:
    held = neighbours([[1.0, NAN]], ["a"], [[1.0, 0.0]])
    mean, weight, _ = held.recall(at(1.0, 0.0))
    assert np.isnan(mean[0, 1])
    assert weight[0, 1] == 0


def test_labels_of_agent_runs_speak_for_runs_alone_where_it_is_known_what_is_asked() -> None:
    held = neighbours([[0.0], [1.0]], ["runs", "singles"], [[1.0, 0.0], [1.0, 0.0]])
    assert held.recall(at(1.0, 0.0))[0][0, 0] == pytest.approx(0.5)
    assert held.recall(at(1.0, 0.0), is_agent=False)[0][0, 0] == pytest.approx(1.0, abs=1e-6)
    assert held.recall(at(1.0, 0.0), is_agent=True)[0][0, 0] == pytest.approx(0.0, abs=1e-6)


def test_what_was_packed_unpacks_as_it_was_but_for_its_precision() -> None:
    rng = np.random.default_rng(3)
    scores = np.where(rng.random((40, 5)) < 0.3, NAN, rng.random((40, 5)).round(2))
    places = rng.standard_normal((40, 2))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    held = neighbours(scores.tolist(), ["a", "b"] * 20, places.tolist())
    again = Neighbours.unpack(*held.pack())
    for one, other in zip(held.recall(at(0.6, 0.8)), again.recall(at(0.6, 0.8)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0.03)
    once_more = Neighbours.unpack(*again.pack()).pack()[1]
    for name, array in again.pack()[1].items():
        assert np.array_equal(array, once_more[name]), name
