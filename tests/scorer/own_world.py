"""Own data of a world small enough to train on in a test."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.scorer import card, integrity, predict
from rolecall.registry.scorer.artifact import save_head
from tests.scorer.tiny import KINDS, TinyEncoder, tiny_head

MODELS = ("poet", "summer", "trained-3")
# What is right how often: the poet writes, the summer reckons, and one is middling at both.
SKILL = {"sums": (0.2, 0.9, 0.5), "poems": (0.9, 0.2, 0.5)}


def ship_tiny(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let the tiny head be the shipped scorer, read by an encoder that needs no files."""
    from rolecall.registry.scorer.training import own

    write_artifact(folder)
    for module in (card, integrity, predict, own):
        monkeypatch.setattr(module, "PRETRAINED", folder)
    monkeypatch.setattr(predict, "Encoder", lambda *_: TinyEncoder())
    return folder


def write_artifact(folder: Path, version: str = "tiny-1") -> Path:
    """Write the tiny head as an artifact whose card vouches for its files."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"no encoder")
    (folder / "tokenizer.json").write_text("{}")
    save_head(replace(tiny_head(), version=version), folder)
    files = {path.name: integrity.file_digest(path) for path in sorted(folder.iterdir())}
    content = {
        "version": version,
        "date": "2026-11-20",
        "seed": 7,
        "encoder": {"from": "tiny", "run_as": "int8"},
        "data": {"files": [], "sets": [{"set": "world", "prompts": 9, "scores": 9, "models": 3}]},
        "split": {"train_folds": [0, 1], "tune_fold": 6, "report_fold": 7},
        "figures": {
            "cases": 9,
            "scorer": {"brier": 0.2},
            "nearest": {"brier": 0.22},
            "task_means": {"brier": 0.21},
        },
        "assumed": ["this and that"],
        "files": files,
    }
    (folder / "card.json").write_text(json.dumps(content))
    return folder


def quicken(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Let training on own data try one belief in two folds, with few everyday prompts."""
    from rolecall.registry.scorer.training import own_lesson, own_settings
    from rolecall.registry.scorer.training.beliefs import everyday

    quick: dict[str, Any] = {
        "task_beliefs": ((1.0, 0.4),),
        "prompt_beliefs": (1.0,),
        "crossed_folds": 2,
        **settings,
    }
    monkeypatch.setattr(own_settings, "OwnSettings", partial(own_settings.OwnSettings, **quick))
    anchors = everyday()
    few = replace(
        anchors,
        prompts=anchors.prompts[:12],
        kinds=anchors.kinds[:12],
        strong=anchors.strong[:12],
        weak=anchors.weak[:12],
        tokens=anchors.tokens[:12],
    )
    monkeypatch.setattr(own_lesson, "everyday", lambda: few)


def own_rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Return judged rows in which the kind of a prompt decides who is right."""
    dice = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        kind = KINDS[number % 2]
        right = dice.random(len(MODELS)) < SKILL[kind]
        rows.append(
            {
                "prompt": f"{kind} number {number}",
                "task": kind,
                "scores": dict(zip(MODELS, map(float, right), strict=True)),
                "output_tokens": dict.fromkeys(MODELS, 40 if kind == "sums" else 300),
            }
        )
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write one row a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
