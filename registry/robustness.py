"""How steady choices are: what changes when a prompt is worded, spelt or spaced otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache
from itertools import count, zip_longest
from pathlib import Path
from random import Random
from typing import Self

from rolecall.registry.errors import InvalidDocument
from rolecall.registry.flip_counts import (
    ARGMAX,
    CONSTANT,
    LIKELIEST,
    NEAREST,
    OURS,
    Outcome,
    Robustness,
    Summary,
    Text,
    Trial,
)
from rolecall.registry.known import read_known
from rolecall.registry.layers import DEFAULT_STRATEGY, Choices
from rolecall.registry.predictions import ModelFacts, Prediction
from rolecall.registry.records import Candidate, Decision, Message, Pool, Request, Strategy
from rolecall.registry.rehearsing import rehearsal
from rolecall.registry.route import Router
from rolecall.registry.scorer.data import Judged, read_judged, spelled_out
from rolecall.registry.scorer.fitted import FittedLatents
from rolecall.registry.scorer.flips import judged_choices, nearest_choices
from rolecall.registry.scorer.perturb import perturb
from rolecall.registry.scorer.predict import Reading, Scorer

Report = Callable[[int, int], None]

_READINGS_KEPT = 64


class _ReadOnce(Scorer):
    """The same scorer, which keeps its latest readings: every strategy asks for the same text."""

    def __init__(self, scorer: Scorer) -> None:
        self.__dict__.update(vars(scorer))
        self._scorer = scorer
        self._kept = lru_cache(maxsize=_READINGS_KEPT)(scorer.read)

    def read(self, text: str) -> Reading:
        """Read one prompt, or remember its reading."""
        return self._kept(text)

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Predict as the scorer does."""
        return self._scorer.predict(reading, facts)

    def with_fitted(self, fitted: FittedLatents) -> Self:
        """Return the same over a scorer that reads these models by what was fitted for them."""
        other = copy(self)
        other.fitted = fitted
        other._scorer = self._scorer.with_fitted(fitted)
        return other


def measure_files(
    given: Path | None,
    files: Sequence[Path],
    trial: Trial,
    *,
    train: Sequence[Path] = (),
    skip_bad: bool = False,
    scorer: Scorer | None = None,
    report: Report | None = None,
) -> Robustness:
    """Measure flips on prompts of judged files, as many of each data set, drawn by seed.

    The nearest prompts are looked for among rows of other groups: those of the `train` files,
    else the same files', outside the trial's fold. Raises InvalidDocument, RegistryUnusable,
    ScorerUnusable, and UnknownRecord for a strategy that is not there.
    """
    judged, bad = read_judged(files, skip_bad=skip_bad)
    wanted = [
        row
        for row, (fold, dataset) in enumerate(
            zip(judged.folds.tolist(), judged.datasets, strict=True)
        )
        if trial.fold in (None, fold) and trial.dataset in (None, dataset)
    ]
    if not wanted:
        raise InvalidDocument(
            "no row is in that fold and data set", hint="leave out --fold, or --dataset"
        )
    asked = judged.only(equal_shares(judged, wanted, trial.prompts, trial.seed))
    if train:
        past = _past(read_judged(train, skip_bad=skip_bad)[0], asked, trial, not_in=None)
    else:
        past = _past(judged, asked, trial, not_in=trial.fold)
    found = measure_flips(given, asked, trial, past=past, scorer=scorer, report=report)
    return replace(found, left_out=spelled_out(bad) if bad else None)


def measure_flips(
    given: Path | None,
    asked: Judged,
    trial: Trial,
    *,
    past: Judged | None = None,
    scorer: Scorer | None = None,
    report: Report | None = None,
) -> Robustness:
    """Decide on every prompt as it is and changed, by every strategy, and count what differs.

    All keys that the registry's endpoints name count as set; a registry that does not exist is
    the starter pool. Nothing is recorded. Without `past` rows there is no policy `nearest`.
    Raises UnknownRecord for a strategy that is not there.
    """
    reader = _ReadOnce(scorer or read_known(given).scorer)
    texts = _texts(asked.prompts, trial)
    told = _told(report, len(texts) + (len(past.prompts) if past is not None else 0))
    with rehearsal(given, reader) as router:
        pool = router.pool
        names = trial.strategies or tuple(one.id for one in pool.strategies)
        outcomes = []
        for text in texts:
            outcomes.append(_outcome(router, reader, text.text, names, asked.models))
            told()
    vectors = []
    for prompt in past.prompts if past is not None else ():
        vectors.append(reader.read(prompt).vector)
        told()
    quality_usd = _default_strategy(pool).quality_usd
    rows = [text.row for text in texts]
    found = judged_choices(asked, rows, [one.judged for one in outcomes], quality_usd)
    _keep(outcomes, OURS, found)
    if past is not None:
        wordings = [(row, one.vector) for row, one in zip(rows, outcomes, strict=True)]
        _keep(outcomes, NEAREST, nearest_choices(past, vectors, asked, wordings, quality_usd))
    return Summary(trial, names, texts, outcomes).robustness(reader.version, len(pool.endpoints))


def _past(judged: Judged, asked: Judged, trial: Trial, *, not_in: int | None) -> Judged | None:
    """Return the rows of other groups, and of other folds than `not_in`, if there are any."""
    groups = set(asked.groups)
    rows = [
        row
        for row, (fold, group) in enumerate(zip(judged.folds.tolist(), judged.groups, strict=True))
        if group not in groups and fold != not_in
    ]
    rows = equal_shares(judged, rows, trial.most_past, trial.seed)
    return judged.only(rows) if rows else None


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


def _texts(prompts: Sequence[str], trial: Trial) -> list[Text]:
    texts = []
    for row, prompt in enumerate(prompts):
        texts.append(Text(row, None, prompt))
        for kind in trial.kinds:
            changed = perturb(prompt, kind, trial.seed)
            if changed is not None:
                texts.append(Text(row, kind, changed))
    return texts


def _told(report: Report | None, total: int) -> Callable[[], None]:
    """Return a function that reports one step more at each call."""
    steps = count(1)

    def told() -> None:
        if report is not None:
            report(next(steps), total)

    return told


def _default_strategy(pool: Pool) -> Strategy:
    default = Strategy(DEFAULT_STRATEGY)
    return next((one for one in pool.strategies if one.id == DEFAULT_STRATEGY), default)


def _keep(outcomes: Sequence[Outcome], policy: str, found: Sequence[str]) -> None:
    for outcome, model in zip(outcomes, found, strict=True):
        outcome.chosen[policy] = model


def _outcome(
    router: Router, reader: Scorer, text: str, names: Sequence[str], models: Sequence[str]
) -> Outcome:
    request = Request((Message("user", text),))
    decisions = {
        name: router.decide(request, Choices(strategy=name), record=False) for name in names
    }
    base = decisions.get(DEFAULT_STRATEGY) or decisions[names[0]]
    reading = reader.read(text.strip())
    judged = reader.predict(reading, [ModelFacts(model) for model in models])
    chosen: dict[str, str | None] = {name: one.chosen for name, one in decisions.items()}
    return Outcome(
        chosen=chosen
        | {ARGMAX: _endpoint(_highest(base)), LIKELIEST: _likeliest(base), CONSTANT: CONSTANT},
        highest={name: _endpoint(_highest(one)) for name, one in decisions.items()},
        values={
            name: (one.candidates[0].value_usd, best.value_usd)
            for name, one in decisions.items()
            if (best := _highest(one)) is not None
        },
        success={one.endpoint: one.success for one in base.candidates},
        judged=tuple(one.success for one in judged),
        task=base.task.kind,
        vector=reading.vector,
    )


def _highest(decision: Decision) -> Candidate | None:
    """Return the candidate of highest value, equals by rank."""
    return max(decision.candidates, key=lambda one: one.value_usd, default=None)


def _likeliest(decision: Decision) -> str | None:
    """Return the endpoint most likely to be right, equals by cost."""
    best = max(decision.candidates, key=lambda one: (one.success, -one.cost_usd), default=None)
    return _endpoint(best)


def _endpoint(candidate: Candidate | None) -> str | None:
    return None if candidate is None else candidate.endpoint
