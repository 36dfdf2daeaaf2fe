"""Rows that judge a model are kept and fitted, asked for, and forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from rolecall.registry.clock import Now, utc_now
from rolecall.registry.errors import UnknownRecord, UsageError
from rolecall.registry.judged_rows import JudgedRow
from rolecall.registry.learning.fits import derive_fits, facts_by_name, read_answers
from rolecall.registry.learning.loading import Loading, Tell, read_known, say_nothing, with_fits
from rolecall.registry.learning.rows import counts, merged, rows_of, without_models
from rolecall.registry.opening import open_registry
from rolecall.registry.predictions import Basis
from rolecall.registry.scorer.active_learning import most_telling
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.comparison import Comparison, compare
from rolecall.registry.scorer.data import Asked, Judged, read_asked, read_judged, spelled_out
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.seen import load_seen
from rolecall.registry.scorer.variants import canonical
from rolecall.registry.storage.database import Database
from rolecall.registry.storage.judged_rows import (
    read_judged_rows,
    replace_judged_rows,
    uses_fits,
)

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class JudgedFiles:
    """Judged files, and the name that they call the model by if it is another than its own."""

    files: tuple[Path, ...]
    called: str | None = None
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of fitting one model; times are in seconds.

    The model had `before` rows, the files gave `given`, it has `rows` now, of which
    `length_rows` told a length. `known_by` is what predictions rested on so far. Without two
    groups of rows that it has not learned from, there is no comparison.
    """

    model: str
    given: int
    before: int
    rows: int
    tasks: tuple[tuple[str, int], ...]
    length_rows: int
    scorer_version: str
    known_by: Basis
    comparison: Comparison | None
    is_stored: bool
    in_use: bool
    left_out: str | None
    read_s: float
    fit_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "model": self.model,
            "rows": self.rows,
            "given": self.given,
            "before": self.before,
            "tasks": dict(self.tasks),
            "length_rows": self.length_rows,
            "scorer_version": self.scorer_version,
            "known_by": self.known_by,
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "stored": self.is_stored,
            "in_use": self.in_use,
            "read_s": self.read_s,
            "fit_s": self.fit_s,
        }


@dataclass(frozen=True, slots=True)
class NotJudged:
    """No row judges the model: what it is `known_by` stays. The files judge the `others`."""

    model: str
    known_by: Basis
    others: tuple[str, ...]
    left_out: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, with the keys of `Fitted`."""
        return {
            "model": self.model,
            "rows": 0,
            "given": 0,
            "before": 0,
            "tasks": {},
            "length_rows": 0,
            "scorer_version": None,
            "known_by": self.known_by,
            "comparison": None,
            "stored": False,
            "in_use": None,
            "read_s": 0.0,
            "fit_s": 0.0,
        }


@dataclass(frozen=True, slots=True)
class Suggested:
    """The prompts most worth judging, the best first; `left_out` spells out bad lines."""

    prompts: tuple[Asked, ...]
    left_out: str | None


def fit_judged(
    given: Path | None,
    model: str,
    answers: JudgedFiles,
    report: Report,
    *,
    replace: bool = False,
    dry_run: bool = False,
    now: Now = utc_now,
) -> Fitted | NotJudged:
    """Add judged rows to those of one model, or `replace` them, and fit it.

    Without a row of the model, or on a `dry_run`, nothing is changed. `report` is told how many
    of how many prompts are read. Raises InvalidDocument for bad lines (unless skipped) and
    unreadable files, UnknownRecord for a name that `answers` give but no row has,
    RegistryUnusable, ScorerUnusable.
    """
    judged, bad = read_judged(answers.files, skip_bad=answers.skip_bad)
    left_out = left_out_of(bad)
    name = canonical(model)
    called = _called(judged, model, answers.called)
    new = new_rows(judged, {called: name} if called else {}, answers.files, now)
    loading = Loading()
    with open_registry(given) as db:
        scorer = with_fits(db, loading.scorer())
        known_by = _basis(db, scorer, name)
        if not new:
            return NotJudged(name, known_by, judged.models, left_out)
        old = read_judged_rows(db)
        before = counts(old).get(name, 0)
        rows = merged(without_models(old, [name]) if replace else old, new)
        learned = {one.group or one.id for one in old if name in counts([one])}
        update = compare_rows(db, scorer, rows, {name: learned}, report)
        if not dry_run:
            replace_judged_rows(db, rows)
            derive_fits(db, scorer)
        own = [row for row in rows if name in counts([row])]
        return Fitted(
            model=name,
            given=len(new),
            before=before,
            rows=len(own),
            tasks=tuple(Counter(row.task for row in own).most_common()),
            length_rows=sum(
                one.output_tokens is not None
                for row in own
                for one in row.answers
                if one.model == name
            ),
            scorer_version=scorer.version,
            known_by=known_by,
            comparison=update.comparison,
            is_stored=not dry_run,
            in_use=uses_fits(db),
            left_out=left_out,
            read_s=update.read_s,
            fit_s=update.fit_s,
        )


def forget_model(given: Path | None, model: str) -> None:
    """Forget a model's rows, and thereby its fit. Raises UnknownRecord where there are none."""
    name = canonical(model)
    with open_registry(given) as db, db.transaction():
        found = 0
        for active in (True, False):
            rows = read_judged_rows(db, active=active)
            found += counts(rows).get(name, 0)
            replace_judged_rows(db, without_models(rows, [name]), active=active)
        if not found:
            raise UnknownRecord(
                f'there is no judged row of "{model}"',
                hint=f"rolecall scorer fit {model} JUDGED.jsonl",
            )


def suggest_prompts(
    given: Path | None,
    model: str,
    pool: Path,
    answers: JudgedFiles,
    report: Report,
    *,
    count: int,
    tell: Tell = say_nothing,
) -> Suggested:
    """Return the `count` prompts of a pool whose judgement tells most of a model.

    What is known already are the model's kept rows, and those of `answers`. Scores in the pool
    are not looked at; its prompts that the model was judged on are left out. Raises as
    `fit_judged` does.
    """
    asked, bad = read_asked([pool], skip_bad=answers.skip_bad)
    name, new = canonical(model), tuple[JudgedRow, ...]()
    if answers.files:
        judged, more = read_judged(answers.files, skip_bad=answers.skip_bad)
        called = _called(judged, model, answers.called)
        new = new_rows(judged, {called: name} if called else {}, answers.files, utc_now)
        bad += more
    read_known(given, tell)  # a registry that is not there is not made for a question
    with open_registry(given) as db:
        scorer = with_fits(db, Scorer.load(), tell)
        old = read_judged_rows(db)
        known = [row for row in merged(old, new) if name in counts([row])]
        done = {row.prompt for row in known}
        free = tuple(_once(one for one in asked if one.prompt not in done))
        chosen: Sequence[int] = ()
        if free:
            readings = []
            for number, one in enumerate(free, start=1):
                readings.append(scorer.read(one.prompt))
                report(number, len(free))
            judged_before = read_answers(db, scorer, known) if known else None
            facts = facts_by_name([name], read_known(given).pool)[name]
            chosen = most_telling(scorer, facts, readings, judged_before, count)
    return Suggested(tuple(free[row] for row in chosen), left_out_of(bad))


@dataclass(frozen=True, slots=True)
class Update:
    """Rows beside what was in use, and how long reading and fitting took."""

    comparison: Comparison | None
    read_s: float
    fit_s: float


def compare_rows(
    db: Database,
    scorer: Scorer,
    rows: Sequence[JudgedRow],
    learned: Mapping[str, set[str]],
    report: Report,
) -> Update:
    """Compare fits to all rows with the scorer in use, on what this has not learned from.

    `learned` names the models that count, with the groups that may not be held back for each.
    Prompts that the shipped scorer was trained on may not be either.
    """
    started = perf_counter()
    answers = read_answers(db, scorer, rows, report)
    read_at = perf_counter()
    shipped = load_seen(PRETRAINED)
    seen = {row.group or row.id for row in rows if int(row.id, 16) in shipped}
    held = [
        [
            one.model in learned and group not in seen and group not in learned[one.model]
            for one in answers.facts
        ]
        for group in answers.groups
    ]
    comparison = compare(scorer, answers, [row.task for row in rows], held)
    return Update(comparison, read_at - started, perf_counter() - read_at)


def new_rows(
    judged: Judged, models: Mapping[str, str], files: Iterable[Path], now: Now
) -> tuple[JudgedRow, ...]:
    """Return what judged files say of these models, as rows to keep."""
    added_at = now().isoformat(timespec="seconds")
    return rows_of(judged, models, source=", ".join(map(str, files)), added_at=added_at)


def left_out_of(bad: Sequence[Any]) -> str | None:
    """Spell out bad lines; null where there are none."""
    return f"left out: {spelled_out(bad)}" if bad else None


def _called(judged: Judged, model: str, called: str | None) -> str | None:
    """Return what the files call the model; null where they do not judge it."""
    if called is not None:
        judged.of([called])
        return called
    if model in judged.models:
        return model
    same = [name for name in judged.models if canonical(name) == canonical(model)]
    if len(same) > 1:
        raise UsageError(f"{model} may be {' or '.join(same)} in these rows", hint="--as NAME")
    return same[0] if same else None


def _basis(db: Database, scorer: Scorer, model: str) -> Basis:
    """Return what predictions of a model rest on."""
    from rolecall.registry.storage.pool import read_pool

    facts = facts_by_name([model], read_pool(db))[model]
    return scorer.basis(facts)


def _once(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Yield what was asked, a prompt that stands there twice only the first time."""
    seen = set()
    for one in asked:
        if one.prompt not in seen:
            seen.add(one.prompt)
            yield one
