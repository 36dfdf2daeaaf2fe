"""A model joins by its judged rows: its belief is fitted, and shown to be better or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer import artifact
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.design import (
    LENGTH_NOISE,
    facts_prior,
    latent_prior,
    length_design,
    length_prior,
)
from rolecall.registry.scorer.fitted import Belief, short_name, success_design_of
from rolecall.registry.scorer.posterior import (
    Design,
    Floats,
    Gaussian,
    fit_line,
    fit_posterior,
    predict_with,
)
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.suggest import suggest

Report = Callable[[int, int], None]

_PARTS = 5
_SEED = 7


@dataclass(frozen=True, slots=True)
class Read:
    """N prompts as the head reads them: `signals` (E, N, K) and the memory's `local` (N, M)."""

    signals: artifact.Floats
    local: Floats


@dataclass(frozen=True, slots=True)
class Known:
    """What is believed of a model's success, and the judged prompts that are at hand."""

    belief: Gaussian
    read: Read | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rows say of a fit. Brier scores are of parts that the fit had not seen.

    `before` is what was known without the rows' scores, `after` the fit, `mean` the model's plain
    mean; null where the rows cannot be parted. `success` is the rows' own mean, and `*_success`
    and `*_std` are what is foretold for them on average, and how surely. `length_rows` told a
    length.
    """

    length_rows: int
    success: float
    before_success: float
    after_success: float
    before_std: float
    after_std: float
    before_brier: float
    after_brier: float | None
    mean_brier: float | None


def read_prompts(scorer: Scorer, prompts: Sequence[str], report: Report) -> Read:
    """Read prompts one by one; `report` is told how many of how many are done."""
    signals, local = [], []
    for done, prompt in enumerate(prompts, start=1):
        reading = scorer.read(prompt)
        signals.append(reading.signals)
        local.append(reading.local)
        report(done, len(prompts))
    return Read(np.stack(signals, axis=1), np.stack(local))


def answers_of(judged: Judged, model: str) -> Judged:
    """Return the rows in which this model, as they name it, has a score, with it alone."""
    alone = judged.of([model])
    return alone.only(np.isfinite(alone.scores[:, 0]))


def prior_of(head: Head, facts: ModelFacts, asked: Read) -> Gaussian:
    """Return what is believed of a model before it answers: by training, else by facts and peers.

    `asked` are prompts as those it is to answer; they say who its peers are.
    """
    name = short_name(facts.model)
    if name in head.models:
        return latent_prior(head, head.models.index(name), asked.signals)
    return facts_prior(head, facts, asked.signals)


def design_of(head: Head, facts: ModelFacts, read: Read) -> Design:
    """Return what the frozen network makes of these prompts for that model."""
    return success_design_of(head, facts.model, read.signals, read.local)


def fit_model(head: Head, facts: ModelFacts, read: Read, judged: Judged) -> tuple[Belief, Figures]:
    """Return the belief in a model after its rows, and what it is worth.

    `judged` has that model alone, with a score in each of the N ≥ 1 rows that were `read`.
    """
    design, prior = design_of(head, facts, read), prior_of(head, facts, read)
    scores = judged.scores[:, 0].astype(np.float64)
    belief = fit_posterior(design, scores, prior)
    lengths = _fit_lengths(head, facts, read, judged.tokens[:, 0].astype(np.float64))
    spread = head.calibration.latent_spread
    before, before_std = predict_with(prior, design, spread=spread)
    _, after_std = predict_with(belief, design, spread=spread)
    unseen = _predict_in_parts(design, scores, prior, belief.mean, spread, _parts(judged.groups))
    fitted, means = unseen if unseen is not None else (None, None)
    return Belief(belief, lengths), Figures(
        length_rows=int(np.isfinite(judged.tokens).sum()),
        success=float(scores.mean()),
        before_success=float(before.mean()),
        after_success=float(predict_with(belief, design, spread=spread)[0].mean()),
        before_std=float(before_std.mean()),
        after_std=float(after_std.mean()),
        before_brier=_brier(before, scores),
        after_brier=None if fitted is None else _brier(fitted, scores),
        mean_brier=None if means is None else _brier(means, scores),
    )


def known_by_rows(head: Head, facts: ModelFacts, read: Read, judged: Judged) -> Known:
    """Return what is known of a model's success after its rows, as `fit_model` finds it."""
    scores = judged.scores[:, 0].astype(np.float64)
    design = design_of(head, facts, read)
    return Known(fit_posterior(design, scores, prior_of(head, facts, read)), read)


def most_telling(head: Head, facts: ModelFacts, pool: Read, known: Known, count: int) -> list[int]:
    """Return the pool's `count` prompts (row numbers) that tell most of a model, best first."""
    already = None if known.read is None else design_of(head, facts, known.read)
    return suggest(design_of(head, facts, pool), known.belief, count, already)


def _fit_lengths(head: Head, facts: ModelFacts, read: Read, tokens: Floats) -> Floats | None:
    """Return the model's numbers for lengths; null where no row tells one."""
    known = np.isfinite(tokens)
    if not known.any():
        return None
    name = short_name(facts.model)
    row = head.models.index(name) if name in head.models else None
    design = length_design(head, read.signals).only(known)
    return fit_line(design, np.log1p(tokens[known]), length_prior(head, row), LENGTH_NOISE).mean


def _parts(groups: Sequence[str]) -> NDArray[np.intp]:
    """Return each row's part, of at most five of about the same number of groups."""
    names, group_of = np.unique(np.array(groups), return_inverse=True)
    order = np.random.default_rng(_SEED).permutation(len(names))
    return np.asarray((order % min(_PARTS, len(names)))[group_of], dtype=np.intp)


def _predict_in_parts(
    design: Design,
    scores: Floats,
    prior: Gaussian,
    start: Floats,
    spread: float,
    parts: NDArray[np.intp],
) -> tuple[Floats, Floats] | None:
    """Return for each row what the other parts' rows foretell: by a fit, and by their mean."""
    if parts.max() == 0:
        return None
    fitted, means = np.empty(len(scores)), np.empty(len(scores))
    for part in range(int(parts.max()) + 1):
        inside = parts == part
        others = scores[~inside]
        belief = fit_posterior(design.only(~inside), others, prior, start)
        fitted[inside], _ = predict_with(belief, design.only(inside), spread=spread)
        # As if one more row had half succeeded, so that no mean is quite 0 or 1.
        means[inside] = (others.sum() + 0.5) / (len(others) + 1)
    return fitted, means


def _brier(predicted: Floats, scores: Floats) -> float:
    return float(np.mean((predicted - scores) ** 2))
