"""The data as the network meets it, and the steps from there to a scorer."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Calibration
from rolecall.registry.scorer.encode import Encoder
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.predict import Scorer, join
from rolecall.registry.scorer.training.beliefs import (
    beliefs_text,
    everyday,
    facts_columns,
    fit_imputation,
    training_models,
)
from rolecall.registry.scorer.training.calibrate import PLAIN, calibrate
from rolecall.registry.scorer.training.data import Judged
from rolecall.registry.scorer.training.evaluate import excess_spread
from rolecall.registry.scorer.training.fit import (
    Examples,
    Frame,
    Settings,
    fit,
    head_of,
    standing,
)
from rolecall.registry.scorer.training.heldout import HeldOut, hold_out_families
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.vectors import encode_all

NAME = "minilm-latent"
_LEAST_FACTS_SPREAD = 0.4
_log = logging.getLogger(__name__)


class Lesson:
    """One training run: its data, encoded and split, and what is made of them."""

    def __init__(
        self, judged: Judged, settings: Settings, encoder: Encoder, cache: Path | None
    ) -> None:
        self.judged, self.settings, self.encoder = judged, settings, encoder
        self.anchors = everyday()
        self.rows = judged.fold(*settings.train_folds)
        self.tune = judged.fold(settings.tune_fold)
        self.report = judged.fold(settings.report_fold)
        prompts = judged.prompts + self.anchors.prompts
        self.vectors = encode_all(encoder, prompts, cache)
        self.features = np.stack([measure(prompt) for prompt in prompts])
        models = training_models(judged.models)
        trained = self.features[self.rows]
        self.frame = Frame(
            version=f"{NAME}-{datetime.now(UTC).date()}-{_digest(settings, judged)}",
            models=models,
            prior=fit_imputation(models),
            feature_mean=trained.mean(axis=0),
            feature_scale=trained.std(axis=0) + np.float32(1e-3),
        )
        self.inputs = join(
            self.vectors, self.features, self.frame.feature_mean, self.frame.feature_scale
        )

    def train(self) -> Network:
        """Train twice: first to learn how models stand, then with the everyday beliefs."""
        measured = self._measured()
        columns = facts_columns(self.frame.prior, self.frame.models)
        first = fit(self.settings, measured, self.frame.models, columns)
        if self.settings.everyday_weight == 0:
            return first
        _log.info("trained on measured rows; now with everyday beliefs")
        believed = self._believed(standing(first, self.inputs[self.rows]))
        return fit(self.settings, measured.and_also(believed), self.frame.models, columns)

    def hold_out(self) -> HeldOut:
        """Predict every model on the tuning and report rows, in that order, by facts alone."""
        asked = np.concatenate([self.tune, self.report])
        brief = replace(self.settings, members=1)
        return hold_out_families(
            brief,
            self._measured(),
            self.frame,
            self.encoder,
            (self.vectors[asked], self.features[asked]),
        )

    def scorer(self, network: Network, held_out: HeldOut) -> Scorer:
        """Return the calibrated scorer; its facts spread is what held-out families showed."""
        plain = self._scorer(network, PLAIN, 0.0)
        signals = plain.signals(self.vectors[self.tune], self.features[self.tune])
        calibration = calibrate(plain, self.judged, self.tune, signals)
        on_tune = held_out.only(np.arange(len(self.tune)))
        success, _ = on_tune.success(_LEAST_FACTS_SPREAD)
        spread = excess_spread(self.judged, self.tune, success, _LEAST_FACTS_SPREAD)
        return self._scorer(network, calibration, spread)

    def _scorer(self, network: Network, calibration: Calibration, spread: float) -> Scorer:
        return Scorer(head_of(network, self.frame, calibration, spread), self.encoder)

    def _measured(self) -> Examples:
        rows = self.rows
        return Examples(
            self.inputs[rows],
            self.judged.scores[rows],
            self.judged.tokens[rows],
            np.ones(len(rows), dtype=np.float32),
        )

    def _believed(self, placed: NDArray[np.float64]) -> Examples:
        count = len(self.anchors.prompts)
        return Examples(
            self.inputs[-count:],
            self.anchors.targets(placed),
            np.repeat(self.anchors.tokens[:, None], len(placed), axis=1),
            np.full(count, self.settings.everyday_weight, dtype=np.float32),
        )


def _digest(settings: Settings, judged: Judged) -> str:
    """Tell apart what would train another scorer: settings, seed, beliefs or scores."""
    digest = hashlib.sha256(json.dumps(asdict(settings)).encode())
    digest.update(beliefs_text().encode())
    digest.update(judged.scores.tobytes())
    return digest.hexdigest()[:8]
