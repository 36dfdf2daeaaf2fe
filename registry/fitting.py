"""A model joins without training: its rows are fitted, kept, forgotten, or chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rolecall.registry.clock import Now, utc_now
from rolecall.registry.errors import UnknownRecord, UsageError
from rolecall.registry.evidence import FittedModel
from rolecall.registry.facts import facts_of
from rolecall.registry.known import read_known
from rolecall.registry.known_facts import known_facts
from rolecall.registry.opening import open_registry
from rolecall.registry.predictions import Basis, ModelFacts
from rolecall.registry.records import Pool
from rolecall.registry.scorer.data import Asked, Judged, read_asked, read_judged, spelled_out
from rolecall.registry.scorer.fitted import packed, short_name
from rolecall.registry.scorer.joining import (
    Figures,
    Known,
    Read,
    answers_of,
    fit_model,
    known_by_rows,
    most_telling,
    prior_of,
    read_prompts,
)
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.storage.fitted import remove_fitted, write_fitted

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Answers:
    """Judged files, and the name that they call the model by if it is another than its own."""

    files: tuple[Path, ...]
    called: str | None = None
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of fitting one model; times are in seconds.

    `known_by` is what predictions rest on without the fit; `left_out` spells out bad lines.
    """

    fitted: FittedModel
    figures: Figures
    known_by: Basis
    left_out: str | None
    read_s: float
    fit_s: float
    is_stored: bool


@dataclass(frozen=True, slots=True)
class NotJudged:
    """No row judges the model: what it is `known_by` stays. The files judge the `others`."""

    known_by: Basis
    others: tuple[str, ...]
    left_out: str | None


@dataclass(frozen=True, slots=True)
class Suggested:
    """The prompts most worth judging, the best first; `left_out` spells out bad lines."""

    prompts: tuple[Asked, ...]
    left_out: str | None


def fit_judged(
    registry: Path | None,
    model: str,
    answers: Answers,
    report: Report,
    *,
    dry_run: bool = False,
    now: Now = utc_now,
) -> Fitted | NotJudged:
    """Fit one model to its judged rows and keep the fit, in place of an earlier one.

    Without a row of the model, or on a `dry_run`, nothing is changed. `report` is told how many
    of how many prompts are read. Raises InvalidDocument for bad lines (unless skipped) and
    unreadable files, UnknownRecord for a name that `answers` give but no row has,
    RegistryUnusable, ScorerUnusable.
    """
    judged, bad = read_judged(answers.files, skip_bad=answers.skip_bad)
    left_out = f"left out: {spelled_out(bad)}" if bad else None
    rows = _rows_of(judged, model, answers.called)
    registered = read_known(registry)
    facts, scorer = _facts(registered.pool, model), registered.scorer
    known_by: Basis = "latent" if short_name(model) in scorer.head.models else "facts"
    if rows is None:
        return NotJudged(known_by, judged.models, left_out)
    started = perf_counter()
    read = read_prompts(scorer, rows.prompts, report)
    read_at = perf_counter()
    belief, figures = fit_model(scorer.head, facts, read, rows)
    fit_s = perf_counter() - read_at
    mean, covariance, tokens = packed(belief)
    fitted = FittedModel(
        scorer_version=scorer.version,
        model=short_name(model),
        mean=mean,
        covariance=covariance,
        tokens=tokens,
        rows=len(rows.prompts),
        tasks=tuple(Counter(rows.tasks).most_common()),
        fitted_at=now().isoformat(timespec="milliseconds"),
        source=", ".join(map(str, answers.files)),
    )
    if not dry_run:
        with open_registry(registry) as db:
            write_fitted(db, fitted)
    return Fitted(
        fitted, figures, known_by, left_out, read_at - started, fit_s, is_stored=not dry_run
    )


def forget_fitted(registry: Path | None, model: str) -> None:
    """Forget a model's fit, for every version of the scorer. Raises UnknownRecord without one."""
    with open_registry(registry) as db:
        if not remove_fitted(db, short_name(model)):
            raise UnknownRecord(
                f'"{model}" is not fitted', hint=f"rolecall scorer fit {model} JUDGED.jsonl"
            )


def suggest_prompts(
    registry: Path | None,
    model: str,
    pool: Path,
    answers: Answers,
    report: Report,
    *,
    count: int,
) -> Suggested:
    """Return the `count` prompts of a pool whose judgement tells most of a model.

    What is known already are the rows of `answers`, or without files the model's stored fit.
    Scores in the pool are not looked at; its prompts that `answers` hold are left out. Raises as
    `fit_judged` does.
    """
    asked, bad = read_asked([pool], skip_bad=answers.skip_bad)
    rows = None
    if answers.files:
        judged, more = read_judged(answers.files, skip_bad=answers.skip_bad)
        rows, bad = _rows_of(judged, model, answers.called), bad + more
    judged_prompts = set() if rows is None else set(rows.prompts)
    free = tuple(_once(one for one in asked if one.prompt not in judged_prompts))
    registered = read_known(registry)
    facts, scorer = _facts(registered.pool, model), registered.scorer
    chosen: list[int] = []
    if free:
        read = read_prompts(scorer, [one.prompt for one in free], report)
        known = _known(scorer, facts, rows, read, report)
        chosen = most_telling(scorer.head, facts, read, known, count)
    left_out = f"left out: {spelled_out(bad)}" if bad else None
    return Suggested(tuple(free[row] for row in chosen), left_out)


def _rows_of(judged: Judged, model: str, called: str | None) -> Judged | None:
    """Return the rows that judge the model, with it alone; null where there are none."""
    same = [name for name in judged.models if short_name(name) == short_name(model)]
    names = [called] if called else [model] if model in same else same
    if len(names) > 1:
        raise UsageError(f"{model} may be {' or '.join(names)} in these rows", hint="--as NAME")
    if not names:
        return None
    rows = answers_of(judged, names[0])
    return rows if rows.prompts else None


def _facts(pool: Pool, model: str) -> ModelFacts:
    return known_facts([model], facts_of(pool))[model]


def _known(
    scorer: Scorer, facts: ModelFacts, rows: Judged | None, pool: Read, report: Report
) -> Known:
    """Return what is known of a model's success: by these rows, else by its fit or facts."""
    head = scorer.head
    if rows is not None:
        return known_by_rows(head, facts, read_prompts(scorer, rows.prompts, report), rows)
    found = None if scorer.fitted is None else scorer.fitted.belief(facts.model)
    return Known(prior_of(head, facts, pool) if found is None else found.success)


def _once(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Yield what was asked, a prompt that stands there twice only the first time."""
    seen = set()
    for one in asked:
        if one.prompt not in seen:
            seen.add(one.prompt)
            yield one
