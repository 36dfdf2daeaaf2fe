"""How much the memory says beside the network is settled on rows that neither has seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.scorer.data import Judged

pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training.calibrate import LOCAL_SHARES, fit_blend

COUNT, MODELS = 400, 3
DICE = np.random.default_rng(4)
TRUTH: NDArray[np.float64] = 2 * DICE.standard_normal((COUNT, MODELS))
NOISE: NDArray[np.float64] = 2 * DICE.standard_normal((COUNT, MODELS))
NOWHERE = np.full((COUNT, MODELS), np.nan)


def judged() -> Judged:
    dice = np.random.default_rng(5)
    names = tuple(map(str, range(COUNT)))
    chance = 1 / (1 + np.exp(-TRUTH))
    return Judged(
        ids=names,
        prompts=names,
        datasets=("one", "two") * (COUNT // 2),
        tasks=("one", "two") * (COUNT // 2),
        groups=names,
        folds=np.zeros(COUNT, dtype=np.int64),
        models=("a", "b", "c"),
        scores=(dice.random((COUNT, MODELS)) < chance).astype(np.float32),
        tokens=np.full((COUNT, MODELS), np.nan, dtype=np.float32),
        costs=np.full((COUNT, MODELS), np.nan, dtype=np.float32),
    )


def test_a_memory_that_misleads_is_left_out() -> None:
    blend = fit_blend(TRUTH, NOISE, judged())
    assert blend.share == 0
    assert blend.scale == pytest.approx(1, abs=0.2)
    assert blend.shift == pytest.approx(0, abs=0.2)


def test_a_memory_that_knows_better_counts_most() -> None:
    assert fit_blend(NOISE, TRUTH, judged()).share == max(LOCAL_SHARES)


def test_of_shares_that_are_as_good_the_memory_gets_the_largest() -> None:
    assert fit_blend(TRUTH, TRUTH + 1e-5 * NOISE, judged()).share == max(LOCAL_SHARES)
    assert fit_blend(TRUTH, NOWHERE, judged()).share == max(LOCAL_SHARES)
