"""The card of a trained scorer: figures beside baselines, held-out families, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rolecall.registry.scorer.artifact import FORMAT, Floats
from rolecall.registry.scorer.baselines import nearest, task_means, tuned
from rolecall.registry.scorer.data_lines import judged_files
from rolecall.registry.scorer.encode import SENTENCE, Encoder
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.predict import (
    REASONING_TOKENS,
    REASONING_TOKENS_PER_DIFFICULTY,
    Scorer,
)
from rolecall.registry.scorer.strength import COLUMNS
from rolecall.registry.scorer.training.assumptions import assumptions
from rolecall.registry.scorer.training.beliefs import known_datasets
from rolecall.registry.scorer.training.evaluate import (
    Table,
    coverage,
    data_sets,
    errors_by_model,
    figures,
    median_log_tokens,
    token_error,
)
from rolecall.registry.scorer.training.fit import fit
from rolecall.registry.scorer.training.heldout import HeldOut
from rolecall.registry.scorer.training.lesson import Lesson
from rolecall.registry.scorer.training.views import Views

_QUANTIZATION_SAMPLE = 700
Rows = NDArray[np.intp]


def describe(
    lesson: Lesson,
    scorer: Scorer,
    held_out: HeldOut,
    data: Path,
    encoder: tuple[str, nn.Module],
) -> dict[str, Any]:
    """Return the card, its figures taken on the report fold with the very head that ships."""
    source, model = encoder
    settings = lesson.settings
    return {
        "version": scorer.version,
        "format": FORMAT,
        "date": str(datetime.now(UTC).date()),
        "seed": settings.seed,
        "encoder": {
            "from": Path(source).parent.name if Path(source).is_dir() else source,
            "licence": "Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2)",
            "tuned": "all but its word embeddings, on the training folds without the tuning fold",
            "run_as": "int8 (7-bit weights), dynamically quantized, one prompt at a time",
        },
        "data": {
            "files": [path.name for path in judged_files([data])],
            "sets": data_sets(lesson.judged, known_datasets(), {"from": None, "licence": None}),
        },
        "split": _split(lesson),
        "settings": asdict(settings),
        "parts": _parts(lesson, scorer),
        "figures": _figures(lesson, scorer),
        "facts_prior": _facts_prior(lesson, scorer, held_out),
        "rewording": _rewording(lesson),
        "quantization": _quantization(lesson, scorer, Views(model)),
        "assumed": assumptions(
            scorer.head.prior,
            len(lesson.anchors.prompts),
            settings.fact_weights,
            (REASONING_TOKENS, REASONING_TOKENS_PER_DIFFICULTY),
        ),
    }


def _split(lesson: Lesson) -> dict[str, Any]:
    settings = lesson.settings
    rows = {"train": lesson.taught, "tune": lesson.tune, "report": lesson.report}
    return {
        "train_folds": [*settings.train_folds, settings.tune_fold],
        "tune_fold": settings.tune_fold,
        "report_fold": settings.report_fold,
        "prompts": {name: len(part) for name, part in rows.items()},
    }


def _parts(lesson: Lesson, scorer: Scorer) -> dict[str, Any]:
    """Return what each part of the scorer gives by itself, on the report fold."""
    head, rows = scorer.head, lesson.report
    logits = scorer.latent_logits(lesson.signals(scorer, rows), np.arange(len(head.models)))
    local = np.nan_to_num(recall(head, lesson.views[rows]))
    share = head.calibration.local_share
    first, members = lesson.settings.members, len(logits)
    of_first = (1 - share) * first / members
    said = {
        "one member": (None, logits[0]),
        "members": (of_first, logits[:first].mean(axis=0)),
        "tuned members": (1 - share - of_first, logits[first:].mean(axis=0)),
        "memory": (share, local),
    }
    return {
        name: {
            "share": None if counted is None else round(counted, 3),
            **figures(lesson.judged, rows, 1 / (1 + np.exp(-one))),
        }
        for name, (counted, one) in said.items()
    }


def _figures(lesson: Lesson, scorer: Scorer) -> dict[str, Any]:
    judged, rows = lesson.judged, lesson.report
    signals = lesson.signals(scorer, rows)
    everyone = np.arange(len(judged.models))
    local = recall(scorer.head, lesson.views[rows])
    success, spread = scorer.trained_success(signals, local, everyone)
    lengths = scorer.log_tokens(signals) + scorer.head.calibration.token_shift
    medians = median_log_tokens(judged, lesson.taught, rows)
    return {
        "fold": lesson.settings.report_fold,
        "cases": int((~np.isnan(judged.scores[rows])).sum()),
        "scorer": {**figures(judged, rows, success), **coverage(judged, rows, success, spread)},
        **_baselines(lesson, rows),
        "calibration_error_by_model": errors_by_model(judged, rows, success, lesson.settings.seed),
        "log_length_error": {
            "scorer": token_error(judged, rows, lengths),
            "model_median": token_error(judged, rows, medians),
        },
        "note": "AUC is per model, averaged by data set; a task mean knows the task's name; the "
        "neighbours are those of the published encoder, their number, fading and shrinking "
        "chosen on a fifth of the training groups; by_chance is what perfect forecasts as spread "
        "as these would show on so few rows; "
        "the length error is the median absolute difference of logarithms",
    }


def _baselines(lesson: Lesson, rows: Rows) -> dict[str, Any]:
    judged = lesson.judged
    train = judged.only(lesson.taught)
    vectors = lesson.published[:, SENTENCE]
    found = tuned(train, vectors[lesson.taught], judged.models)
    by_nearest = nearest(train, vectors[lesson.taught], vectors[rows], judged.models)
    tasks = [judged.tasks[row] for row in rows]
    by_task = task_means(train, tasks, judged.models)
    return {
        "task_means": figures(judged, rows, by_task),
        "nearest": {**asdict(found), **figures(judged, rows, by_nearest)},
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
        "note": "each family of models predicted by a frozen member that saw none of it, from "
        "facts alone, on the report fold; its spread was fitted on the tuning fold; without "
        "facts, every unseen model is read as an average one",
        "weights_in_logits": {name: round(weight, 3) for name, weight in weights},
        "units": "size and price per power of ten, years per year, reasoning and closed 0/1",
        "spread_in_logits": round(prior.spread, 3),
    }


def _rewording(lesson: Lesson) -> dict[str, Any]:
    """Return how far rewording moves a success, by a member taught reworded forms and by one not.

    Both learn from the judged rows alone, and are asked about the report fold.
    """
    settings, taught = lesson.settings, lesson.examples(lesson.taught)
    plain, reworded = lesson.in_both_forms(lesson.report)
    moved = {}
    for name, share in (("taught", settings.reworded_share), ("untaught", 0.0)):
        member = fit(replace(settings, reworded_share=share), taught, lesson.cast, 1, lesson.reads)
        with torch.no_grad():
            before, after = (member(torch.tensor(one)).success for one in (plain, reworded))
        moved[name] = round(float((before.sigmoid() - after.sigmoid()).abs().mean()), 5)
    return {"prompts": len(plain), "success_moved": moved}


def _quantization(lesson: Lesson, scorer: Scorer, views: Views) -> dict[str, Any]:
    judged = lesson.judged
    rows = lesson.report[:: max(len(lesson.report) // _QUANTIZATION_SAMPLE, 1)]
    exact = full_precision(views, scorer.encoder, [judged.prompts[row] for row in rows])
    shipped = lesson.views[rows]

    def said(seen: Floats) -> Table:
        signals = scorer.signals(seen, lesson.features[rows])
        local = recall(scorer.head, seen)
        return scorer.trained_success(signals, local, np.arange(len(judged.models)))[0]

    ours, theirs = said(shipped), said(exact)
    cosines = (exact[:, SENTENCE] * shipped[:, SENTENCE]).sum(axis=1)
    return {
        "prompts": len(rows),
        "mean_cosine": round(float(cosines.mean()), 4),
        "least_cosine": round(float(cosines.min()), 4),
        "mean_success_moved": round(float(np.abs(ours - theirs).mean()), 4),
        "shipped": figures(judged, rows, ours),
        "full_precision": figures(judged, rows, theirs),
    }


def full_precision(views: Views, encoder: Encoder, texts: Sequence[str]) -> Floats:
    """Return the unquantized views (N, V, 384) on the very tokens that the scorer reads."""
    found = []
    with torch.no_grad():
        for text in texts:
            found.append(views(torch.tensor([encoder.token_ids(text)])).numpy())
    return np.stack(found).astype(np.float32)
