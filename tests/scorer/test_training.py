from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.baselines import task_means
from rolecall.registry.scorer.data import read_judged
from rolecall.registry.scorer.memory import along
from rolecall.registry.scorer.model import Scorer

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training.assemble import axes_of, memory_of  # noqa: E402
from rolecall.registry.scorer.training.evaluate import excess_spread, figures  # noqa: E402
from rolecall.registry.scorer.training.lesson import Lesson  # noqa: E402
from rolecall.registry.scorer.training.losses import Truth, order_loss  # noqa: E402
from rolecall.registry.scorer.training.settings import Settings  # noqa: E402
from rolecall.registry.scorer.training.tune import Tuning  # noqa: E402
from rolecall.registry.scorer.training.vectors import encode_all  # noqa: E402

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


def lesson_of(folder: Path, scorer: Scorer, **settings: Any) -> Lesson:
    judged, _ = read_judged([write(folder / "rows.jsonl", judged_rows(480, seed=1))])
    small = {"members": 2, "hidden": 32, "dim": 4, "batch": 64, "places": 20, "axes": 16}
    chosen = Settings(**(small | {"everyday_weight": 0.0, "weight_decay": 1.0} | settings))
    return Lesson(judged, chosen, scorer.encoder, None)


def test_a_small_seeded_training_run_learns_what_is_there(scorer: Scorer, tmp_path: Path) -> None:
    lesson = lesson_of(tmp_path, scorer, epochs=12)
    network = lesson.train(lesson.rows)
    settled = lesson.settle([network], lesson.hold_out())
    trained = lesson.scorer([network], lesson.rows, settled)
    signals = lesson.signals(trained, lesson.report)
    nowhere = np.full((len(lesson.report), len(MODELS)), np.nan)
    success, _ = trained.trained_success(signals, nowhere, np.arange(len(MODELS)))
    found = figures(lesson.judged, lesson.report, success)
    assert found["auc_rows"] > 0.75
    cake = trained.read("bake an apple cake")
    proof = trained.read("prove the corollary")
    assert cake.difficulty < proof.difficulty - 0.2
    assert trained.head.tasks == ("rows/cooking", "rows/proofs", "everyday")
    assert trained.head.tasks[proof.task] == "rows/proofs"
    again = lesson.train(lesson.rows).state_dict()
    assert all((again[name] == value).all() for name, value in network.state_dict().items())


def test_the_parts_of_a_success_add_up_to_it(scorer: Scorer, tmp_path: Path) -> None:
    lesson = lesson_of(tmp_path, scorer, epochs=4)
    network = lesson.train(lesson.rows)
    trained = lesson.scorer([network], lesson.rows, lesson.settle([network], lesson.hold_out()))
    stranger = ModelFacts("nobody-7b", 7, "2024-08")
    for one in trained.predict(trained.read("prove it"), [ModelFacts("gpt-4-0314"), stranger]):
        assert one.parts is not None
        whole = one.parts.average + one.parts.prompt + one.parts.local
        assert whole == pytest.approx(one.success, abs=2e-4)


def test_everyday_prompts_are_learnt_without_moving_the_models(
    scorer: Scorer, tmp_path: Path
) -> None:
    lesson = lesson_of(tmp_path, scorer, epochs=6, everyday_epochs=10, everyday_weight=20.0)
    plain = lesson_of(tmp_path, scorer, epochs=6).train(lesson.rows).state_dict()
    network = lesson.train(lesson.rows)
    read = {"hidden_weight", "hidden_bias", "signal_weight", "signal_bias"}
    read |= {"task_weight", "task_bias"}
    for name, value in network.state_dict().items():
        assert bool((value == plain[name]).all()) == (name not in read), name
    settled = lesson.settle([network], lesson.hold_out())
    trained = lesson.scorer([network], lesson.rows, settled)
    greeted = trained.predict(trained.read("good morning"), [ModelFacts("llama-2-7b-hf")])
    proof = trained.predict(trained.read("prove the lemma"), [ModelFacts("llama-2-7b-hf")])
    assert greeted[0].success > 0.6 > 0.4 > proof[0].success


def test_a_checkpoint_of_tuning_is_of_these_settings_and_texts_alone(
    scorer: Scorer, tmp_path: Path
) -> None:
    from transformers import BertConfig, BertModel

    sizes: Any = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 32}
    lesson = lesson_of(tmp_path, scorer, epochs=1, tuned_batch=16)
    members = lesson.train(lesson.rows)

    def begin(one: Lesson) -> Tuning:
        transformer = BertModel(BertConfig(**sizes, num_hidden_layers=3))
        return one.tuning(transformer, members, tmp_path)

    first = begin(lesson)
    assert len(first.texts.examples) == len(lesson.rows) + len(lesson.everyday)
    assert (first.network.strength() == members.strength()).all()
    assert begin(lesson).checkpoint == first.checkpoint
    other = begin(lesson_of(tmp_path, scorer, epochs=1, tuned_batch=32)).checkpoint
    lesson.prompts = ("another prompt",) * len(lesson.prompts)
    assert len({first.checkpoint, other, begin(lesson).checkpoint}) == 3


def test_reading_that_was_broken_off_goes_on_from_there(scorer: Scorer, tmp_path: Path) -> None:
    prompts, kept = [f"case {number}" for number in range(250)], tmp_path / "views.npz"
    asked: list[int] = []

    def stop(done: int, total: int) -> None:
        asked.append(total)
        if done > 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_all(scorer.encoder, prompts, kept, stop)
    views = encode_all(scorer.encoder, prompts, kept, lambda _, total: asked.append(total))
    assert asked == [250, 250, 50]
    encode_all(scorer.encoder, ["Please write: case 7 ", *prompts], kept, stop)
    assert asked == [250, 250, 50, 1]
    straight = scorer.encoder.encode(prompts)
    np.testing.assert_allclose(views, straight, atol=2e-3)


def test_the_memory_holds_what_models_made_of_the_prompts_around_a_place() -> None:
    vectors = np.repeat(np.eye(2, 8, dtype=np.float32), 20, axis=0)
    scores = np.full((40, 2), np.nan, dtype=np.float32)
    scores[:20, 0], scores[20:, 0] = 1, 0
    memory = memory_of(vectors, scores, axes_of(vectors, 3), places=2, temperature=0.05, seed=1)
    assert np.isnan(memory.outcomes[:, 1]).all()
    nearest = along(vectors[[20, 0]], memory.axes) @ memory.places.T
    low, high = memory.outcomes[nearest.argmax(axis=1), 0]
    assert high > 1.5
    assert low == pytest.approx(-high, abs=1e-5)


def test_pairs_in_the_wrong_order_cost_more_than_pairs_in_the_right_one() -> None:
    scores = torch.tensor([[1.0, 0.0, float("nan")]])
    truth = Truth(scores, torch.full((1, 3), float("nan")), torch.tensor([-1]), torch.ones(1))
    right, wrong = torch.tensor([[[2.0, -2.0, 9.0]]]), torch.tensor([[[-2.0, 2.0, 9.0]]])
    assert order_loss(right, truth) < 0.1 < 3 < order_loss(wrong, truth)
    same = torch.tensor([[1.0, 1.0, float("nan")]])
    tied = Truth(same, truth.tokens, truth.tasks, truth.weights)
    assert order_loss(wrong, tied) == 0


def test_excess_spread_is_the_least_when_chance_explains_all(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", judged_rows(1600, seed=3))
    judged, _ = read_judged([tmp_path])
    rows = judged.fold(7)
    tasks = [judged.tasks[row] for row in rows]
    right = task_means(judged.only(judged.fold(*range(7))), tasks, judged.models)
    wrong = np.clip(right + 0.2, 0.05, 0.95)
    assert excess_spread(judged, rows, right, 0.15) < 0.4
    assert excess_spread(judged, rows, wrong, 0.15) > 0.8
