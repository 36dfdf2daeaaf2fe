"""How often choices change: shares with their intervals, and what nearest prompts would choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.baselines import nearest
from rolecall.registry.scorer.data import Judged

Vectors = NDArray[np.float32]

_LEVELS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of `cases` flipped, as a share with its 95 % interval; null without a case."""

    flips: int
    cases: int
    share: float | None
    low: float | None
    high: float | None


def rates(
    flipped: Sequence[Sequence[bool | None]], *, seed: int, resamples: int = 2000
) -> tuple[Rate, ...]:
    """Return the rate of each column, and last that of all columns together.

    `flipped` has a row per prompt and a column per kind of change, null where the kind did not
    apply. The interval is the percentile bootstrap's (Efron and Tibshirani 1993) over prompts:
    what was done to one prompt is not independent evidence. At least one prompt is needed.
    """
    table = np.array(flipped, dtype=np.float64)  # (P, K), nan where null
    known = ~np.isnan(table)
    flips = np.nan_to_num(table)
    flips = np.column_stack([flips, flips.sum(axis=1)])  # (P, K + 1)
    cases = np.column_stack([known, known.sum(axis=1)]).astype(np.float64)
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(table), np.full(len(table), 1 / len(table)), resamples)
    with np.errstate(invalid="ignore"):
        drawn = (weights @ flips) / (weights @ cases)  # (R, K + 1), nan where no case was drawn
    return tuple(
        _rate(int(flips[:, column].sum()), int(cases[:, column].sum()), drawn[:, column])
        for column in range(flips.shape[1])
    )


def _rate(flips: int, cases: int, drawn: NDArray[np.float64]) -> Rate:
    if not cases:
        return Rate(0, 0, None, None, None)
    low, high = np.nanpercentile(drawn, _LEVELS).tolist()
    return Rate(flips, cases, flips / cases, low, high)


def nearest_choices(
    past: Judged,
    past_vectors: Sequence[Vectors],
    asked: Judged,
    texts: Sequence[tuple[int, Vectors]],
    quality_usd: float,
) -> list[str]:
    """Return the model that past prompts would choose for each text.

    A text is the number of the row of `asked` that it is a wording of, and its vector (384,);
    `past_vectors` has one such vector for each row of `past`.
    Eligible are the models judged on that row; they are valued by `quality_usd` times their
    success on the nearest past prompts, less their mean cost in USD where all of them have one.
    """
    # Equal texts are looked up once: in a product of matrices, where a row stands can move its
    # last digit, and with it the order of two neighbours that are equally near.
    distinct, number = np.unique([vector for _, vector in texts], axis=0, return_inverse=True)
    rows = np.array([row for row, _ in texts])
    found = nearest(past, np.stack(past_vectors), distinct, asked.models)
    return judged_choices(asked, rows, found[number.ravel()], quality_usd)


def judged_choices(
    asked: Judged,
    rows: Sequence[int] | NDArray[np.intp],
    success: Sequence[Sequence[float]] | NDArray[np.float64],
    quality_usd: float,
) -> list[str]:
    """Return the judged model of highest value for each text, as `nearest_choices` values them.

    `rows` tells which row of `asked` each text is a wording of, `success` (texts, M) what is
    predicted for it.
    """
    eligible = np.isfinite(asked.scores)[rows]
    worth = quality_usd * np.asarray(success) - _mean_costs(asked)[rows]
    best = np.where(eligible, worth, -np.inf).argmax(axis=1)
    return [asked.models[column] for column in best.tolist()]


def _mean_costs(asked: Judged) -> NDArray[np.float64]:
    """Return each model's mean cost for each row (N, M), 0 where one of its models has none."""
    eligible = np.isfinite(asked.scores)
    known = np.isfinite(asked.costs)
    count = known.sum(axis=0)
    means = np.nan_to_num(asked.costs).sum(axis=0) / np.maximum(count, 1)
    is_priced = (~eligible | (count > 0)).all(axis=1)
    return np.asarray(np.where(is_priced[:, None], means, 0.0), dtype=np.float64)
