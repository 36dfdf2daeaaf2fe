"""What is fitted on the tuning fold after training: share, scale, shift, spread, token factor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Calibration, Floats
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training.evaluate import Table, excess_spread

Rows = NDArray[np.intp]

LEAST_SPREAD = 0.15
LOCAL_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
# Brier scores this near to each other are one: another rounding moves them as much.
_AS_GOOD = 1e-4


@dataclass(frozen=True, slots=True)
class Settled:
    """What is settled on the tuning rows: the calibration, and the facts prior's spread."""

    calibration: Calibration
    spread: float

    def over(self, scorer: Scorer) -> Scorer:
        """Return an uncalibrated scorer with these."""
        prior = replace(scorer.head.prior, spread=self.spread)
        head = replace(scorer.head, calibration=self.calibration, prior=prior)
        return Scorer(head, scorer.encoder)


@dataclass(frozen=True, slots=True)
class Blend:
    """So much of the memory's logits for the network's, read as `scale · logit + shift`."""

    share: float
    scale: float
    shift: float

    def success(self, network: Table, local: Table) -> Table:
        """Return the success (N, M) that the network's logits and the memory's come to."""
        return _logistic(self.scale * blended(network, local, self.share) + self.shift)


def calibrate(
    scorer: Scorer, judged: Judged, rows: Rows, signals: Floats, views: Floats
) -> Calibration:
    """Fit the calibration of an uncalibrated scorer on these rows.

    `signals` (E, N, K) and views (N, V, 384) are of the rows' prompts.
    """
    network, local = blend_inputs(scorer, signals, views)
    blend = fit_blend(network, local, judged.only(rows))
    return Calibration(
        scale=blend.scale,
        shift=blend.shift,
        local_share=blend.share,
        latent_spread=excess_spread(judged, rows, blend.success(network, local), LEAST_SPREAD),
        token_shift=token_shift(scorer.log_tokens(signals), judged.tokens[rows]),
    )


def fit_blend(network: Table, local: Table, judged: Judged) -> Blend:
    """Return the blend of the network's logits and the memory's (N, M) that misses least.

    Every data set of the judged rows counts the same, however many prompts it has. Of blends that
    are as good, that with most of the memory is taken, which steadies what is said.
    """
    scores, datasets = judged.scores, np.array(judged.datasets)
    known = ~np.isnan(scores)
    sets = [datasets == one for one in sorted(set(judged.datasets))]
    found = []
    for share in LOCAL_SHARES:
        logits = blended(network, local, share)
        scale, shift = _scale_and_shift(logits[known], scores[known])
        missed = (_logistic(scale * logits + shift) - scores) ** 2
        by_set = [np.nanmean(missed[rows]) for rows in sets if known[rows].any()]
        found.append((float(np.mean(by_set)), share, scale, shift))
    least = min(missed for missed, *_ in found)
    _, share, scale, shift = [one for one in found if one[0] <= least + _AS_GOOD][-1]
    return Blend(share, scale, shift)


def blend_inputs(scorer: Scorer, signals: Floats, views: Floats) -> tuple[Table, Table]:
    """Return the network's mean logits and the memory's (N, M) of the trained models."""
    rows = np.arange(len(scorer.head.models))
    logits = scorer.latent_logits(signals, rows)
    network = np.tensordot(scorer.head.weights.astype(np.float64), logits, axes=1)
    return network, recall(scorer.head, views)


def blended(network: Table, local: Table, share: float) -> Table:
    """Return the logits with that share of the memory, where it knows the model."""
    drawn = network + share * (np.nan_to_num(local) - network)
    return np.where(np.isfinite(local), drawn, network)


def _logistic(logits: Table) -> Table:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _scale_and_shift(logits: Table, scores: Floats) -> tuple[float, float]:
    x, y = torch.tensor(logits), torch.tensor(scores, dtype=torch.float64)
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(line[0] * x + line[1], y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(step)  # type: ignore[no-untyped-call]
    return float(line[0].detach()), float(line[1].detach())


def token_shift(log_tokens: Table, tokens: Floats) -> float:
    """Return by how much the logarithm of lengths is misread in the middle; 0 without lengths."""
    known = ~np.isnan(tokens)
    if not known.any():
        return 0.0
    return float(np.median(np.log1p(tokens[known]) - log_tokens[known]))
