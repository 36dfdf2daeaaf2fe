"""Which prompts of a pool are worth judging first to know a new model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.onboarding import Answers, design_of, fit_models, prior_of
from rolecall.registry.scorer.posterior import Design, Gaussian, predict_with, variances

if TYPE_CHECKING:
    from rolecall.registry.scorer.model import Reading, Scorer

# Prompts whose logits differ by no more than this share of their own variance count as one:
# judging both says little more of other prompts than judging one.
_ALIKE = 0.005
_ROWS_AT_ONCE = 256


def most_telling(
    scorer: Scorer,
    facts: ModelFacts,
    pool: Sequence[Reading],
    judged: Answers | None,
    count: int,
) -> list[int]:
    """Return the pool's `count` prompts (row numbers) that tell most of a model, best first.

    `judged` is what the model made of other prompts, null where nothing is known.
    """
    plain = scorer.with_fits(None)
    posterior, already = prior_of(plain, pool, facts), None
    if judged is not None:
        fit = fit_models(plain, judged).of(facts.model)
        assert fit is not None
        posterior = Gaussian(fit.mean, fit.covariance)
        column = [one.model for one in judged.facts].index(facts.model)
        known = judged.only(np.isfinite(judged.scores[:, column]))
        already = design_of(plain, known.readings, facts)
    return suggest(design_of(plain, pool, facts), posterior, count, already)


def suggest(
    pool: Design, posterior: Gaussian, count: int, already: Design | None = None
) -> list[int]:
    """Return the `count` prompts of the pool (row numbers) that tell most, the best first.

    Each next one is that which lowers the expected variance of success most, averaged over the
    whole pool, given those before it: V-optimality for logistic regression (Schein and Ungar,
    "Active learning for logistic regression", 2007), where judging a prompt of logit variance s
    and success p is worth a rank-one update with weight p(1-p) / (1 + p(1-p)·s). Near doubles of
    one chosen or `already` judged come last; fewer come where the pool has no more. Ties go to the
    earlier row.
    """
    success = predict_with(posterior, pool)
    steepness = success * (1 - success)
    variance = variances(posterior, pool)  # (N,) of the logits
    features, covariance = pool.features, posterior.covariance.copy()
    weighed = (features * (steepness**2)[:, None]).T @ features / max(len(pool), 1)  # (K, K)
    worth = (features @ (covariance @ weighed @ covariance) * features).sum(axis=1)  # (N,)
    is_free = np.ones(len(pool), dtype=bool)
    is_double = _doubles(features[:0] if already is None else already.features, pool, posterior)
    chosen: list[int] = []
    for _ in range(min(count, len(pool))):
        able = is_free & ~is_double if (is_free & ~is_double).any() else is_free
        gain = steepness * worth / (1 + steepness * variance)
        best = int(np.where(able, gain, -np.inf).argmax())
        is_free[best] = False
        is_double |= _doubles(features[best : best + 1], pool, posterior)
        chosen.append(best)
        # Sherman and Morrison: what the variances become once this prompt is judged.
        along = covariance @ features[best]
        share = steepness[best] / (1 + steepness[best] * variance[best])
        pulled = weighed @ along
        touched, spread = features @ along, features @ (covariance @ pulled)
        worth += share * touched * (share * float(along @ pulled) * touched - 2 * spread)
        variance -= share * touched**2
        covariance -= share * np.outer(along, along)
    return chosen


def _doubles(features: Table, pool: Design, posterior: Gaussian) -> NDArray[np.bool_]:
    """Return which prompts of the pool (N,) are near doubles of any of these (A, K)."""
    variance = variances(posterior, pool)
    found = np.zeros(len(pool), dtype=bool)
    for start in range(0, len(features), _ROWS_AT_ONCE):
        part = features[start : start + _ROWS_AT_ONCE]
        along = part @ posterior.covariance  # (A, K)
        both = variance[:, None] + (along * part).sum(axis=1)  # (N, A)
        apart = both - 2 * (pool.features @ along.T)
        found |= (apart <= _ALIKE * both).any(axis=1)
    return found
