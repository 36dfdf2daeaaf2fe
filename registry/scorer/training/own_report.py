"""How a version trained on own data compares: with the one in use, and with plain methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.baselines import nearest, task_means
from rolecall.registry.scorer.chances import FACTS_FLOOR, Table, expected
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.proof.bootstrap import group_numbers, interval, resample
from rolecall.registry.scorer.proof.metrics import known_auc
from rolecall.registry.scorer.proof.policies import Policy
from rolecall.registry.scorer.proof.proof import Interval

NEW, INCUMBENT, NEAREST, TASK_MEANS, SINGLE = (
    "scorer",
    "incumbent",
    "nearest",
    "task_means",
    "best_single",
)
_RESAMPLES = 2000
_EVEN_CASES = 2.0
_LEAST_GAIN = 0.0005


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """One method on the report part.

    `brier` is over all scores, `auc` the mean over models, null where none has 30 scores and both
    outcomes. `right` is the mean score of the model that it would pick, over the prompts that
    two models or more were judged on; null without any.
    """

    brier: float
    auc: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every method on the same rows, and by how much the new version's Brier score is higher.

    `gain_on_single` is how much more often its pick is right than the best single model.
    """

    methods: Mapping[str, MethodFigures]
    over_incumbent: Interval
    over_task_means: Interval
    gain_on_single: Interval | None

    @property
    def is_better(self) -> bool:
        """Whether it beats the version in use, beyond chance, and loses to no task means.

        By so little as two runs on the same rows may differ is not better.
        """
        gained = self.over_incumbent.high < 0 and self.over_incumbent.mean <= -_LEAST_GAIN
        return gained and self.over_task_means.low <= 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON; figures have four places."""
        intervals = {
            "brier_over_incumbent": self.over_incumbent,
            "brier_over_task_means": self.over_task_means,
            "right_over_best_single": self.gain_on_single,
        }
        return {
            "methods": {name: _rounded(asdict(one)) for name, one in self.methods.items()},
            **{
                name: None if one is None else _rounded(asdict(one))
                for name, one in intervals.items()
            },
            "is_better": self.is_better,
        }


def compare(judged: Judged, predicted: Mapping[str, Table], seed: int) -> Comparison:
    """Compare predictions (N, M) by method on these rows.

    Intervals are of a paired bootstrap over the rows' groups.
    """
    scores = judged.scores.astype(np.float64)
    known = ~np.isnan(scores)
    cells = known.sum(axis=1).astype(np.float64)
    groups = group_numbers(judged.groups)
    missed = {
        name: np.where(known, (said - np.nan_to_num(scores)) ** 2, 0.0).sum(axis=1)
        for name, said in predicted.items()
    }
    right = {name: _picked(scores, said) for name, said in predicted.items()}
    several = cells >= 2
    gain = None
    if several.any():
        gain = _mean(right[NEW] - right[SINGLE], several.astype(np.float64), groups, seed)
    return Comparison(
        methods={
            name: MethodFigures(
                brier=float(missed[name].sum() / cells.sum()),
                auc=_mean_auc(scores, said),
                right=float(right[name][several].mean()) if several.any() else None,
            )
            for name, said in predicted.items()
        },
        over_incumbent=_mean(missed[NEW] - missed[INCUMBENT], cells, groups, seed),
        over_task_means=_mean(missed[NEW] - missed[TASK_MEANS], cells, groups, seed),
        gain_on_single=gain,
    )


def baselines(
    train: Judged, report: Judged, vectors: tuple[Floats, Floats], seed: int
) -> dict[str, Table]:
    """Return what plain methods learn from the training rows and predict for the report rows.

    `vectors` are both parts' sentence vectors (·, 384). Task means know the task by its name.
    """
    models = train.models
    known = np.count_nonzero(~np.isnan(train.scores), axis=0)
    total = np.nansum(train.scores, axis=0) + 0.5 * _EVEN_CASES
    average: Table = total / (known + _EVEN_CASES)
    return {
        NEAREST: nearest(train, *vectors, models, seed),
        TASK_MEANS: task_means(train, report.tasks, models, seed),
        SINGLE: np.tile(average, (len(report.prompts), 1)),
    }


def predicted_by(
    scorer: Scorer, views: Floats, features: Floats, facts: Sequence[ModelFacts]
) -> Table:
    """Return the success (N, M) that a scorer predicts for models by their short names.

    `views` (N, V, 384) are its own encoder's; fits of `scorer fit` do not count.
    """
    head = scorer.head
    signals = scorer.signals(views, features)
    row_of = {model: row for row, model in enumerate(head.models)}
    rows = np.array([row_of.get(one.model, -1) for one in facts], dtype=np.intp)
    success: Table = np.empty((len(views), len(facts)))
    seen, unseen = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
    if len(seen):
        local = recall(head, views)
        success[:, seen] = scorer.trained_success(signals, local, rows[seen])[0]
    if len(unseen):
        strength, spread = head.prior.strength([facts[i] for i in unseen.tolist()])
        logits, rise, apart = scorer.facts_logits(signals, strength)
        success[:, unseen] = expected(logits, np.hypot(rise * spread, apart), FACTS_FLOOR)[0]
    return success


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if one is None else round(one, 4) for name, one in figures.items()}


def _picked(scores: Table, said: Table) -> Table:
    """Return the score of the judged model with the highest prediction (N,); ties, the first.

    0 where fewer than two were judged: there was nothing to pick.
    """
    known = ~np.isnan(scores)
    best = np.where(known, said, -np.inf).argmax(axis=1)
    found = np.nan_to_num(scores[np.arange(len(scores)), best])
    return np.where(known.sum(axis=1) >= 2, found, 0.0)


def _mean_auc(scores: Table, said: Table) -> float | None:
    known = ~np.isnan(scores)
    found = [
        known_auc(scores[known[:, model], model], said[known[:, model], model])
        for model in range(scores.shape[1])
    ]
    aucs = [auc for auc in found if auc is not None]
    return float(np.mean(aucs)) if aucs else None


def _mean(values: Table, counts: Table, groups: NDArray[np.intp], seed: int) -> Interval:
    """Return the mean of values (N,) that each stand for so many counts (N,), by groups drawn."""
    drawn = resample([Policy("", values, counts, values[:0])], groups, _RESAMPLES, seed)
    return interval(drawn.success[:, 0] / drawn.cost[:, 0])
