"""What is known of models whatever the prompt: by own rows, by training, or before either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.predictions import Basis, ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.variants import candidates, reasons, variant

if TYPE_CHECKING:
    from rolecall.registry.scorer.onboarding import Fits

_KEPT = 8  # pools; the same one is asked about prompt after prompt


@dataclass(frozen=True, slots=True)
class Pool:
    """What is known of N models whatever the prompt: asked of one, they are asked of many.

    `rows` are their rows among the trained models, -1 for those not seen in training; `latent`
    (N, 1 + L) with its `covariance` (N, 1 + L, 1 + L). What a trained model's own scores add,
    `own` (N, 1 + L), counts as far as it was asked the like; where it was not, `unasked`
    (N, 1 + L, 1 + L) is added to the covariance.
    """

    rows: NDArray[np.intp]
    latent: Table
    covariance: Table
    own: Table
    unasked: Table
    bases: tuple[Basis, ...]


def pools(head: Head, fits: Fits | None) -> Callable[[tuple[ModelFacts, ...]], Pool]:
    """Return what gives the pool of some models."""
    row_of = {model: row for row, model in enumerate(head.models)}

    def pool_of(facts: tuple[ModelFacts, ...]) -> Pool:
        names = [candidates(one.base or one.model, one.reasoning_effort) for one in facts]
        known = [[row_of[name] for name in some if name in row_of] for some in names]
        rows = np.array([some[0] if some else -1 for some in known], dtype=np.intp)
        latent = head.latent[rows].astype(np.float64)
        own = latent - head.expected_latent[rows]
        covariance = np.repeat(head.latent_covariance[None].astype(np.float64), len(facts), axis=0)
        unasked = np.repeat(head.prior.own[None], len(facts), axis=0)
        bases: list[Basis] = []
        for i, one in enumerate(facts):
            fit = None if fits is None else fits.of(one.model)
            bases.append(_basis(head, one, known=rows[i] >= 0, fitted=fit is not None))
            if rows[i] < 0:
                own[i], unasked[i] = 0.0, 0.0
            if fit is not None:
                latent[i], covariance[i], unasked[i] = fit.mean, fit.covariance, 0.0
            elif rows[i] < 0:
                (latent[i],), (covariance[i],) = head.prior.predict([one])
            elif variant(head.models[rows[i]]).effort != variant(names[i][0]).effort:
                moved = _of_effort(head, one, head.models[rows[i]])
                latent[i] += moved
                covariance[i] += np.outer(moved, moved)
        return Pool(rows, latent, covariance, own, unasked, tuple(bases))

    return lru_cache(maxsize=_KEPT)(pool_of)


def _of_effort(head: Head, facts: ModelFacts, judged: str) -> Table:
    """Return how far scores and facts put a model (1 + L,) from its `judged` effort."""
    sibling = replace(facts, model=judged, reasoning=reasons(variant(judged)))
    (asked_so, as_judged), _ = head.prior.predict([facts, sibling])
    return np.asarray(asked_so - as_judged)


def _basis(head: Head, facts: ModelFacts, *, known: bool, fitted: bool) -> Basis:
    """Return what a prediction of the model rests on."""
    if fitted:
        return "fitted"
    return "latent" if known else head.prior.basis(facts)
