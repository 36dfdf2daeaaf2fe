"""Fit models to their judged rows, with the network frozen: a prior and rows give a posterior."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.posterior import Design, Gaussian, fit_posterior, variances
from rolecall.registry.scorer.variants import canonical

if TYPE_CHECKING:
    from rolecall.registry.scorer.model import Reading, Scorer

Facts = Mapping[str, ModelFacts]

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


PARTS = 5
# A model answers as long as predicted: this prior counts as so many rows.
_LENGTH_ROWS = 2.0

# The same pool is asked about prompt after prompt.
_canonical = lru_cache(maxsize=1024)(canonical)


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known of one model after its rows: `mean` (K,) and `covariance` (K, K) of its latent.

    `log_tokens` is added to the logarithm of its predicted length, null where no row has one.
    `model` is its canonical name.
    """

    model: str
    mean: Table
    covariance: Table
    log_tokens: float | None
    rows: int


@dataclass(frozen=True)
class Fits:
    """What the user's rows say of models, by canonical name, and of every model: the `world`."""

    by_model: Mapping[str, Fit] = field(default_factory=dict)
    world: World | None = None

    def log_tokens(self, models: Iterable[str]) -> dict[str, float]:
        """Return what is added to the logarithm of the length of those whose rows tell one."""
        found = ((model, self.of(model)) for model in models)
        return {
            model: fit.log_tokens
            for model, fit in found
            if fit is not None and fit.log_tokens is not None
        }

    def of(self, model: str) -> Fit | None:
        """Return the fit of a model however its name is spelled; null for one without rows."""
        return self.by_model.get(_canonical(model))


@dataclass(frozen=True)
class Answers:
    """What M models made of N prompts that were read.

    `scores`, `samples` (how many answers each score is the mean of) and `longer` (by how much the
    answers are longer than predicted, in logarithms) are (N, M), `nan` where a model was not asked
    or its length is unknown. Rows of one group never straddle a split.
    """

    readings: tuple[Reading, ...]
    facts: tuple[ModelFacts, ...]
    groups: tuple[str, ...]
    scores: Table
    samples: Table
    longer: Table

    def only(self, rows: NDArray[np.bool_]) -> Answers:
        """Return these rows alone, by a mask (N,)."""
        numbers = np.flatnonzero(rows).tolist()
        return Answers(
            tuple(self.readings[row] for row in numbers),
            self.facts,
            tuple(self.groups[row] for row in numbers),
            self.scores[rows],
            self.samples[rows],
            self.longer[rows],
        )

    @cached_property
    def vectors(self) -> Table:
        """The prompts' embeddings (N, 384)."""
        return np.array([one.vector for one in self.readings], dtype=np.float64)


def answers_of(
    scorer: Scorer, rows: Sequence[JudgedRow], readings: Sequence[Reading], facts: Facts
) -> Answers:
    """Return what the rows say of the models whose `facts` are given, by canonical name."""
    column = {model: number for number, model in enumerate(facts)}
    scores, samples, longer = (np.full((len(rows), len(column)), np.nan) for _ in range(3))
    plain = scorer.with_fits(None)
    for number, (row, reading) in enumerate(zip(rows, readings, strict=True)):
        for one in row.answers:
            place = number, column[one.model]
            scores[place], samples[place] = one.score, one.samples
        told = {
            one.model: one.output_tokens for one in row.answers if one.output_tokens is not None
        }
        predicted = plain.predict(reading, [facts[model] for model in told])
        for (model, tokens), said in zip(told.items(), predicted, strict=True):
            longer[number, column[model]] = np.log1p(tokens) - np.log1p(said.output_tokens)
    return Answers(
        readings=tuple(readings),
        facts=tuple(facts.values()),
        groups=tuple(row.group or row.id for row in rows),
        scores=scores,
        samples=samples,
        longer=longer,
    )


def fit_models(scorer: Scorer, answers: Answers) -> Fits:
    """Return the models' fits, and what their rows have in common.

    The common offset is found first, so that a fit holds only what is a model's own.
    """
    if not np.isfinite(answers.scores).any():
        return Fits()
    plain = scorer.with_fits(None)
    designs = [design_of(plain, answers.readings, one) for one in answers.facts]
    priors = [prior_of(plain, answers.readings, one) for one in answers.facts]
    world = _world(plain, answers, designs, priors)
    offsets = world.offsets(answers.vectors)
    fits = {}
    for column, (facts, design, prior) in enumerate(
        zip(answers.facts, designs, priors, strict=True)
    ):
        judged = np.flatnonzero(np.isfinite(answers.scores[:, column]))
        if not len(judged):
            continue
        # A mean of several samples counts as so many rows.
        rows = np.repeat(judged, answers.samples[judged, column].astype(np.intp))
        shifted = Design(design.offset + offsets, design.features)
        found = fit_posterior(shifted.only(rows), answers.scores[rows, column], prior)
        name = canonical(facts.model)
        length = _log_tokens(answers.longer[:, column])
        fits[name] = Fit(name, found.mean, found.covariance, length, len(judged))
    return Fits(fits, world)


def cross_fits(scorer: Scorer, answers: Answers, parts: NDArray[np.intp]) -> tuple[Fits, ...]:
    """Return for each part (N,) the fits that learn from all rows but its own; -1 is no part."""
    return tuple(
        fit_models(scorer, answers.only(parts != part)) for part in range(int(parts.max()) + 1)
    )


def parts_of(groups: Sequence[str]) -> dict[str, int]:
    """Return each group's part, of at most five of about the same number of groups."""
    names = sorted(set(groups))
    order = np.random.default_rng(_SEED).permutation(len(names)).tolist()
    return {names[place]: number % PARTS for number, place in enumerate(order)}


def part_numbers(groups: Sequence[str], part_of: Mapping[str, int]) -> NDArray[np.intp]:
    """Return each row's part (N,), -1 for a group that has none."""
    return np.array([part_of.get(group, -1) for group in groups], dtype=np.intp)


def design_of(scorer: Scorer, readings: Sequence[Reading], facts: ModelFacts) -> Design:
    """Return what the scorer makes of these prompts for that model, neighbours included."""
    offset = np.array([one.offset for one in readings], dtype=np.float64)
    features = np.array([one.loading for one in readings], dtype=np.float64)
    pool = scorer.pool((facts,))
    row = int(pool.rows[0])
    if row < 0:
        return Design(offset, features)
    local = np.array([float(one.local[row]) for one in readings])
    share = np.array([float(one.local_share[row]) for one in readings])
    unasked = np.array([1 - float(one.asked[row]) for one in readings])
    offset -= unasked * (features @ pool.own[0])
    return Design((1 - share) * offset + share * local, (1 - share)[:, None] * features)


def prior_of(scorer: Scorer, readings: Sequence[Reading], facts: ModelFacts) -> Gaussian:
    """Return what is known of a model before it answers: by training, else by scores and facts.

    The less it was asked the like of these prompts in training, the less sure.
    """
    pool = scorer.pool((facts,))
    row = int(pool.rows[0])
    unasked = np.mean([1 - float(one.asked[row]) for one in readings]) if row >= 0 else 0.0
    return Gaussian(pool.latent[0], pool.covariance[0] + unasked * pool.unasked[0])


def _world(
    scorer: Scorer, answers: Answers, designs: Sequence[Design], priors: Sequence[Gaussian]
) -> World:
    spread = np.array([one.spread for one in answers.readings])
    far = np.maximum(spread**2 - scorer.head.calibration.spread**2, 0.0)
    logits, own_variances = [], []
    for design, prior in zip(designs, priors, strict=True):
        unsure = variances(prior, design)
        logit = design.offset + design.features @ prior.mean
        logits.append(logit / np.sqrt(1 + pi / 8 * (unsure + far)))
        own_variances.append(float(unsure.mean()))
    return fit_world(
        answers.vectors, np.stack(logits, axis=1), np.array(own_variances), answers.scores
    )


def _log_tokens(longer: Table) -> float | None:
    """Return by how much a model's answers (N,) are longer than predicted, shrunk."""
    told = longer[np.isfinite(longer)]
    return float(told.sum() / (len(told) + _LENGTH_ROWS)) if len(told) else None
