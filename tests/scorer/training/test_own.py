"""Training on own data, end to end on worlds whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.integrity import check
from rolecall.registry.scorer.own_rows import prepare
from rolecall.registry.scorer.predict import Scorer
from tests.scorer.judged_files import read
from tests.scorer.own_world import own_rows, quicken, ship_tiny, write_rows
from tests.scorer.tiny import KINDS, MODELS, tiny_head

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training import own_settings  # noqa: E402
from rolecall.registry.scorer.training.own import OwnRun, OwnVersion, train_own  # noqa: E402

Report = Callable[[str, int, int], None]


@pytest.fixture
def scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of versions, with the tiny scorer shipped."""
    ship_tiny(monkeypatch, tmp_path / "shipped")
    folder = tmp_path / "registry.db.scorers"
    folder.mkdir()
    return folder


def nothing(_stage: str, _done: int, _total: int) -> None:
    pass


def trained(scorers: Path, judged: Judged, report: Report = nothing, **changes: Any) -> OwnVersion:
    ready = prepare(judged, 10_000, 7)
    run = OwnRun(
        judged=ready,
        facts={model: ModelFacts(model) for model in ready.models},
        files=("own.jsonl",),
        base=None,
        incumbent=None,
        scorers=scorers,
        settings=own_settings.OwnSettings(),
    )
    return train_own(replace(run, **changes), report)


def world(path: Path, count: int = 160) -> Judged:
    return read(write_rows(path / "own.jsonl", own_rows(count)))


def test_a_version_knows_its_models_and_still_those_of_the_base(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch)
    told: list[tuple[str, int, int]] = []
    version = trained(scorers, world(tmp_path), lambda *one: told.append(one))
    assert version.comparison.is_better
    folder = scorers / version.name
    check(folder)
    scorer = Scorer.load(folder)
    assert scorer.version == version.name == version.card["version"]
    assert scorer.head.models == (*MODELS, "poet", "summer")
    facts = [ModelFacts(model) for model in ("me/Poet", "summer", MODELS[0])]
    poem, summing = (
        [one.success for one in scorer.predict(scorer.read(f"{kind} of my own"), facts)]
        for kind in ("poems", "sums")
    )
    assert poem[0] > 0.7 > 0.4 > poem[1]
    assert summing[1] > 0.7 > 0.4 > summing[0]
    short, long = (
        scorer.predict(scorer.read(f"{kind} of my own"), facts)[0].output_tokens
        for kind in ("sums", "poems")
    )
    assert short < 80 < long
    # The base's models stand as they did; only those judged were asked of what is new.
    base = tiny_head()
    np.testing.assert_allclose(scorer.head.strength[: len(MODELS)], base.strength, atol=1e-3)
    asked = dict(zip(scorer.head.tasks, scorer.head.asked.tolist(), strict=True))
    assert asked.pop("everyday") == [1.0] * (len(MODELS) + 2)
    assert len(asked) == len(KINDS)
    told_of = {MODELS[3], "poet", "summer"}
    expected = [float(model in told_of) for model in scorer.head.models]
    assert all(shares == expected for shares in asked.values())
    # Each stage is counted to its end, and nothing but whole versions is left behind.
    ends = {stage: (done, total) for stage, done, total in told}
    assert list(ends) == ["reading prompts", "settling the models' numbers"]
    assert all(done == total for done, total in ends.values())
    assert {path.suffix or path.name for path in scorers.iterdir()} == {".npz", version.name}


def test_the_same_rows_make_the_same_version_and_mend_a_damaged_one(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch)
    judged = world(tmp_path, 80)
    first = trained(scorers, judged)
    (scorers / first.name / "head.bin").write_bytes(b"damaged")
    again = trained(scorers, judged, incumbent=None)
    assert again.name == first.name
    check(scorers / again.name)
    assert not again.is_in_use
    same = trained(scorers, judged, incumbent=scorers / again.name)
    assert same.is_in_use
    assert not same.comparison.is_better
    other = trained(scorers, judged.only(range(79)))
    assert other.name != first.name


def test_the_card_says_what_was_trained_on_and_how_it_compares(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch)
    version = trained(scorers, world(tmp_path))
    card = json.loads((scorers / version.name / "card.json").read_text())
    assert card["base"] == card["comparison"]["incumbent"] == "tiny-1"
    [entry] = card["data"]["sets"]
    assert (entry["set"], entry["prompts"], entry["scores"]) == ("own", 160, 480)
    assert card["learned"] == {"world": [0, 1, 6], "own": [0, 1, 2, 3, 4, 5, 6]}
    assert sum(card["split"]["prompts"].values()) == 160
    assert card["training"]["own_tasks"] == ["own/poems", "own/sums"]
    methods = card["comparison"]["methods"]
    assert set(methods) == {"scorer", "incumbent", "nearest", "task_means", "best_single"}
    assert card["figures"]["scorer"]["brier"] == methods["scorer"]["brier"]
    assert card["seed"] == card["settings"]["seed"] == 7


def test_with_many_rows_everything_is_trained_and_ctrl_c_keeps_the_best_so_far(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch, least_trained=50, epochs=4, batch=32)
    judged = world(tmp_path)
    whole = trained(scorers, judged)
    assert whole.card["training"]["epochs"] == 4

    def interrupt(stage: str, done: int, _total: int) -> None:
        if stage == "training" and done == 6:
            raise KeyboardInterrupt

    cut = trained(scorers, judged, interrupt)
    assert cut.was_interrupted
    assert cut.card["training"] == {
        **whole.card["training"],
        "epochs": 1,
        "was_interrupted": True,
    }
    assert cut.name != whole.name
    assert cut.comparison.is_better
    check(scorers / cut.name)


@pytest.mark.parametrize("stage", ["reading prompts", "settling the models' numbers"])
def test_ctrl_c_before_there_is_anything_leaves_no_version(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    quicken(monkeypatch)

    def interrupt(now: str, done: int, _total: int) -> None:
        if now == stage and done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(scorers, world(tmp_path), interrupt)
    # What was read is kept, so that the next run need not.
    assert [path.suffix for path in scorers.iterdir()] == [".npz"]
    told: list[int] = []
    trained(scorers, world(tmp_path), lambda now, done, _: told.append(done * ("read" in now)))
    assert sum(told) < 100


def test_the_encoder_is_shared_with_the_base_and_not_copied(
    scorers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch)
    version = trained(scorers, world(tmp_path, 80))
    shared = scorers / version.name / "model.onnx"
    assert shared.samefile(tmp_path / "shipped" / "model.onnx")
    (scorers / version.name).rename(scorers / "other")

    def refuse(*_: object) -> None:
        raise OSError("another device")

    monkeypatch.setattr("os.link", refuse)
    again = trained(scorers, world(tmp_path, 80))
    copied = scorers / again.name / "model.onnx"
    assert not copied.samefile(tmp_path / "shipped" / "model.onnx")
    check(scorers / again.name)


# By kind of prompt and model: the chance to be right.
CHANCES = {
    "a task effect": [[0.9, 0.3, 0.6], [0.2, 0.8, 0.6]],
    "no effect": [[0.8, 0.4, 0.6]] * 2,
    "two models": [[0.9, 0.3], [0.3, 0.7]],
    "missing scores": [[0.9, 0.3, 0.6, 0.5], [0.2, 0.8, 0.6, 0.5]],
    "continuous scores": [[0.9, 0.3, 0.6], [0.2, 0.8, 0.6]],
}


def synthetic(kind: str, seed: int, count: int = 300) -> Judged:
    dice = np.random.default_rng(seed)
    chances = np.array(CHANCES[kind])[np.arange(count) % 2]
    scores = (dice.random(chances.shape) < chances).astype(np.float32)
    if kind == "continuous scores":
        scores = np.clip(dice.normal(chances, 0.1), 0, 1).astype(np.float32)
    if kind == "missing scores":
        seldom = dice.random(chances.shape) < np.array([0.95, 0.6, 0.3, 0.1])
        seldom[np.arange(count), dice.integers(0, chances.shape[1], count)] = True
        scores[~seldom] = np.nan
    names = tuple(f"{KINDS[row % 2]} {seed} {row}" for row in range(count))
    unknown = np.full(scores.shape, np.nan, dtype=np.float32)
    return Judged(
        ids=names,
        prompts=names,
        datasets=("own",) * count,
        tasks=tuple(KINDS[row % 2] for row in range(count)),
        groups=names,
        folds=np.zeros(count, dtype=np.int64),
        models=tuple(f"m{column}" for column in range(chances.shape[1])),
        scores=scores,
        tokens=unknown,
        costs=unknown,
    )


@pytest.mark.parametrize("kind", list(CHANCES))
def test_from_300_rows_on_it_is_no_worse_than_task_means(
    scorers: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    quicken(
        monkeypatch,
        task_beliefs=((0.03, 0.01), (3.0, 1.6)),
        prompt_beliefs=(0.0, 1.0),
        crossed_folds=3,
    )
    found = trained(scorers, synthetic(kind, seed=1)).comparison
    assert found.over_task_means.mean <= 0.002
    assert found.methods["scorer"].brier < found.methods["best_single"].brier + 0.002
