"""The common offset: by how much all judged models succeed more or less often than predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.posterior import Design, Gaussian, fit_posterior

# How far the common offset may be from none, as a standard deviation in logits.
_SPREAD = 0.7
# Prompts of cosine similarity c share exp((c - 1) / _REACH) of it.
_REACH = 0.2
# Of more prompts a random part serves as places, and of more scores a part is fitted.
_MOST_PLACES = 256
_MOST_SCORES = 20_000
_JITTER = 1e-3
_SEED = 7


@dataclass(frozen=True, slots=True)
class World:
    """An offset in logits for every model, by prompt: `weights` (P,) at `vectors` (P, 384).

    Far from all of them it is 0.
    """

    vectors: Table
    weights: Table

    def offsets(self, vectors: Table) -> Table:
        """Return the offsets (N,) of prompts of these embeddings (N, 384)."""
        found: Table = kernel(vectors, self.vectors) @ self.weights
        return found


def kernel(left: Table, right: Table) -> Table:
    """Return how much of their offset prompts share, (N, P), by their embeddings."""
    alike: Table = np.exp((left @ right.T - 1) / _REACH)
    return alike


def fit_world(vectors: Table, logits: Table, own_variances: Table, scores: Table) -> World:
    """Return what the scores (N, M) of judged models have in common beyond the predicted logits.

    The offset is a Gaussian process over embeddings (N, 384) beside an own deviation for each
    model, of variance `own_variances` (M,): what one model alone shows is shared between the two.
    Scores are `nan` where a model was not judged.
    """
    rng = np.random.default_rng(_SEED)
    chosen = np.sort(rng.permutation(len(vectors))[:_MOST_PLACES])
    places = vectors[chosen]
    rows, columns = np.nonzero(np.isfinite(scores))
    if len(rows) > _MOST_SCORES:
        part = np.sort(rng.permutation(len(rows))[:_MOST_SCORES])
        rows, columns = rows[part], columns[part]
    count = len(places)
    models = scores.shape[1]
    features = np.zeros((len(rows), count + models))
    features[:, :count] = kernel(vectors, places)[rows]
    features[np.arange(len(rows)), count + columns] = 1.0
    covariance = np.zeros((count + models, count + models))
    alike = kernel(places, places) + _JITTER * np.eye(count)
    covariance[:count, :count] = _SPREAD**2 * np.linalg.inv(alike)
    covariance[count:, count:] = np.diag(own_variances)
    prior = Gaussian(np.zeros(count + models), covariance)
    found = fit_posterior(Design(logits[rows, columns], features), scores[rows, columns], prior)
    return World(places, found.mean[:count])
