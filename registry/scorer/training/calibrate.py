"""What the tuning fold says: how sure to be, and what is unlike anything known."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from rolecall.registry.scorer.arrays import Rows, Table
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.encoder import Encoder
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.training.dataset import TrainingData

_LEAST_CELLS = 8
# A prompt less alike to anything known than this share of the tuning prompts is unfamiliar.
_UNFAMILIAR = 0.05
_LEAST_SPAN = 0.05
_log = logging.getLogger(__name__)


def calibrated(head: Head, data: TrainingData, tune: Rows, encoder: Encoder) -> Head:
    """Return the head with logits and familiarity set by the tuning rows, each data set alike."""
    scores = data.judged.scores[tune].astype(np.float64)
    raw = _logits(head, data, tune, encoder)
    weights = data.weights(tune, 1.0).astype(np.float64)
    scale, shift = _platt(raw, scores, weights)
    _log.info("tuned: loss %.4f", _misfit(scale * raw + shift, scores, weights))
    far, near = _familiarity(head, data, tune)
    found = replace(
        head.calibration, scale=round(scale, 4), shift=round(shift, 4), far=far, near=near
    )
    head = replace(head, calibration=found)
    said = 1 / (1 + np.exp(-_logits(head, data, tune, encoder)))
    spread = _excess_spread(said, scores, data.task_of[tune])
    return replace(head, calibration=replace(found, spread=spread))


def _logits(head: Head, data: TrainingData, rows: Rows, encoder: Encoder) -> Table:
    """Return the logits of all models (N, M)."""
    scorer = Scorer(head, encoder)
    local, signals = scorer.understand(data.embeddings[rows], data.features[rows])
    return scorer.trained_logits(signals, local, np.arange(len(head.models)))


def _platt(logits: Table, scores: Table, weights: Table) -> tuple[float, float]:
    """Return scale and shift that make the logits probabilities (Platt 1999)."""
    known = np.isfinite(scores)
    said, truth = logits[known], scores[known]
    counted = np.repeat(weights[:, None], scores.shape[1], axis=1)[known]
    # A fraction is a success in part and a failure for the rest.
    fit = LogisticRegression(C=1e6)
    fit.fit(
        np.concatenate([said, said])[:, None],
        np.repeat([1, 0], len(said)),
        sample_weight=np.concatenate([counted * truth, counted * (1 - truth)]),
    )
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def _misfit(logits: Table, scores: Table, weights: Table) -> float:
    """Return the weighted mean Brier score."""
    known = np.isfinite(scores)
    missed = np.where(known, (1 / (1 + np.exp(-logits)) - np.nan_to_num(scores)) ** 2, 0.0)
    counted = weights[:, None] * known
    return float((counted * missed).sum() / counted.sum())


def _familiarity(head: Head, data: TrainingData, tune: Rows) -> tuple[float, float]:
    """Return the similarity of a prompt to other data sets, and of an unusual one to its own."""
    neighbours = head.neighbours
    places = neighbours.locate(data.embeddings[tune])
    similarity = neighbours.similarity(places)
    own, names = np.empty(len(neighbours.places), dtype=np.intp), sorted(set(data.judged.datasets))
    for number, block in enumerate(neighbours.blocks):
        own[block.start : block.start + len(block.scores)] = number
    known = [name for name in names if name in set(data.set_of[tune])]
    near, far = similarity.max(axis=1), []
    for name in known:
        rows = data.set_of[tune] == name
        others = own != names.index(name)
        if others.any():
            far.append(float(np.median(similarity[rows][:, others].max(axis=1))))
    least = float(np.quantile(near, _UNFAMILIAR))
    most = least - _LEAST_SPAN
    return round(min(float(np.median(far)), most) if far else most, 3), round(least, 3)


def _excess_spread(predicted: Table, scores: Table, tasks: Rows) -> float:
    """Return the spread, in logits, of task means about what was predicted, less that of chance."""
    excess, steep = [], []
    for task in np.unique(tasks):
        said, truth = predicted[tasks == task], scores[tasks == task]
        known = np.isfinite(truth)
        for column in np.flatnonzero(known.sum(axis=0) >= _LEAST_CELLS):
            p, y = said[known[:, column], column], truth[known[:, column], column]
            excess.append((y.mean() - p.mean()) ** 2 - (p * (1 - p)).sum() / len(p) ** 2)
            steep.append((p * (1 - p)).mean() ** 2)
    if not excess:
        return 0.5
    return round(float(np.sqrt(max(np.mean(excess), 0.0) / np.mean(steep))), 3)
