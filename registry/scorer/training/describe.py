"""The card of a trained scorer: figures beside baselines, held-out families, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import FORMAT
from rolecall.registry.scorer.predict import (
    REASONING_TOKENS,
    REASONING_TOKENS_PER_DIFFICULTY,
    Scorer,
)
from rolecall.registry.scorer.strength import COLUMNS
from rolecall.registry.scorer.training.beliefs import known_datasets
from rolecall.registry.scorer.training.data import Judged
from rolecall.registry.scorer.training.evaluate import coverage, figures, neighbours, task_means
from rolecall.registry.scorer.training.export import load_torch_encoder, transformer_of
from rolecall.registry.scorer.training.heldout import HeldOut
from rolecall.registry.scorer.training.lesson import Lesson

_QUANTIZATION_SAMPLE = 300


def describe(
    lesson: Lesson, scorer: Scorer, held_out: HeldOut, files: Sequence[Path], encoder: str
) -> dict[str, Any]:
    """Return the card, its figures taken on the report fold with the very head that ships."""
    return {
        "version": scorer.version,
        "format": FORMAT,
        "date": str(datetime.now(UTC).date()),
        "seed": lesson.settings.seed,
        "encoder": {
            "from": Path(encoder).parent.name if Path(encoder).is_dir() else encoder,
            "licence": "Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2)",
            "frozen": True,
            "run_as": "int8 (7-bit weights), dynamically quantized, one prompt at a time",
        },
        "data": {"files": [path.name for path in files], "sets": _datasets(lesson.judged)},
        "split": _split(lesson),
        "settings": asdict(lesson.settings),
        "figures": _figures(lesson, scorer),
        "facts_prior": _facts_prior(lesson, scorer, held_out),
        "quantization": _quantization(lesson, scorer, encoder),
        "assumed": _assumptions(lesson, scorer),
    }


def _datasets(judged: Judged) -> list[dict[str, Any]]:
    origins = known_datasets()
    datasets = np.array(judged.datasets)
    entries = []
    for name in sorted(set(judged.datasets)):
        asked = ~np.isnan(judged.scores[datasets == name])
        entries.append(
            {
                "set": name,
                "prompts": len(asked),
                "scores": int(asked.sum()),
                "models": int(asked.any(axis=0).sum()),
                **origins.get(name, {"from": None, "licence": None}),
            }
        )
    return entries


def _split(lesson: Lesson) -> dict[str, Any]:
    settings = lesson.settings
    rows = {"train": lesson.rows, "tune": lesson.tune, "report": lesson.report}
    return {
        "train_folds": list(settings.train_folds),
        "tune_fold": settings.tune_fold,
        "report_fold": settings.report_fold,
        "prompts": {name: len(part) for name, part in rows.items()},
    }


def _figures(lesson: Lesson, scorer: Scorer) -> dict[str, Any]:
    judged, rows = lesson.judged, lesson.report
    signals = scorer.signals(lesson.vectors[rows], lesson.features[rows])
    success, spread = scorer.latent_success(signals)
    nearest = neighbours(judged, lesson.vectors, lesson.rows, rows)
    return {
        "fold": lesson.settings.report_fold,
        "cases": int((~np.isnan(judged.scores[rows])).sum()),
        "scorer": {**figures(judged, rows, success), **coverage(judged, rows, success, spread)},
        "task_means": figures(judged, rows, task_means(judged, lesson.rows, rows)),
        "nearest_100": figures(judged, rows, nearest),
        "note": "AUC is per model, averaged by data set; a task mean knows the task's name",
    }


def _facts_prior(lesson: Lesson, scorer: Scorer, held_out: HeldOut) -> dict[str, Any]:
    prior = scorer.head.prior
    judged, rows, start = lesson.judged, lesson.report, len(lesson.tune)
    reported = held_out.only(np.arange(start, start + len(rows)))
    success, deviation = reported.success(prior.spread)
    unaided = 1 / (1 + np.exp(-reported.unaided))
    weights = zip(COLUMNS, prior.weights, strict=True)
    return {
        "held_out_families": {
            **figures(judged, rows, success),
            **coverage(judged, rows, success, deviation),
        },
        "without_facts": figures(judged, rows, unaided),
        "note": "each family of models predicted by a network that saw none of it, from facts "
        "alone, on the report fold; its spread was fitted on the tuning fold; without facts, "
        "every unseen model is read as an average one",
        "weights_in_logits": {name: round(weight, 3) for name, weight in weights},
        "units": "size and price per power of ten, years per year, reasoning and closed 0/1",
        "spread_in_logits": round(prior.spread, 3),
    }


def _quantization(lesson: Lesson, scorer: Scorer, encoder: str) -> dict[str, Any]:
    rows = lesson.report[:: max(len(lesson.report) // _QUANTIZATION_SAMPLE, 1)]
    vectors = full_precision(encoder, scorer, [lesson.judged.prompts[row] for row in rows])
    features = lesson.features[rows]
    shipped, _ = scorer.latent_success(scorer.signals(lesson.vectors[rows], features))
    exact, _ = scorer.latent_success(scorer.signals(vectors, features))
    cosines = (vectors * lesson.vectors[rows]).sum(axis=1)
    return {
        "prompts": len(rows),
        "mean_cosine": round(float(cosines.mean()), 4),
        "least_cosine": round(float(cosines.min()), 4),
        "mean_success_moved": round(float(np.abs(shipped - exact).mean()), 4),
        "brier_shipped": figures(lesson.judged, rows, shipped)["brier"],
        "brier_exact": figures(lesson.judged, rows, exact)["brier"],
        "note": "the head was trained on the quantized encoder's vectors",
    }


def full_precision(encoder: str, scorer: Scorer, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of the torch encoder on the very tokens that the scorer reads."""
    model = transformer_of(load_torch_encoder(encoder))
    vectors = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([scorer.encoder.token_ids(text)])
            hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            vectors.append(torch.nn.functional.normalize(hidden.mean(dim=1), dim=1)[0].numpy())
    return np.stack(vectors).astype(np.float32)


def _assumptions(lesson: Lesson, scorer: Scorer) -> list[str]:
    prior = scorer.head.prior
    return [
        f"Everyday requests are not in the data. {len(lesson.anchors.prompts)} prompts of our own, "
        "each kind with the success that we believe strong and weak models to have, were "
        "trained on at low weight. They are beliefs, not measurements, and no figure here "
        "includes them.",
        "The data's models are of 2023 to early 2025. A model that is not among them is read by "
        "size, list price, release date, reasoning and openness; more of any of these (closed "
        "counting as more) never lowers its success. Unknown facts are imputed with more spread.",
        f"A release date counts up to {prior.last_years - prior.newest_years:.1f} years past the "
        f"newest training model, and each year past it adds {prior.drift} logits of spread.",
        "Sizes, dates and prices of the training models are as publicly known at their time; "
        "`facts.yaml` lists them.",
        "How much size, price, date, reasoning and closedness matter is pulled towards what we "
        f"believe, {list(lesson.settings.fact_weights)} logits: the data alone would rate recency "
        "higher and size lower, and held-out families cannot tell the two apart.",
        "Base and narrow models read low in exams; a model known by facts is taken as neither.",
        "Hidden reasoning is not in the data: a reasoning model's output_tokens add "
        f"{REASONING_TOKENS:.0f} + {REASONING_TOKENS_PER_DIFFICULTY:.0f} · difficulty.",
        "Lengths were counted as characters / 4, for short exam answers of that time.",
        "An unparsed exam answer counted as wrong.",
        "Prompts are read by their first 160 and last 96 tokens.",
    ]
