"""The scorer without what keeps it steady, to show by comparison what that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.predict import Scorer

READING, MEMBERS, MEMORY = "reading", "members", "memory"
STEADYING = (READING, MEMBERS, MEMORY)


class PlainScorer(Scorer):
    """A scorer without some of what steadies it, or without all.

    Without `reading` it reads every text as typed, without `members` the head's first member
    speaks alone, without `memory` nothing is recalled.
    """

    def __init__(self, scorer: Scorer, without: tuple[str, ...] = STEADYING) -> None:
        head = scorer.head
        if MEMBERS in without:
            alone = np.zeros_like(head.weights)
            alone[0] = 1
            head = replace(head, weights=alone)
        if MEMORY in without:
            head = replace(head, calibration=replace(head.calibration, local_share=0.0))
        super().__init__(head, scorer.encoder)
        self._is_as_typed = READING in without

    def _views(self, text: str) -> Floats:
        return self.encoder.encode([text], as_typed=self._is_as_typed)

    def _features(self, text: str) -> Floats:
        return measure(text, as_typed=self._is_as_typed)
