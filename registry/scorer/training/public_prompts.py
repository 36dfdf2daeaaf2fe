"""Prompts of the kinds that public benchmarks stand for, judged by the models' public scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.public_scores import benchmarks, read_scores

_TOP = 0.95  # the quantile of scores that counts as what the best reach
_NEARLY_ALL = 0.97


def with_public_prompts(judged: Judged, fold: int) -> Judged:
    """Return the judged rows, and after them the public prompts, in this fold.

    Models are those of the judged rows, by canonical name; others have no column. Prompts of a
    benchmark on which none of them has a public score are left out.
    """
    table = _table(judged.models)
    prompts, tasks, scores = [], [], []
    for name, one in _content().items():
        told = _scores(one, table.get(name), _ranks(table))
        if np.isnan(told).all():
            continue
        prompts += one["prompts"]
        tasks += [name] * len(one["prompts"])
        scores += [told] * len(one["prompts"])
    unknown = np.full((len(prompts), len(judged.models)), np.nan, dtype=np.float32)
    return replace(
        judged,
        ids=(*judged.ids, *(f"{PUBLIC}-{number}" for number in range(len(prompts)))),
        prompts=(*judged.prompts, *prompts),
        datasets=(*judged.datasets, *[PUBLIC] * len(prompts)),
        tasks=(*judged.tasks, *tasks),
        groups=(*judged.groups, *(f"{PUBLIC}-{task}" for task in tasks)),
        folds=np.concatenate([judged.folds, np.full(len(prompts), fold)]),
        scores=np.concatenate([judged.scores, np.array(scores, np.float32).reshape(unknown.shape)]),
        tokens=np.concatenate([judged.tokens, unknown]),
        costs=np.concatenate([judged.costs, unknown]),
    )


def kinds() -> dict[str, str]:
    """Return the kind of work of each of these tasks."""
    return {
        f"{PUBLIC}/{name}": one.get("kind") or benchmarks()[name].kind
        for name, one in _content().items()
    }


def _scores(one: Mapping[str, Any], told: Floats | None, ranks: Floats) -> Floats:
    """Return what each model (M,) counts as having scored, nan where that is not known."""
    if "assumed" in one:
        least, most = one["assumed"]
        return np.asarray(least + ranks * (most - least), dtype=np.float32)
    assert told is not None
    if one.get("top") and np.isfinite(told).any():
        best = np.nanquantile(told, _TOP)
        return np.asarray(np.minimum(told / best, 1) * _NEARLY_ALL, dtype=np.float32)
    return told


def _table(models: tuple[str, ...]) -> dict[str, Floats]:
    """Return the models' scores (M,) on each benchmark, nan where there is none."""
    column = {model: number for number, model in enumerate(models)}
    table: dict[str, Floats] = {}
    for one in read_scores():
        row = table.setdefault(one.benchmark, np.full(len(models), np.nan, dtype=np.float32))
        if one.model in column:
            row[column[one.model]] = one.score
    return table


def _ranks(table: Mapping[str, Floats]) -> Floats:
    """Return how strong each model (M,) is among those in the table, 0–1; nan for others.

    Models are ordered by their mean rank over benchmarks.
    """
    places = np.array([_order(scores) for scores in table.values()])
    count = np.isfinite(places).sum(axis=0)
    return _order(np.where(count, np.nansum(places, axis=0) / np.maximum(count, 1), np.nan))


def _order(scores: Floats) -> Floats:
    """Return where each score stands, 0 for the least and 1 for the most; nan where unknown."""
    known = np.flatnonzero(np.isfinite(scores))
    found = np.full(len(scores), np.nan, dtype=np.float32)
    found[known] = scores[known].argsort().argsort() / max(len(known) - 1, 1)
    return found


@cache
def _content() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("public_prompts.yaml")
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
