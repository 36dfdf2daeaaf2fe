"""Judged rows of made-up models, and a scorer that knows what is what in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rolecall.registry.core.entities import Registry
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.learning import loading
from rolecall.registry.learning.loading import RegistryAndScorer

WIDTH = 384
KINDS = ("sums", "poems")
MODELS = ("abacus", "lyra", "middling")
PRICES = {
    "abacus": (1.0, 4.0),
    "lyra": (1.0, 4.0),
    "middling": (10.0, 40.0),
}
# How often each model is right about each kind of prompt.
SKILLED = {"abacus": (0.95, 0.1), "lyra": (0.1, 0.95), "middling": (0.7, 0.7)}
ALIKE = {"abacus": (0.5, 0.5), "lyra": (0.45, 0.45), "middling": (0.8, 0.8)}

Skill = Mapping[str, tuple[float, float]]


def rows(count: int, skill: Skill = SKILLED, *, seed: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Return so many judged rows, half of them of either kind; `more` goes into each."""
    dice = Random(seed)
    made = []
    for number in range(count):
        kind = number % 2
        scores = {model: float(dice.random() < chance[kind]) for model, chance in skill.items()}
        prompt = f"{KINDS[kind]}: prompt {seed}-{number}"
        tokens = {model: dice.randint(80, 120) for model in skill}
        row = {"prompt": prompt, "scores": scores, "output_tokens": tokens, "fold": number % 5}
        made.append(row | {"task": KINDS[kind], "dataset": "world"} | more)
    return made


def write_rows(path: Path, made: Sequence[Mapping[str, Any]]) -> Path:
    """Write a row a line."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in made))
    return path


def write_prices(path: Path, prices: Mapping[str, tuple[float, float]] = PRICES) -> Path:
    """Write a file of input and output prices."""
    path.write_text(
        "".join(
            f"{model}: {{input_usd_per_mtok: {one}, output_usd_per_mtok: {other}}}\n"
            for model, (one, other) in prices.items()
        )
    )
    return path


class Seer:
    """A stand-in for the scorer: it sees a prompt's kind, and knows who is good at it."""

    version = "seer-1"
    fits = None

    def __init__(self, skill: Skill = SKILLED) -> None:
        self.skill = skill
        self.read_prompts: list[str] = []
        self.encoder = self
        self.head = SimpleNamespace(neighbours=self)

    def with_encoder(self, encoder: object) -> Seer:  # noqa: ARG002
        """Return itself: how it reads is its own."""
        return self

    def read(self, text: str, *, is_agent: bool | None = None) -> Any:  # noqa: ARG002
        """Return the prompt's kind."""
        return SimpleNamespace(kind=_kind(text))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors (N, 2, 384) near those of each text's kind."""
        self.read_prompts += texts
        found = []
        for text in texts:
            seed = int.from_bytes(sha256(text.encode()).digest()[:4])
            vector = np.random.default_rng(seed).normal(0, 0.5, WIDTH)
            vector[_kind(text)] += 10
            found.append(np.tile(vector / np.linalg.norm(vector), (2, 1)))
        return np.array(found, dtype=np.float32)

    def locate(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return places as embeddings are."""
        return embeddings[:, 0]

    def predict(self, reading: Any, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Return each model's chance with this kind of prompt, and a hundred tokens."""
        chances = [self.skill.get(one.model, (0.5, 0.5))[reading.kind] for one in facts]
        return tuple(
            Prediction(one.model, chance, 0.05, 100, "latent")
            for one, chance in zip(facts, chances, strict=True)
        )


def _kind(text: str) -> int:
    return 0 if text.startswith(KINDS[0]) else 1


def install(monkeypatch: pytest.MonkeyPatch, seer: Seer | None = None) -> Seer:
    """Let evaluations load this scorer instead of the shipped one."""
    found = seer or Seer()

    class Loading:
        def __init__(self, tell: object = None) -> None:
            pass

        def scorer(self) -> Seer:
            return found

    monkeypatch.setattr("rolecall.registry.learning.loading.Loading", Loading)
    return found


def known(pool: Registry) -> RegistryAndScorer:
    """Return this pool, with the scorer that is installed."""
    return RegistryAndScorer(pool, loading.Loading().scorer())
