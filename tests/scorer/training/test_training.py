"""A small training run on made-up rows: what is there to learn is learnt, and told honestly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.data import read_judged
from rolecall.registry.scorer.encoder import Encoder
from rolecall.registry.scorer.model import Scorer
from tests.scorer.tiny import TinyEncoder, tiny_lengths

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training.assemble import assemble  # noqa: E402
from rolecall.registry.scorer.training.calibrate import calibrated  # noqa: E402
from rolecall.registry.scorer.training.config import Settings  # noqa: E402
from rolecall.registry.scorer.training.dataset import (  # noqa: E402
    TrainingData,
    encode_all,
    load_data,
    with_canonical_names,
)

ABILITY = {"alpha-70b": 1.5, "beta-8b": 0.0, "gamma-1b": -1.5}
TASTE = {"alpha-70b": 0.0, "beta-8b": 1.5, "gamma-1b": -1.5}  # for sums, and as much not for poems
SMALL = Settings(
    hidden=16, latent=4, epochs=15, batch=32, axes=8, panel=3, least_task=4, set_power=0.5
)
ENCODER = cast(Encoder, TinyEncoder())
torch.set_num_threads(1)  # as training does: more spend their time waiting for each other


def rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        kind = ("sums", "poems")[number % 2]
        side = 1 if kind == "sums" else -1
        chances = {m: 1 / (1 + np.exp(-(ABILITY[m] + side * TASTE[m]))) for m in ABILITY}
        scores = {m: float(rng.random() < p) for m, p in chances.items()}
        if number % 3 == 0:
            del scores["gamma-1b"]  # not every model was asked everything
        found.append(
            {"task": kind, "fold": number // 2 % 8, "prompt": f"{kind} {number}", "scores": scores}
        )
    return found


def data_of(folder: Path, count: int = 1600) -> TrainingData:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(count)), encoding="utf-8")
    judged, _ = read_judged([path])
    return load_data(judged, ENCODER, SMALL, folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return data_of(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def head(data: TrainingData) -> Head:
    plain = assemble(data, data.judged.fold(*SMALL.train_folds), SMALL, "small")
    return calibrated(plain, data, data.judged.fold(SMALL.tune_fold), ENCODER)


def success(head: Head, prompt: str, *models: str) -> list[float]:
    scorer = Scorer(head, ENCODER, tiny_lengths())
    return [
        one.success for one in scorer.predict(scorer.read(prompt), [ModelFacts(m) for m in models])
    ]


def test_who_is_better_at_which_kind_is_learnt(head: Head) -> None:
    alpha, beta, gamma = success(head, "sums of the new", *ABILITY)
    assert beta > gamma + 0.4
    poem = success(head, "poems of the new", *ABILITY)
    assert poem[0] > poem[1] + 0.2
    assert abs(alpha - poem[0]) < 0.2


def test_what_is_predicted_is_calibrated_on_rows_not_learnt_from(
    data: TrainingData, head: Head
) -> None:
    report = data.judged.fold(SMALL.report_fold)
    scorer = Scorer(head, ENCODER, tiny_lengths())
    local, signals = scorer.understand(data.embeddings[report], data.features[report])
    logits = scorer.trained_logits(signals, local, np.arange(3))
    scores = data.judged.scores[report]
    predicted = np.where(np.isfinite(scores), 1 / (1 + np.exp(-logits)), np.nan)
    np.testing.assert_allclose(np.nanmean(predicted, 0), np.nanmean(scores, 0), atol=0.1)
    constant = np.nanmean((np.nanmean(scores) - scores) ** 2)
    assert np.nanmean((predicted - scores) ** 2) < 0.85 * constant


def test_the_same_seed_gives_the_same_head_and_another_does_not(data: TrainingData) -> None:
    train = data.judged.fold(0, 1, 2)
    few = replace(SMALL, epochs=2)
    one, same, other = (
        assemble(data, train, settings, "x").latent for settings in (few, few, replace(few, seed=8))
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_data_sets_count_the_more_alike_the_higher_the_power(data: TrainingData) -> None:
    judged = replace(data.judged, datasets=("large",) * 1400 + ("small",) * 200)
    mixed, everyone = replace(data, judged=judged), np.arange(1600)
    asked = np.isfinite(judged.scores).sum(axis=1)
    for power, share in ((0.0, asked[1400:].sum() / asked.sum()), (1.0, 0.5)):
        weights = mixed.weights(everyone, power) * asked
        assert weights[1400:].sum() / weights.sum() == pytest.approx(share, rel=1e-3)
        assert weights.sum() == pytest.approx(asked.sum(), rel=1e-3)


def test_a_model_written_in_two_ways_is_one_with_the_mean_of_both(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"prompt": "a", "scores": {"gpt-4o": 1, "gpt-4o-2024-08-06": 0, "o1-mini": 1}}\n'
        '{"prompt": "b", "scores": {"gpt-4o-2024-08-06": 0}}\n'
    )
    named = with_canonical_names(read_judged([path])[0])
    assert named.models == ("gpt-4o", "o1-mini")
    np.testing.assert_array_equal(named.scores, [[0.5, 1.0], [0.0, np.nan]])


def test_reading_that_was_broken_off_goes_on_from_there(tmp_path: Path) -> None:
    class Counting(TinyEncoder):
        asked = 0

        def encode(self, texts):  # type: ignore[no-untyped-def]
            Counting.asked += len(texts)
            return super().encode(texts)

    counting = cast(Encoder, Counting())
    first = encode_all(counting, ["a", "b"], tmp_path)
    again = encode_all(counting, ["b", "c", "a"], tmp_path)
    assert Counting.asked == 3
    assert np.array_equal(again[[2, 0]], first)
