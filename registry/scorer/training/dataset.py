"""Judged rows as training data: embedded, with canonical names, weights and tasks."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import yaml
from numpy.typing import NDArray

from rolecall.registry.scorer.arrays import Floats, Rows
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encoder import EMBEDDINGS, WIDTH, Encoder, KeptEmbeddings
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.public_prompts import with_public_prompts
from rolecall.registry.scorer.variants import canonical

_EVERY = 5000
_PUBLIC_PART = 0.3  # what a public score counts of a judged one
_FRAMES = Path(__file__).with_name("frames.yaml")
_WORD = re.compile(r"(?<![\w\\/.@#$])[a-z]{5,14}(?![\w\\/.@])")
_TYPOS = (0, 0, 1, 2)  # how many, each as often
_LONGEST_WITH_TYPOS = 2000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Judged prompts with what the encoder and the features make of them.

    `embeddings` (P, 2, 384), `features` (P, F), and both once more of the augmented prompts;
    `task_of` (P,) numbers `tasks`, named by data set.
    """

    judged: Judged
    embeddings: Floats
    features: Floats
    augmented_embeddings: Floats
    augmented_features: Floats
    tasks: tuple[str, ...]
    task_of: Rows

    @property
    def set_of(self) -> NDArray[np.str_]:
        """Each prompt's data set (P,)."""
        return np.array(self.judged.datasets)

    def weights(self, rows: Rows, power: float) -> Floats:
        """Return what a score of each of these rows counts (n,), 1 on average over scores.

        A data set of n scores counts as n^(1 − power) of them, public scores for less.
        """
        scores = np.isfinite(self.judged.scores[rows]).sum(axis=1)
        sets = self.set_of[rows]
        held = {name: scores[sets == name].sum() for name in np.unique(sets)}
        part = {name: _PUBLIC_PART if name == PUBLIC else 1.0 for name in held}
        raw = np.array([part[name] * float(held[name]) ** -power for name in sets])
        found: Floats = (raw * scores.sum() / (raw * scores).sum()).astype(np.float32)
        return found


def load_data(judged: Judged, encoder: Encoder, settings: Settings, cache: Path) -> TrainingData:
    """Name models and tasks alike, and read every prompt; what was read is kept in `cache`."""
    named = with_public_prompts(with_canonical_names(judged), settings.train_folds[0])
    tasks, task_of = _tasks(named, settings.least_task)
    rng, around = Random(settings.seed), frames()
    others = [augmented(prompt, around, rng) for prompt in named.prompts]
    return TrainingData(
        judged=named,
        embeddings=encode_all(encoder, named.prompts, cache),
        features=np.stack([measure(prompt) for prompt in named.prompts]),
        augmented_embeddings=encode_all(encoder, others, cache),
        augmented_features=np.stack([measure(prompt) for prompt in others]),
        tasks=tasks,
        task_of=task_of,
    )


def with_canonical_names(judged: Judged) -> Judged:
    """Return the rows with one column a model; a prompt scored under two names has their mean."""
    names = [canonical(model) for model in judged.models]
    models = tuple(sorted(set(names)))
    columns = [[i for i, name in enumerate(names) if name == model] for model in models]

    def merged(table: Floats) -> Floats:
        return np.stack([_mean(table[:, some]) for some in columns], axis=1)

    return replace(
        judged,
        models=models,
        scores=merged(judged.scores),
        tokens=merged(judged.tokens),
        costs=merged(judged.costs),
    )


def _mean(columns: Floats) -> Floats:
    known = np.isfinite(columns)
    count = known.sum(axis=1)
    total = np.where(known, columns, 0).sum(axis=1)
    found: Floats = np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return found


def _tasks(judged: Judged, least: int) -> tuple[tuple[str, ...], Rows]:
    """Return the tasks, named by data set, and each prompt's; rare ones are one task a set."""
    full = [
        f"{dataset}/{task}" for dataset, task in zip(judged.datasets, judged.tasks, strict=True)
    ]
    often = Counter(full)
    kept = [
        name if often[name] >= least else f"{dataset}/other"
        for name, dataset in zip(full, judged.datasets, strict=True)
    ]
    tasks = tuple(sorted(set(kept)))
    number = {task: place for place, task in enumerate(tasks)}
    return tasks, np.array([number[name] for name in kept], dtype=np.intp)


def encode_all(encoder: Encoder, prompts: Sequence[str], cache: Path) -> Floats:
    """Return every prompt's embeddings (P, 2, 384).

    What was read before is kept in `cache`, by encoder and text, and taken from there.
    """
    kept = KeptEmbeddings(encoder, cache / f"embeddings-{encoder.version}.npz")
    found = np.empty((len(prompts), len(EMBEDDINGS), WIDTH), dtype=np.float32)
    for row, prompt in enumerate(prompts):
        found[row] = kept.encode([prompt])[0]
        if (row + 1) % _EVERY == 0:
            _log.info("read %d of %d prompts", row + 1, len(prompts))
            kept.save()
    kept.save()
    return found


def frames() -> tuple[str, ...]:
    """Return the frames of augmented prompts, each with `{}` where the prompt stands."""
    return tuple(yaml.safe_load(_FRAMES.read_text(encoding="utf-8")))


def augmented(prompt: str, around: tuple[str, ...], rng: Random) -> str:
    """Return the prompt in one of the frames, with up to two typos in its words."""
    text = _with_typos(prompt, rng.choice(_TYPOS), rng)
    return rng.choice(around).replace("{}", text)


def _with_typos(text: str, count: int, rng: Random) -> str:
    for _ in range(count):
        words = list(_WORD.finditer(text[:_LONGEST_WITH_TYPOS]))
        if not words:
            break
        word = rng.choice(words)
        at = word.start() + rng.randrange(1, len(word[0]) - 1)
        swapped = text[at + 1] + text[at]
        text = text[:at] + rng.choice((swapped, text[at + 1], text[at] + swapped)) + text[at + 2 :]
    return text
