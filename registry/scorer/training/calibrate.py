"""What the tuning fold says: how far to trust neighbours, and how sure to be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.encoder import Encoder
from rolecall.registry.scorer.model import Scorer, as_logit
from rolecall.registry.scorer.training.dataset import Rows, TrainingData

Table = NDArray[np.float64]

_TEMPERATURES = (0.045, 0.055, 0.07)
_WEIGHTS = (0.003, 0.01, 0.03, 0.1)
_LEAST_CELLS = 8
# A prompt less alike to anything known than this share of the tuning prompts is unfamiliar.
_UNFAMILIAR = 0.05
_LEAST_SPAN = 0.05
_log = logging.getLogger(__name__)


def calibrated(head: Head, data: TrainingData, tune: Rows, encoder: Encoder) -> Head:
    """Return the head with neighbours and logits set by the tuning rows, each data set alike."""
    scores = data.judged.scores[tune].astype(np.float64)
    weights = data.weights(tune, 1.0).astype(np.float64)
    (net, asked), (alike, _) = (_logits(head, share, data, tune, encoder) for share in (0.0, 1.0))
    places = head.neighbours.locate(data.embeddings[tune])
    tried = []
    for temperature in _TEMPERATURES:
        mean, weight, _ = replace(head.neighbours, temperature=temperature).recall(places)
        apart = np.where(np.isfinite(mean), asked * (as_logit(np.nan_to_num(mean)) - net), 0.0)
        for least in _WEIGHTS:
            inputs = (net, weight / (weight + least) * apart, alike - net)
            fit = _platt(inputs, scores, weights)
            said = fit[0] * inputs[0] + fit[1] * inputs[1] + fit[2] * inputs[2] + fit[3]
            tried.append((_misfit(said, scores, weights), temperature, least, fit))
    loss, temperature, least, (scale, near_part, task_part, shift) = min(tried)
    neighbours = replace(head.neighbours, temperature=temperature)
    _log.info("tuned: loss %.4f, temperature %.3f, from weight %.3f", loss, temperature, least)
    far, near = _familiarity(replace(head, neighbours=neighbours), data, tune)
    found = replace(
        head.calibration,
        scale=round(scale, 4),
        shift=round(shift, 4),
        local_share=round(max(near_part, 0.0) / scale, 3),
        local_weight=least,
        task_share=round(max(task_part, 0.0) / scale, 3),
        far=far,
        near=near,
    )
    head = replace(head, neighbours=neighbours, calibration=found)
    scorer = Scorer(head, encoder)
    local, signals = scorer.understand(data.embeddings[tune], data.features[tune])
    logits = scorer.trained_logits(signals, local, np.arange(len(head.models)))
    spread = _excess_spread(1 / (1 + np.exp(-logits)), scores, data.task_of[tune])
    return replace(head, calibration=replace(found, spread=spread))


def _logits(
    head: Head, task_share: float, data: TrainingData, rows: Rows, encoder: Encoder
) -> tuple[Table, Table]:
    """Return logits (N, M), not calibrated, without neighbours and with such a share of tasks.

    And how far each model was asked such prompts (N, M).
    """
    calibration = replace(head.calibration, local_share=0.0, task_share=task_share)
    scorer = Scorer(replace(head, calibration=calibration), encoder)
    local, signals = scorer.understand(data.embeddings[rows], data.features[rows])
    return scorer.trained_logits(signals, local, np.arange(len(head.models))), local.asked


def _platt(
    logits: Sequence[Table], scores: Table, weights: Table
) -> tuple[float, float, float, float]:
    """Return what three logits count and a shift, so that they are probabilities (Platt 1999)."""
    known = np.isfinite(scores)
    said, truth = np.stack([one[known] for one in logits], axis=1), scores[known]
    counted = np.repeat(weights[:, None], scores.shape[1], axis=1)[known]
    # A fraction is a success in part and a failure for the rest.
    fit = LogisticRegression(C=1e6)
    fit.fit(
        np.concatenate([said, said]),
        np.repeat([1, 0], len(said)),
        sample_weight=np.concatenate([counted * truth, counted * (1 - truth)]),
    )
    first, second, third = (float(part) for part in fit.coef_[0])
    return first, second, third, float(fit.intercept_[0])


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
