"""The data as the networks meet it, and the steps from there to a scorer."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.encode import PHRASES, SENTENCE, TUNED, Encoder
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.judged import Judged
from rolecall.registry.scorer.perturb import variants
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.signals import join, standardise
from rolecall.registry.scorer.training.assemble import (
    Frame,
    Part,
    head_of,
    memory_of,
    no_memory,
    with_task_signals,
)
from rolecall.registry.scorer.training.beliefs import (
    beliefs_text,
    everyday,
    facts_columns,
    fit_imputation,
    training_models,
)
from rolecall.registry.scorer.training.calibrate import (
    best_tuned_share,
    calibrate,
    with_calibration,
)
from rolecall.registry.scorer.training.evaluate import excess_spread
from rolecall.registry.scorer.training.fit import Cast, Examples, fit, standing
from rolecall.registry.scorer.training.heldout import HeldOut, hold_out_families
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.settings import Settings
from rolecall.registry.scorer.training.tune import Texts
from rolecall.registry.scorer.training.vectors import encode_all

NAME = "minilm-latent"
EVERYDAY = "everyday"
_LEAST_FACTS_SPREAD = 0.4
_log = logging.getLogger(__name__)


class Lesson:
    """One training run: its data, encoded and split, and what is made of them.

    Prompts are numbered: the judged rows, then the everyday prompts, then a reworded form of
    each of these (the prompt itself where no rewording was found).
    """

    def __init__(
        self, judged: Judged, settings: Settings, encoder: Encoder, cache: Path | None
    ) -> None:
        self.judged, self.settings = judged, settings
        self.placed: NDArray[np.float64] | None = None
        self.anchors = everyday()
        self.rows = judged.fold(*settings.train_folds)
        self.tune = judged.fold(settings.tune_fold)
        self.report = judged.fold(settings.report_fold)
        self.prompts = judged.prompts + self.anchors.prompts
        self.lessons = np.concatenate([self.rows, np.arange(len(judged.ids), len(self.prompts))])
        self.reworded = tuple(
            next(iter(variants(self.prompts[row], settings.seed, 1)), self.prompts[row])
            for row in self.lessons
        )
        self.features = _measured(self.prompts)
        self.reworded_features = _measured(self.reworded)
        self.models = training_models(judged.models)
        self.tasks, self.task_of = self._tasks()
        self.version = f"{NAME}-{datetime.now(UTC).date()}-{_digest(settings, judged)}"
        self.see(encoder, cache)
        self.reworded_views = encode_all(encoder, self.reworded, cache)
        trained = self.features[self.rows]
        phrases = self.views[self.rows, PHRASES]
        self.frame = Frame(
            version=self.version,
            models=self.models,
            tasks=self.tasks,
            prior=fit_imputation(self.models),
            feature_mean=trained.mean(axis=0),
            feature_scale=trained.std(axis=0) + np.float32(1e-3),
            phrase_mean=phrases.mean(axis=0),
            phrase_scale=phrases.std(axis=0) + np.float32(1e-3),
        )
        columns = facts_columns(self.frame.prior, self.models)
        self.cast = Cast(self.models, columns, len(self.tasks))

    def see(self, encoder: Encoder, cache: Path | None) -> None:
        """Encode the prompts, as this encoder sees them; not their reworded forms."""
        self.encoder = encoder
        self.views = encode_all(encoder, self.prompts, cache)

    def train_frozen(self) -> Network:
        """Train twice: first to learn how models stand, then with the everyday beliefs."""
        settings, count = self.settings, len(self.rows)
        inputs = self._shared_and(SENTENCE)
        measured = _first(self.examples(inputs, 0.0), count)
        if settings.everyday_weight == 0:
            return fit(settings, measured, self.cast, settings.frozen_members)
        first = fit(settings, measured, self.cast, 1)
        self.placed = standing(first, measured.inputs[:count])
        _log.info("learnt how the models stand; now with everyday beliefs")
        whole = self.examples(inputs, settings.everyday_weight)
        return fit(settings, whole, self.cast, settings.frozen_members)

    def texts(self) -> Texts:
        """Return what the tuned members learn from."""
        settings = self.settings
        prompts = [self.prompts[row] for row in self.lessons] + list(self.reworded)
        most = settings.tuned_tokens
        ids = [_cut(self.encoder.token_ids(prompt), most) for prompt in prompts]
        return Texts(ids, self.examples(self._shared(), settings.tuned_everyday_weight))

    def examples(self, inputs: Floats, everyday_weight: float) -> Examples:
        """Return the training rows and everyday prompts, to be read from `inputs`."""
        scores, tokens = self.judged.scores[self.rows], self.judged.tokens[self.rows]
        count, models = len(self.anchors.prompts), scores.shape[1]
        believed = np.full((count, models), np.nan, dtype=np.float32)
        if self.placed is not None:
            believed = self.anchors.targets(self.placed)
        lengths = np.repeat(self.anchors.tokens[:, None], models, axis=1)
        weights = np.ones(len(self.lessons), dtype=np.float32)
        weights[len(self.rows) :] = everyday_weight
        return Examples(
            inputs,
            np.concatenate([scores, believed]),
            np.concatenate([tokens, lengths]),
            self.task_of[self.lessons],
            weights,
        )

    def hold_out(self) -> HeldOut:
        """Predict every model on the tuning and report rows, in that order, by facts alone."""
        asked = np.concatenate([self.tune, self.report])
        measured = _first(self.examples(self._shared_and(SENTENCE), 0.0), len(self.rows))
        return hold_out_families(
            self.settings,
            measured,
            self.frame,
            self.encoder,
            (self.views[asked], self.features[asked]),
        )

    def scorer(self, frozen: Network, tuned: Network | None, held_out: HeldOut) -> Scorer:
        """Return the calibrated scorer; its facts spread is what held-out families showed."""
        judged, tune = self.judged, self.tune
        parts = [Part(frozen, SENTENCE, 1.0)]
        memory = no_memory(len(self.models), self.views.shape[-1])
        if tuned is not None:
            parts = [Part(frozen, SENTENCE, 0.5), Part(tuned, TUNED, 0.5)]
            even = Scorer(head_of(self.frame, parts, memory), self.encoder)
            share = best_tuned_share(even, judged, tune, self.signals(even, tune))
            parts = [Part(frozen, SENTENCE, 1 - share), Part(tuned, TUNED, share)]
            memory = memory_of(
                self.views[self.rows, TUNED],
                judged.scores[self.rows],
                places=self.settings.places,
                temperature=self.settings.memory_temperature,
                seed=self.settings.seed,
            )
        head = with_task_signals(
            head_of(self.frame, parts, memory),
            self.views[self.lessons],
            self.features[self.lessons],
            self.task_of[self.lessons],
        )
        plain = Scorer(head, self.encoder)
        signals = self.signals(plain, tune)
        calibration = calibrate(plain, judged, tune, signals, self.views[tune, TUNED])
        success, _ = held_out.only(np.arange(len(tune))).success(_LEAST_FACTS_SPREAD)
        spread = excess_spread(judged, tune, success, _LEAST_FACTS_SPREAD)
        return with_calibration(plain, calibration, spread)

    def signals(self, scorer: Scorer, rows: NDArray[np.intp]) -> Floats:
        """Return the scorer's signals (E, N, K) of these prompts."""
        return scorer.signals(self.views[rows], self.features[rows])

    def _tasks(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the tasks that have a likeness, and each prompt's among them or -1."""
        names = [
            dataset if task == dataset else f"{dataset}/{task}"
            for dataset, task in zip(self.judged.datasets, self.judged.tasks, strict=True)
        ]
        counts = Counter(names[row] for row in self.rows)
        least = self.settings.least_task_prompts
        kept = sorted(name for name, count in counts.items() if count >= least)
        names += [EVERYDAY] * len(self.anchors.prompts)
        kept.append(EVERYDAY)
        place = {name: index for index, name in enumerate(kept)}
        return tuple(kept), np.array([place.get(name, -1) for name in names], dtype=np.int64)

    def _shared(self) -> Floats:
        views = np.concatenate([self.views[self.lessons], self.reworded_views])
        features = np.concatenate([self.features[self.lessons], self.reworded_features])
        frame = self.frame
        phrases = standardise(views[:, PHRASES], frame.phrase_mean, frame.phrase_scale)
        plain = standardise(features, frame.feature_mean, frame.feature_scale)
        return np.concatenate([phrases, plain], axis=1)

    def _shared_and(self, view: int) -> Floats:
        views = np.concatenate([self.views[self.lessons], self.reworded_views])
        return join(views[:, view], self._shared())


def _measured(prompts: tuple[str, ...]) -> Floats:
    return np.stack([measure(prompt) for prompt in prompts])


def _first(examples: Examples, count: int) -> Examples:
    """Return the first examples, in both forms."""
    forms = np.concatenate([np.arange(count), len(examples) + np.arange(count)])
    return replace(
        examples,
        inputs=examples.inputs[forms],
        scores=examples.scores[:count],
        tokens=examples.tokens[:count],
        tasks=examples.tasks[:count],
        weights=examples.weights[:count],
    )


def _cut(ids: list[int], most: int) -> list[int]:
    head = most * 5 // 8
    return ids if len(ids) <= most else ids[:head] + ids[head - most :]


def _digest(settings: Settings, judged: Judged) -> str:
    """Tell apart what would train another scorer: settings, seed, beliefs or scores."""
    digest = hashlib.sha256(json.dumps(asdict(settings)).encode())
    digest.update(beliefs_text().encode())
    digest.update(judged.scores.tobytes())
    return digest.hexdigest()[:8]
