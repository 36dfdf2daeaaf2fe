"""Networks trained without one model, so that it can join as a stranger."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from rolecall.registry.scorer.artifact import Floats, load_head
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encode import SENTENCE
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.training.assemble import head_of, no_memory
from rolecall.registry.scorer.training.beliefs import facts_columns
from rolecall.registry.scorer.training.calibrate import Settled, calibrate
from rolecall.registry.scorer.training.export import (
    exported,
    load_torch_encoder,
    packaged_encoder,
)
from rolecall.registry.scorer.training.fit import Cast, fit
from rolecall.registry.scorer.training.lesson import Lesson
from rolecall.registry.scorer.training.settings import Settings


class LeftOut:
    """The judged rows as the published encoder sees them, and heads trained on them.

    No model's scores have touched the encoder. The heads have no memory and know of no everyday
    prompts: what is asked is how a model joins.
    """

    def __init__(self, judged: Judged, artifact: Path, cache: Path) -> None:
        settings = Settings()
        source = load_torch_encoder(packaged_encoder())
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as name:
            encoder, kept = exported(source, Path(name) / "published", cache)
            self._lesson = Lesson(judged, settings, encoder, kept)
        self._settings = settings
        self._spread = load_head(artifact).prior.spread
        self.judged = judged
        self.vectors: Floats = self._lesson.views[: len(judged.ids), SENTENCE]

    @property
    def version(self) -> str:
        """What tells these networks from others: data and settings."""
        return self._lesson.version

    def scorer(self, without: str | None = None) -> Scorer:
        """Train and calibrate a head on every model, or on all but one."""
        lesson, settings = self._lesson, self._settings
        kept = np.array([i for i, name in enumerate(self.judged.models) if name != without])
        frame = lesson.frame.only(kept)
        models = frame.models
        cast = Cast(models, facts_columns(frame.prior, models), len(lesson.tasks))
        examples = lesson.examples(lesson.rows).only(kept)
        network = fit(settings, examples, cast, settings.members, lesson.reads)
        plain = Scorer(head_of(frame, [network], no_memory(len(models))), lesson.encoder)
        judged, tune = self.judged.of([m.facts.model for m in models]), lesson.tune
        signals = lesson.signals(plain, tune)
        calibration = calibrate(plain, judged, tune, signals, lesson.views[tune])
        return Settled(calibration, self._spread).over(plain)

    def signals(self, scorer: Scorer) -> Floats:
        """Return the signals (E, N, K) of every judged prompt."""
        return self._lesson.signals(scorer, np.arange(len(self.judged.ids)))
