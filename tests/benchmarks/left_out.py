"""Networks trained without one model, so that it can join as a stranger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from rolecall.registry.scorer.artifact import MODEL_FILE, Floats, load_head
from rolecall.registry.scorer.encode import PHRASES, SENTENCE, TUNED, Encoder
from rolecall.registry.scorer.integrity import file_digest
from rolecall.registry.scorer.judged import Judged
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.signals import join, standardise
from rolecall.registry.scorer.training.assemble import Part, head_of, no_memory
from rolecall.registry.scorer.training.beliefs import facts_columns, fit_imputation
from rolecall.registry.scorer.training.calibrate import calibrate, with_calibration
from rolecall.registry.scorer.training.fit import Cast, Examples, fit
from rolecall.registry.scorer.training.lesson import Lesson
from rolecall.registry.scorer.training.settings import Settings


class LeftOut:
    """The judged rows as an artifact's encoder sees them, and heads trained on them.

    The heads read the encoder as it was published, which no model's scores have touched. With
    `tuned` they read its tuned layers as well, which every model's scores have.
    """

    def __init__(self, judged: Judged, artifact: Path, cache: Path, *, tuned: bool) -> None:
        settings = Settings()
        encoder = Encoder(artifact, "left out")
        kept = cache / f"views-{file_digest(artifact / MODEL_FILE)[:16]}.npz"
        self._lesson = Lesson(judged, settings, encoder, kept)
        self._settings = settings
        self._views = (SENTENCE, TUNED) if tuned else (SENTENCE,)
        self._spread = load_head(artifact).prior.spread
        self.judged = judged
        self.vectors: Floats = self._lesson.views[: len(judged.ids), SENTENCE]

    @property
    def version(self) -> str:
        """What tells these networks from others: data, settings, views."""
        return f"{self._lesson.version}-{len(self._views)}"

    def scorer(self, without: str | None = None) -> Scorer:
        """Train and calibrate a head on every model, or on all but one."""
        lesson = self._lesson
        kept = np.array([i for i, name in enumerate(self.judged.models) if name != without])
        models = tuple(lesson.models[index] for index in kept)
        prior = fit_imputation(models)
        cast = Cast(models, facts_columns(prior, models), len(lesson.tasks))
        parts = []
        for view in self._views:
            examples = self._examples(view).only(kept)
            network = fit(self._settings, examples, cast, self._settings.frozen_members)
            parts.append(Part(network, view, 1 / len(self._views)))
        frame = replace(lesson.frame, models=models, prior=prior)
        nothing = no_memory(len(models), lesson.views.shape[-1])
        plain = Scorer(head_of(frame, parts, nothing), lesson.encoder)
        judged, tune = self.judged.of([m.facts.model for m in models]), lesson.tune
        tuned_vectors = lesson.views[tune, TUNED]
        signals = lesson.signals(plain, tune)
        calibration = calibrate(plain, judged, tune, signals, tuned_vectors)
        return with_calibration(plain, calibration, self._spread)

    def signals(self, scorer: Scorer) -> Floats:
        """Return the signals (E, N, K) of every judged prompt."""
        return self._lesson.signals(scorer, np.arange(len(self.judged.ids)))

    def _examples(self, view: int) -> Examples:
        """Return the training prompts as members of this view read them."""
        lesson = self._lesson
        views, features = lesson.views[lesson.lessons], lesson.features[lesson.lessons]
        frame = lesson.frame
        shared = [
            standardise(views[:, PHRASES], frame.phrase_mean, frame.phrase_scale),
            standardise(features, frame.feature_mean, frame.feature_scale),
        ]
        return lesson.examples(join(views[:, view], np.concatenate(shared, axis=1)), 0.0)
