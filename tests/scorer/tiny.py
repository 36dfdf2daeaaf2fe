"""A scorer small enough to work out by hand: two kinds of prompts, two tastes, a dozen models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any, cast

import numpy as np

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.artifact import Calibration, Head
from rolecall.registry.scorer.encoder import EMBEDDINGS, WIDTH, Encoder
from rolecall.registry.scorer.features import FEATURES
from rolecall.registry.scorer.knn import Block, Neighbours
from rolecall.registry.scorer.length import HiddenModel, LengthModel
from rolecall.registry.scorer.metadata_prior import MetadataPrior
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.public_scores import PublicScore
from tests.scorer.prior_world import learnt

KINDS = ("sums", "poems")
MODELS = tuple(f"trained-{number}" for number in range(12))
_INPUTS = len(EMBEDDINGS) * WIDTH + len(FEATURES)
_ABILITY = np.linspace(-1, 1, len(MODELS))


class TinyEncoder:
    """Sees the kind that a prompt begins with, and a little of each prompt by itself."""

    version = "tiny"

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return (N, 2, 384)."""
        found = [np.repeat(self._vector(text)[None], len(EMBEDDINGS), axis=0) for text in texts]
        return np.array(found, dtype=np.float32).reshape(len(texts), len(EMBEDDINGS), WIDTH)

    def _vector(self, text: str) -> Floats:
        seed = int.from_bytes(sha256(text.encode()).digest()[:4])
        vector = 0.02 * np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
        for place, kind in enumerate(KINDS):
            vector[place] += text.startswith(kind)
        unit: Floats = vector / np.linalg.norm(vector)
        return unit


def tiny_facts(number: int) -> ModelFacts:
    """Return what is known of a trained model: the stronger, the larger, give or take a little."""
    ability = _ABILITY[number] + 0.2 * (-1.0) ** number
    return ModelFacts(
        MODELS[number],
        parameters_b=float(10 ** (ability + 1)),
        release_date=f"2025-{number + 1:02}-01",
        output_usd_per_mtok=float(10 ** (ability / 2)),
        reasoning=number % 2 == 0,
        open_weights=number % 3 == 0,
    )


@cache
def tiny_prior() -> MetadataPrior:
    """Return a prior learnt from the dozen models' sizes."""
    facts = [tiny_facts(number) for number in range(len(MODELS))]
    scores = [
        PublicScore(one.model, "exam", 0.5 + 0.3 * float(ability), "made up", False)
        for one, ability in zip(facts, _ABILITY, strict=True)
    ]
    return learnt(facts, scores, tiny_latent().astype(np.float64))


def tiny_latent(seed: int = 1) -> Floats:
    """Return each model's ability, and its taste for sums and for poems (12, 3)."""
    taste = 0.8 * np.random.default_rng(seed).standard_normal(len(MODELS))
    return np.stack([_ABILITY, taste, -taste], axis=1).astype(np.float32)


def tiny_head(seed: int = 1) -> Head:
    """Return a head whose two signals of success are the two kinds."""
    scale = np.ones(_INPUTS, dtype=np.float32)
    hidden = np.zeros((_INPUTS, 2), dtype=np.float32)
    hidden[0, 0] = hidden[1, 1] = 1.0
    nowhere = Block(0, np.arange(len(MODELS)), np.full((1, len(MODELS)), 255, np.uint8), False)
    return Head(
        version="tiny-1",
        models=MODELS,
        panel=tuple(range(len(MODELS))),
        tasks=("rows/all",),
        calibration=Calibration(
            scale=1.0,
            shift=0.0,
            local_share=0.0,
            local_weight=1.0,
            task_share=0.0,
            far=-2.0,
            near=-1.0,
            spread=0.1,
            far_spread=1.0,
        ),
        prior=tiny_prior(),
        neighbours=Neighbours(
            temperature=0.1,
            phrase_mean=np.zeros(WIDTH, dtype=np.float32),
            phrase_scale=np.ones(WIDTH, dtype=np.float32),
            axes=np.zeros((2 * WIDTH, 1), dtype=np.float32),
            places=np.zeros((1, 1), dtype=np.int8),
            blocks=(nowhere,),
            model_count=len(MODELS),
        ),
        input_mean=np.zeros(_INPUTS, dtype=np.float32),
        input_scale=scale,
        hidden_weight=hidden,
        hidden_bias=np.zeros(2, dtype=np.float32),
        signal_weight=np.eye(2, 3, dtype=np.float32),
        signal_bias=np.zeros(3, dtype=np.float32),
        task_weight=np.zeros((_INPUTS, 1), dtype=np.float32),
        task_bias=np.zeros(1, dtype=np.float32),
        task_loading=np.zeros((1, 2), dtype=np.float32),
        task_offset=np.zeros(1, dtype=np.float32),
        usual_signals=np.array([[0.5, 0.5, 0.0]], dtype=np.float32),
        general_loading=np.array([1.0, 0.5, 0.5], dtype=np.float32),
        latent=tiny_latent(seed),
        expected_latent=tiny_latent(seed),
        latent_covariance=0.02 * np.eye(3, dtype=np.float32),
        asked=np.full((1, len(MODELS)), 500, dtype=np.float32),
        task_means=np.full((1, len(MODELS)), 0.5, dtype=np.float32),
    )


def tiny_lengths() -> LengthModel:
    """Return lengths of 99 tokens of whatever, by whomever, and 500 hidden ones."""
    usual = np.log(np.array([100, 501], dtype=np.float32))
    nothing = np.zeros(len(FEATURES), dtype=np.float32)
    return LengthModel(
        models=MODELS,
        feature_mean=nothing,
        feature_scale=nothing + 1,
        centroids=np.eye(1, WIDTH, dtype=np.float32),
        sharpness=1.0,
        told=np.zeros(1, dtype=np.float32),
        weight=np.zeros((2, WIDTH + len(FEATURES) + 2), dtype=np.float32),
        intercept=usual,
        usual=usual,
        lowest=np.zeros(2, dtype=np.float32),
        highest=np.full(2, 10.0, dtype=np.float32),
        model_task=np.zeros((len(MODELS), 2), dtype=np.float32),
        families={},
        hidden_task=np.zeros((0, 2), dtype=np.float32),
        hidden=HiddenModel(variants={}, families={}, step=1.0),
    )


def tiny_scorer(seed: int = 1) -> Scorer:
    """Return the tiny head with the tiny encoder."""
    return Scorer(tiny_head(seed), cast(Encoder, TinyEncoder()), tiny_lengths())


def tiny_rows(
    count: int, start: int = 0, models: Sequence[str] = ("stranger", "other"), **more: Any
) -> list[dict[str, Any]]:
    """Return judged rows in which every model does sums well and poems badly."""
    rng = np.random.default_rng(start + 4)
    return [
        {
            "prompt": f"{KINDS[number % 2]}: {number}",
            "task": KINDS[number % 2],
            "scores": {model: float(rng.random() < (0.95, 0.1)[number % 2]) for model in models},
            **more,
        }
        for number in range(start, start + count)
    ]
