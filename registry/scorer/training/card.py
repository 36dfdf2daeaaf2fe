"""The card of a trained scorer: what it learnt from, how, and what it assumes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.training import public_prompts
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData

_SOURCES = Path(__file__).with_name("datasets.yaml")


def describe(
    data: TrainingData, scorer: Scorer, settings: Settings, encoder_source: str
) -> dict[str, Any]:
    """Return the card; its figures are added by `evaluation.model_card`."""
    judged, head = data.judged, scorer.head
    folds = (*settings.train_folds, settings.tune_fold)
    parts = {"train": folds, "tune": (settings.tune_fold,), "report": (settings.report_fold,)}
    return {
        "seed": settings.seed,
        "encoder": {
            "from": Path(encoder_source).parent.name
            if Path(encoder_source).is_dir()
            else encoder_source,
            "licence": "Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2)",
            "run_as": "int8 (7-bit weights), dynamically quantized, one prompt at a time",
        },
        "data": {"sets": data_sets(judged), "models": len(judged.models)},
        "split": {
            "train_folds": list(folds),
            "tune_fold": settings.tune_fold,
            "report_fold": settings.report_fold,
            "prompts": {name: len(judged.fold(*some)) for name, some in parts.items()},
        },
        "kinds": kinds_of(head.tasks),
        "settings": asdict(settings),
        "calibration": asdict(head.calibration),
        "neighbours": {
            "prompts": len(head.neighbours.places),
            "temperature": head.neighbours.temperature,
        },
        "assumed": {
            "far_spread": "a prompt unlike anything known widens a logit by this much "
            f"({settings.far_spread})",
            "lengths": "tokens of kinds of prompts that no set has (training/length_assumed.yaml)",
            "successes": "success on everyday asks, open problems, textbook proofs and known "
            "programs (training/public_prompts.yaml)",
        },
    }


def sets_marked(key: str, value: str) -> list[str]:
    """Return the data sets of which the table says this."""
    return [name for name, one in _sources().items() if one.get(key) == value]


def kinds_of(tasks: Sequence[str]) -> dict[str, str]:
    """Return the kind of work of each training task that is known to be of one."""
    kinds = _sources()["kinds"] | public_prompts.kinds()
    found = {}
    for task in tasks:
        begins = [name for name in kinds if f"{task}/".startswith(f"{name}/") or task == name]
        begins += [name for name in kinds if "/" in name and task.startswith(name)]
        if begins:
            found[task] = kinds[max(begins, key=len)]
    return found


def _sources() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(_SOURCES.read_text(encoding="utf-8"))
    return found


def data_sets(judged: Judged) -> list[dict[str, Any]]:
    """Return each data set's source, licence and size."""
    sources = _sources()
    counts = Counter(judged.datasets)
    names = np.array(judged.datasets)
    return [
        {
            "set": name,
            **sources.get(name, {"from": None, "licence": None}),
            "prompts": counts[name],
            "scores": int(np.isfinite(judged.scores[names == name]).sum()),
            "models": int(np.isfinite(judged.scores[names == name]).any(axis=0).sum()),
        }
        for name in sorted(counts)
    ]
