"""The card of a version trained on own data, in the shape of the shipped scorer's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isnan
from typing import Any

import numpy as np

from rolecall.registry.scorer.artifact import FORMAT
from rolecall.registry.scorer.card import learned_folds
from rolecall.registry.scorer.model import Scorer, Table
from rolecall.registry.scorer.own_rows import REPORT_FOLD, TUNE_FOLD
from rolecall.registry.scorer.training.evaluate import (
    data_sets,
    errors_by_model,
    figures,
    median_log_tokens,
    token_error,
)
from rolecall.registry.scorer.training.own_lesson import OwnLesson
from rolecall.registry.scorer.training.own_networks import Learned
from rolecall.registry.scorer.training.own_report import NEW, Comparison


@dataclass(frozen=True, slots=True)
class Told:
    """What the card tells of a run beyond its lesson: files by name, the base's card, a version."""

    files: tuple[str, ...]
    base: dict[str, Any]
    incumbent: str


def describe(
    lesson: OwnLesson,
    scorer: Scorer,
    learned: Learned,
    evidence: tuple[Mapping[str, Table], Comparison],
    told: Told,
) -> dict[str, Any]:
    """Return the card; `evidence` is what each method predicted for the report part, compared."""
    predicted, comparison = evidence
    return {
        "version": scorer.version,
        "format": FORMAT,
        "date": str(datetime.now(UTC).date()),
        "seed": lesson.settings.seed,
        "base": told.base.get("version"),
        "encoder": dict(told.base.get("encoder", {})),
        "data": {
            "files": list(told.files),
            "sets": data_sets(lesson.judged, {}, {"from": "own data", "licence": None}),
        },
        "split": _split(lesson),
        "learned": _learned(lesson, told.base),
        "settings": asdict(lesson.settings),
        "training": {
            "epochs": learned.epochs,
            "belief": asdict(learned.belief),
            "dispersion": round(lesson.dispersion, 4),
            "was_interrupted": learned.was_interrupted,
            "own_tasks": list(lesson.own_tasks),
            "models": list(lesson.judged.models),
        },
        "figures": _figures(lesson, scorer, predicted),
        "comparison": {"incumbent": told.incumbent, **comparison.to_dict()},
        "assumed": [
            *told.base.get("assumed", []),
            "Models that the own rows do not judge keep their numbers from "
            f"{told.base.get('version')}, moved as the judged ones moved together.",
        ],
    }


def _learned(lesson: OwnLesson, base: dict[str, Any]) -> dict[str, Any]:
    """Return the folds learned from by data set, the base's among them; null for all of them."""
    split = _split(lesson)
    own = None
    if split["train_folds"] is not None:
        own = [*split["train_folds"], split["tune_fold"]]
    before = base.get("learned") or [one["set"] for one in base["data"]["sets"]]
    return {
        **{name: learned_folds(base, name) for name in before},
        **dict.fromkeys(lesson.judged.datasets, own),
    }


def _split(lesson: OwnLesson) -> dict[str, Any]:
    """Return how the rows were split; the folds are null where groups were split instead."""
    split, folds = lesson.split, lesson.judged.folds
    by_folds = split.by == "folds"
    parts = {"train": split.train, "tune": split.tune, "report": split.report}
    return {
        "by": split.by,
        "is_crossed": lesson.is_crossed,
        "train_folds": sorted(set(folds[split.train].tolist())) if by_folds else None,
        "tune_fold": TUNE_FOLD if by_folds else None,
        "report_fold": REPORT_FOLD if by_folds else None,
        "prompts": {name: len(rows) for name, rows in parts.items()},
    }


def _figures(lesson: OwnLesson, scorer: Scorer, predicted: Mapping[str, Table]) -> dict[str, Any]:
    judged, rows = lesson.judged, lesson.split.report
    columns = lesson.roster.judged
    lengths = scorer.log_tokens(lesson.signals(scorer, rows))[:, columns]
    medians = median_log_tokens(judged, lesson.rows, rows)
    found = {name: _known(figures(judged, rows, said)) for name, said in predicted.items()}
    return {
        "cases": int((~np.isnan(judged.scores[rows])).sum()),
        **found,
        "calibration_error_by_model": errors_by_model(
            judged, rows, predicted[NEW], lesson.settings.seed
        ),
        "log_length_error": {
            "scorer": token_error(judged, rows, lengths),
            "model_median": token_error(judged, rows, medians),
        },
        "note": "on the report part alone; AUC is per model, averaged by data set; task means "
        "know the task's name, the best single model is its mean",
    }


def _known(found: Mapping[str, float]) -> dict[str, float]:
    """Leave out what has no value: JSON has no NaN."""
    return {name: value for name, value in found.items() if not isnan(value)}
