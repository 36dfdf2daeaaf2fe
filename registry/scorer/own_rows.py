"""Own rows made ready for training: enough of them, named as the scorer does, and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import UsageError
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.fitted import short_name

Rows = NDArray[np.intp]

LEAST_PROMPTS = 60
TUNE_FOLD, REPORT_FOLD = 6, 7
_LEAST_PART = 20
_SHARE = 0.15  # of the prompts, for each of the two parts that are held back
_LARGE = 50  # a group of more than this part of all rows
_FIT_HINT = "rolecall scorer fit MODEL JUDGED.jsonl"


class TooLittle(UsageError):
    """Judged rows of which nothing can be trained."""


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the three parts; `by` is folds, or groups where those would not do."""

    train: Rows
    tune: Rows
    report: Rows
    by: str


def prepare(judged: Judged, most: int, seed: int) -> Judged:
    """Return the rows to train on: of more than `most` a random part, with models' short names.

    Raises TooLittle for fewer than 60 prompts or two models, and for scores that are all equal.
    """
    if len(judged.prompts) > most:
        chosen = np.random.default_rng(seed).choice(len(judged.prompts), most, replace=False)
        judged = judged.only(np.sort(chosen))
    judged = _short_named(judged)
    is_judged = np.isfinite(judged.scores).any(axis=0)
    judged = judged.of([judged.models[column] for column in np.flatnonzero(is_judged).tolist()])
    if len(judged.models) < 2:
        raise TooLittle(f"only one model is judged: {judged.models[0]}", hint=_FIT_HINT)
    if len(judged.prompts) < LEAST_PROMPTS:
        raise TooLittle(
            f"{len(judged.prompts)} prompts are too few to train on: {LEAST_PROMPTS} are needed",
            hint=_FIT_HINT,
        )
    if np.nanmin(judged.scores) == np.nanmax(judged.scores):
        raise TooLittle(
            f"there is nothing to learn: every score is {np.nanmin(judged.scores):g}",
            hint="bring rows in which some answers are better than others",
        )
    return judged


def split_of(judged: Judged) -> Split:
    """Split by the rows' folds, 6 to tune and 7 to report, or else by groups.

    No group straddles the parts, unless its own rows name different folds. By groups, one that
    would make up much of a part is trained on: it is one piece of evidence, not many. Raises
    TooLittle where too few groups are left to hold any back.
    """
    tune, report = judged.fold(TUNE_FOLD), judged.fold(REPORT_FOLD)
    rest = np.flatnonzero(~np.isin(judged.folds, (TUNE_FOLD, REPORT_FOLD)))
    if min(len(tune), len(report), len(rest)) >= _LEAST_PART:
        return Split(rest, tune, report, "folds")
    sizes, total = Counter(judged.groups), len(judged.groups)
    small = sorted((group for group in sizes if sizes[group] * _LARGE <= total), key=_hash)
    part_of: dict[str, str] = {}
    for part in ("report", "tune"):
        held = 0
        while small and held < _SHARE * total:
            group = small.pop()
            part_of[group] = part
            held += sizes[group]
    parts = np.array([part_of.get(group, "train") for group in judged.groups])
    train, tune, report = (np.flatnonzero(parts == part) for part in ("train", "tune", "report"))
    if len(report) + len(tune) < _SHARE * total or not len(train):
        raise TooLittle(
            f"{len(sizes):,} groups are too few to hold some rows back",
            hint="rows of one `group` stay together: leave it out where prompts are not alike",
        )
    return Split(train, tune, report, "groups")


def folds_of(groups: Sequence[str], count: int) -> NDArray[np.intp]:
    """Return each row's fold (N,), by the hash of its group."""
    return np.array([int.from_bytes(_hash(group)[-4:]) % count for group in groups], dtype=np.intp)


def pieces(groups: Sequence[str]) -> float:
    """Return how many groups of even size would tell as much (Kish's effective sample size)."""
    sizes = np.array(list(Counter(groups).values()), dtype=np.float64)
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0


def _short_named(judged: Judged) -> Judged:
    """Return the rows with models named as the scorer looks them up: `a/B` is `b`.

    Where two columns are one model then, their mean counts.
    """
    names = [short_name(model) for model in judged.models]
    models = tuple(dict.fromkeys(names))
    if len(models) == len(names):
        return replace(judged, models=models)
    columns = [[i for i, name in enumerate(names) if name == model] for model in models]

    def joined(table: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([_mean(table[:, same]) for same in columns], axis=1)

    return replace(
        judged,
        models=models,
        scores=joined(judged.scores),
        tokens=joined(judged.tokens),
        costs=joined(judged.costs),
    )


def _hash(group: str) -> bytes:
    return hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()


def _mean(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    known = np.count_nonzero(~np.isnan(columns), axis=1)
    total = np.nansum(columns, axis=1)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan).astype(np.float32)
