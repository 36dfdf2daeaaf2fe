"""Load the scorer in use beside the rest of a cold start."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.paths import registry_path
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.versions import USE_HINT, folder_in_use


class Loading:
    """The scorer being loaded on a thread of its own.

    Building the encoder's session holds no interpreter lock, so it costs no time while the rest
    of rolecall is imported and the registry is read.
    """

    def __init__(self, registry: Path | None = None) -> None:
        """`registry` is as given by the person; by default it is the environment's."""
        self._registry = registry
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
            self._scorer = load_in_use(self._registry)
        except ScorerUnusable as error:
            self._error = error


def load_in_use(registry: Path | None = None) -> Scorer:
    """Load the scorer that this registry uses; raises ScorerUnusable.

    A version that cannot be loaded is never passed over in silence for the shipped one.
    """
    return load_version(folder_in_use(registry_path(registry)))


def load_version(folder: Path | None) -> Scorer:
    """Load a version trained on own data, or without a folder the shipped scorer."""
    if folder is None:
        return Scorer.load()
    try:
        return Scorer.load(folder)
    except ScorerUnusable as error:
        raise ScorerUnusable(error.message, hint=USE_HINT) from error
