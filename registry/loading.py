"""Load the shipped scorer beside the rest of a cold start."""

from __future__ import annotations

from threading import Thread

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.predict import Scorer


class Loading:
    """The scorer being loaded on a thread of its own.

    Building the encoder's session holds no interpreter lock, so it costs no time while the rest
    of rolecall is imported and the registry is read.
    """

    def __init__(self) -> None:
        self._scorer: Scorer | None = None
        self._error: ScorerUnusable | None = None
        self._thread = Thread(target=self._load)
        self._thread.start()

    def scorer(self) -> Scorer:
        """Wait for the scorer and return it; raises ScorerUnusable."""
        self._thread.join()
        if self._scorer is None:
            raise self._error or ScorerUnusable("the scorer could not be loaded")
        return self._scorer

    def _load(self) -> None:
        try:
            self._scorer = Scorer.load()
        except ScorerUnusable as error:
            self._error = error
