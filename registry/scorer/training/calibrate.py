"""What is fitted on the tuning fold after training: scale, shift, spread, token factor."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Calibration, Floats
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training.data import Judged
from rolecall.registry.scorer.training.evaluate import Table, excess_spread

Rows = NDArray[np.intp]

_LEAST_SPREAD = 0.15
PLAIN = Calibration(scale=1.0, shift=0.0, latent_spread=0.0, token_shift=0.0)


def calibrate(scorer: Scorer, judged: Judged, rows: Rows, signals: Floats) -> Calibration:
    """Fit the calibration of an uncalibrated scorer on these rows."""
    scores = judged.scores[rows]
    known = ~np.isnan(scores)
    said, _ = scorer.latent_success(signals)
    logits = np.log(said / (1 - said))
    scale, shift = _scale_and_shift(logits[known], scores[known])
    adjusted = 1 / (1 + np.exp(-(scale * logits + shift)))
    return Calibration(
        scale=scale,
        shift=shift,
        latent_spread=excess_spread(judged, rows, adjusted, _LEAST_SPREAD),
        token_shift=_token_shift(scorer, judged, rows, signals),
    )


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


def _token_shift(scorer: Scorer, judged: Judged, rows: Rows, signals: Floats) -> float:
    """Return what makes the mean predicted length that of the answers; 0 without lengths."""
    truth = judged.tokens[rows]
    known = ~np.isnan(truth)
    if not known.any():
        return 0.0
    said = np.exp(scorer.log_tokens(signals)[known])
    return float(np.log(np.maximum(truth[known].mean(), 1.0) / said.mean()))
