"""Load the scorer beside the rest of a cold start, with the fits to the user's rows."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.core.reporting import Tell, say_nothing
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.encoder import load_session

# What else this file needs is imported where it is used, while the encoder is being loaded.
if TYPE_CHECKING:
    from rolecall.registry.core.entities import Registry
    from rolecall.registry.scorer.model import Scorer
    from rolecall.registry.storage.connection import Database


class Loading:
    """The scorer being loaded on a thread of its own, its encoder first.

    Building the encoder's session holds no interpreter lock, so it costs no time while the rest
    of rolecall is imported and the registry is read. What takes long later is told by `tell`.
    """

    def __init__(self, tell: Tell = say_nothing) -> None:
        self.tell = tell
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
            session = load_session(PRETRAINED)
            from rolecall.registry.scorer.model import Scorer

            self._scorer = Scorer.load(session=session)
        except ScorerUnusable as error:
            self._error = error


@dataclass(frozen=True, slots=True)
class RegistryAndScorer:
    """A registry's content, and the scorer with its fits."""

    registry: Registry
    scorer: Scorer


def read_known(db: Database, tell: Tell = say_nothing) -> RegistryAndScorer:
    """Read a registry and load its scorer.

    Nothing is written but what is derived from rows. Raises RegistryUnusable, ScorerUnusable.
    """
    loading = Loading(tell)
    from rolecall.registry.storage.registry import read_registry

    return RegistryAndScorer(read_registry(db), with_fits(db, loading.scorer(), tell))


def with_fits(db: Database, scorer: Scorer, tell: Tell = say_nothing) -> Scorer:
    """Return the scorer with what this registry's judged rows say, unless that is switched off.

    Fits by another version of the scorer are made anew; `tell` says so if it takes long.
    """
    from rolecall.registry.storage.judged_rows import has_judged_rows, read_fits, uses_fits

    if not has_judged_rows(db) or not uses_fits(db):
        return scorer if scorer.fits is None else scorer.with_fits(None)
    from rolecall.registry.scorer.packing import unpack_fits

    content = read_fits(db, scorer.version)
    if content is not None:
        return scorer.with_fits(unpack_fits(content))
    from rolecall.registry.learning.fits import derive_fits

    return scorer.with_fits(derive_fits(db, scorer, tell))
