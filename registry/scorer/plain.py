"""The scorer without what keeps it steady, to show by comparison what that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.predict import Scorer


class PlainScorer(Scorer):
    """One member of the head alone, which reads every text as typed and has no memory."""

    def __init__(self, scorer: Scorer) -> None:
        heaviest = int(scorer.head.weights.argmax())
        weights = np.zeros_like(scorer.head.weights)
        weights[heaviest] = 1
        calibration = replace(scorer.head.calibration, local_share=0.0)
        head = replace(scorer.head, weights=weights, calibration=calibration)
        super().__init__(head, scorer.encoder)

    def _views(self, text: str) -> Floats:
        return self.encoder.encode([text], as_typed=True)

    def _features(self, text: str) -> Floats:
        return measure(text, as_typed=True)
