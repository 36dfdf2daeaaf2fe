from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.encode import TUNED, WIDTH
from rolecall.registry.scorer.strength import COLUMNS

torch = pytest.importorskip("torch", reason="the train extra is not installed")
transformers = pytest.importorskip("transformers", reason="the train extra is not installed")

from rolecall.registry.scorer.training.beliefs import TrainingModel  # noqa: E402
from rolecall.registry.scorer.training.fit import Cast, Examples, untrained  # noqa: E402
from rolecall.registry.scorer.training.settings import Settings  # noqa: E402
from rolecall.registry.scorer.training.tune import Texts, Tuning, padded  # noqa: E402
from rolecall.registry.scorer.training.views import Views  # noqa: E402

# A prompt that holds this token is one that every model fails.
HARD = 7
SETTINGS = Settings(
    tuned_epochs=8, tuned_batch=16, tuned_rate=1e-3, tuned_head_rate=1e-2, hidden=16, dim=4
)


def small_transformer() -> Any:
    torch.manual_seed(1)
    sizes = {"hidden_size": WIDTH, "num_attention_heads": 6, "intermediate_size": 32}
    return transformers.BertModel(
        transformers.BertConfig(**sizes, num_hidden_layers=3, vocab_size=60)
    )


def seen_by(transformer: Any, ids: Sequence[Sequence[int]]) -> Any:
    """Return the views (N, V, 384), each text read by itself."""
    views = Views(transformer)
    with torch.no_grad():
        return np.stack([views(torch.tensor([list(one)])).numpy() for one in ids])


def texts() -> Texts:
    order = np.random.default_rng(3)
    ids = [[1, *order.integers(10, 60, size).tolist(), 2] for size in order.integers(3, 9, 128)]
    for one in ids[::2]:
        one[2] = HARD
    scores = np.repeat(np.arange(128)[:, None] % 2, 2, axis=1).astype(np.float32)
    examples = Examples(
        inputs=np.zeros((128, 1), np.float32),
        scores=scores,
        tokens=np.full_like(scores, np.nan),
        tasks=np.full(128, -1),
        weights=np.ones(128, np.float32),
    )
    return Texts(ids, seen_by(small_transformer(), ids), examples)


class CountedTuning(Tuning):
    taken = 0

    def _step(self, *told: Any) -> Any:
        self.taken += 1
        return super()._step(*told)


def tuning(settings: Settings, checkpoint: Path | None = None) -> CountedTuning:
    models = [TrainingModel(ModelFacts(m), m, base=False, narrow=False) for m in ("a", "b")]
    cast = Cast(tuple(models), np.zeros((2, len(COLUMNS)), np.float32), 0)
    torch.manual_seed(2)
    network = untrained(settings, cast, 2, np.arange(WIDTH + 1), (0.1, 0.1))
    return CountedTuning(settings, texts(), small_transformer(), network, checkpoint)


def test_tuning_that_was_broken_off_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    straight = tuning(SETTINGS)
    straight.run()
    tuning(SETTINGS, tmp_path / "part.pt").run(most_steps=37)
    resumed = tuning(SETTINGS, tmp_path / "part.pt")
    resumed.run()
    assert (straight.taken, resumed.taken) == (64, 64 - 37)
    ends = [one.transformer.state_dict() for one in (straight, resumed)]
    assert ends[0].keys() == ends[1].keys()
    for name, value in ends[0].items():
        assert torch.allclose(value, ends[1][name], atol=1e-6), name


def test_tuning_learns_what_decides_success_and_holds_the_other_views() -> None:
    moved = {}
    for weight in (0.0, 20.0):
        run = tuning(replace(SETTINGS, held_weight=weight))
        run.run()
        views = seen_by(run.transformer, run.texts.ids)
        inputs = torch.tensor(views[:, TUNED] * WIDTH**0.5)
        with torch.no_grad():
            said = run.network.score(torch.cat([inputs, torch.zeros(128, 1)], 1)).success
        right = (said.mean(dim=(0, 2)) > 0).numpy() == run.texts.examples.scores[:, 0]
        assert right.mean() > 0.9
        away = ((views - run.texts.published)[:, :TUNED] ** 2).sum(axis=2).mean(axis=0)
        moved[weight] = away / run.texts.published[:, :TUNED].var(axis=0).sum(axis=-1)
    assert (moved[20.0] < 0.3 * moved[0.0]).all()


def test_absent_tokens_change_no_view() -> None:
    transformer = small_transformer()
    ids = [[1, 12, 13, 2], [1, 14, 15, 16, 17, 18, 2]]
    with torch.no_grad():
        together = Views(transformer).of_texts(*padded(ids)).numpy()
    np.testing.assert_allclose(together, seen_by(transformer, ids), atol=1e-5)
