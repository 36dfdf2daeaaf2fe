"""The scorer with what judged rows say of single models, as the registry keeps it."""

from __future__ import annotations

from rolecall.registry.scorer.fitted import fitted_latents
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.database import Database
from rolecall.registry.storage.fitted import read_fitted


def with_fitted(db: Database, scorer: Scorer) -> Scorer:
    """Return the scorer with the models that were fitted for its version.

    Raises ScorerUnusable where what is kept is damaged.
    """
    kept = read_fitted(db, scorer.version)
    if not kept and scorer.fitted is None:
        return scorer
    return scorer.with_fitted(fitted_latents(scorer.head, kept))
