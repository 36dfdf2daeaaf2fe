"""How robust choices are: what changes when a prompt is worded, spelt or framed otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.core.reporting import ReportProgress
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.evaluation.dry_router import dry_router
from rolecall.registry.evaluation.perturbations.perturb import perturb
from rolecall.registry.evaluation.robustness_report import (
    ARGMAX,
    CONSTANT,
    NEAREST,
    PREDICTED,
    RobustnessPlan,
    RobustnessReport,
    RoutedText,
    summarize,
)
from rolecall.registry.learning.loading import read_known
from rolecall.registry.policy.layers import DEFAULT_STRATEGY
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.baselines import nearest
from rolecall.registry.scorer.data import Judged, read_judged, spelled_out
from rolecall.registry.scorer.encoder import KeptEmbeddings
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.storage.connection import Database

_READINGS_KEPT = 64


def measure_files(
    db: Database,
    files: Sequence[Path],
    plan: RobustnessPlan,
    report: ReportProgress,
    scorer: Scorer | None = None,
) -> RobustnessReport:
    """Measure flips on prompts of judged files, as many of each data set, drawn by seed.

    The nearest prompts are looked for among rows of other groups: those of the `train` files,
    else the same files', outside the plan's fold. The scorer is by default the one in use. Raises
    InvalidDocument, ScorerUnusable, and UnknownRecord for a strategy that is not there.
    """
    judged, bad = read_judged(files, skip_bad=plan.skip_bad)
    wanted = [
        row
        for row, (fold, dataset) in enumerate(
            zip(judged.folds.tolist(), judged.datasets, strict=True)
        )
        if plan.fold in (None, fold) and plan.dataset in (None, dataset)
    ]
    if not wanted:
        raise InvalidDocument(
            "no row is in that fold and data set", hint="leave out --fold, or --dataset"
        )
    asked = judged.only(equal_shares(judged, wanted, plan.prompts, plan.seed))
    if plan.train:
        past = _past(read_judged(plan.train, skip_bad=plan.skip_bad)[0], asked, plan, not_in=None)
    else:
        past = _past(judged, asked, plan, not_in=plan.fold)
    found = measure_flips(db, scorer or read_known(db).scorer, asked, plan, report, past=past)
    return replace(found, left_out=spelled_out(bad) if bad else None)


def measure_flips(
    db: Database,
    scorer: Scorer,
    asked: Judged,
    plan: RobustnessPlan,
    report: ReportProgress,
    *,
    past: Judged | None = None,
) -> RobustnessReport:
    """Decide on every prompt as it is and changed, by every strategy, and count what differs.

    All keys that the registry's endpoints name count as set. Nothing is recorded. Without `past`
    rows there is no policy `nearest`. `report` is told how many texts, of how many, are read.
    Raises UnknownRecord for a strategy that is not there.
    """
    reader = _ReadingOnce(scorer)
    router = dry_router(db, reader)
    texts = list(_texts(asked.prompts, plan))
    total = len(texts) + (len(past.prompts) if past is not None else 0)
    routed: list[RoutedText] = []
    names = plan.strategies or tuple(one.id for one in router.registry.strategies)
    for row, kind, text in texts:
        routed.append(_routed(router, reader, (row, kind, text), names, asked))
        report(len(routed), total)
    if past is not None:
        places = []
        for prompt in past.prompts:
            places.append(_place(reader, prompt))
            report(len(routed) + len(places), total)
        _choose_by_nearest(past, np.stack(places), asked, routed)
    return summarize(plan, names, routed, reader.version, len(router.registry.endpoints))


def equal_shares(judged: Judged, rows: Sequence[int], count: int, seed: int) -> list[int]:
    """Return `count` of the rows or all there are, taken from each data set in turn."""
    by_dataset: dict[str, list[int]] = {}
    for row in rows:
        by_dataset.setdefault(judged.datasets[row], []).append(row)
    for name, inside in by_dataset.items():
        Random(f"{seed}\0{name}").shuffle(inside)
    turns = zip_longest(*by_dataset.values())
    drawn = [row for turn in turns for row in turn if row is not None]
    return sorted(drawn[:count])


def _past(
    judged: Judged, asked: Judged, plan: RobustnessPlan, *, not_in: int | None
) -> Judged | None:
    """Return the rows of other groups, and of other folds than `not_in`, if there are any."""
    groups = set(asked.groups)
    rows = [
        row
        for row, (fold, group) in enumerate(zip(judged.folds.tolist(), judged.groups, strict=True))
        if group not in groups and fold != not_in
    ]
    rows = equal_shares(judged, rows, plan.most_past, plan.seed)
    return judged.only(rows) if rows else None


class _ReadingOnce(Scorer):
    """A scorer that keeps its latest readings: every strategy reads the same text.

    Nothing here asks for an agent's run.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(scorer.head, KeptEmbeddings(scorer.encoder), scorer.lengths, scorer.fits)
        self._scorer = scorer.with_encoder(self.encoder)
        self._read = lru_cache(maxsize=_READINGS_KEPT)(self._scorer.read)

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:  # noqa: ARG002
        """Return the reading of a text, made now or before."""
        return self._read(text, is_agent=False)

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Return what the scorer itself predicts."""
        return self._scorer.predict(reading, facts)


def _place(reader: Scorer, text: str) -> NDArray[np.float32]:
    """Return where a text lies among judged prompts (A,)."""
    [place] = reader.head.neighbours.locate(reader.encoder.encode([text]))
    return np.asarray(place)


def _texts(prompts: Sequence[str], plan: RobustnessPlan) -> Iterator[tuple[int, str | None, str]]:
    """Return each prompt as it is, kind null, then with each kind of change that applies."""
    for row, prompt in enumerate(prompts):
        yield row, None, prompt
        for kind in plan.kinds:
            changed = perturb(prompt, kind, plan.seed)
            if changed is not None:
                yield row, kind, changed


def _routed(
    router: Router,
    reader: Scorer,
    numbered: tuple[int, str | None, str],
    names: Sequence[str],
    asked: Judged,
) -> RoutedText:
    row, kind, text = numbered
    request = Request((Message("user", text),))
    decisions = {
        name: router.decide(request, RoutingChoices(strategy=name), record=False) for name in names
    }
    base = decisions.get(DEFAULT_STRATEGY) or decisions[names[0]]
    best = max(base.candidates, key=lambda one: (one.success, -one.cost_usd), default=None)
    reading = reader.read(text.strip())
    said = reader.predict(reading, [ModelFacts(model) for model in asked.models])
    predicted = _best_judged(asked, row, [one.success for one in said])
    return RoutedText(
        row=row,
        kind=kind,
        chosen={name: one.chosen for name, one in decisions.items()}
        | {ARGMAX: best.endpoint if best else None, PREDICTED: predicted, CONSTANT: CONSTANT},
        success={one.endpoint: one.success for one in base.candidates},
        place=_place(reader, text.strip()),
    )


def _choose_by_nearest(
    past: Judged, places: NDArray[np.float32], asked: Judged, routed: Sequence[RoutedText]
) -> None:
    # Equal texts are looked up once: in a product of matrices, where a row stands can move its
    # last digit, and with it the order of two neighbours that are equally near.
    wordings = [one.place for one in routed]
    distinct, number = np.unique(wordings, axis=0, return_inverse=True)
    success = nearest(past, places, distinct, asked.models)[number.ravel()]  # (texts, M)
    for one, said in zip(routed, success, strict=True):
        one.chosen[NEAREST] = _best_judged(asked, one.row, said)


def _best_judged(asked: Judged, row: int, success: Sequence[float] | NDArray[np.float64]) -> str:
    """Return the model of highest success among those judged on that row."""
    eligible = np.isfinite(asked.scores[row])
    return asked.models[int(np.where(eligible, success, -np.inf).argmax())]
