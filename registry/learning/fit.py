"""Rows that judge a model are kept and fitted, asked for, and forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from rolecall.registry.core.clock import Now, utc_now
from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.predictions import Basis
from rolecall.registry.core.reporting import ReportProgress
from rolecall.registry.learning.fits import derive_fits, facts_by_name, read_answers, read_prompts
from rolecall.registry.learning.loading import Loading, with_fits
from rolecall.registry.learning.rows import counts, merged, rows_of, without_models
from rolecall.registry.scorer.active_learning import most_telling
from rolecall.registry.scorer.artifact import load_seen
from rolecall.registry.scorer.comparison import FitComparison, compare
from rolecall.registry.scorer.data import (
    Judged,
    PromptRow,
    left_out_of,
    read_judged,
    read_prompt_rows,
)
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.variants import canonical
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import (
    read_judged_rows,
    replace_judged_rows,
    uses_fits,
)
from rolecall.registry.storage.registry import read_registry


@dataclass(frozen=True, slots=True)
class FitRequest:
    """Judged files, and the name that they call the model by if it is another than its own.

    With `replace` the rows take the place of the model's earlier ones; on a `dry_run` nothing is
    kept.
    """

    files: tuple[Path, ...] = ()
    called: str | None = None
    skip_bad: bool = False
    replace: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult:
    """What came of fitting one model; times are in seconds.

    The model had `before` rows, the files gave `given`, it has `rows` now, of which
    `length_rows` had a length. `known_by` is what predictions rested on so far. Without two
    groups of rows that it has not learned from, there is no comparison. Where the files do not
    judge the model, `rows` is 0, nothing is changed, and they judge the `others`.
    """

    model: str
    rows: int = 0
    given: int = 0
    before: int = 0
    tasks: dict[str, int] = field(default_factory=dict)
    length_rows: int = 0
    scorer_version: str | None = None
    known_by: Basis
    comparison: FitComparison | None = None
    stored: bool = False
    in_use: bool | None = None
    read_s: float = 0.0
    fit_s: float = 0.0
    others: tuple[str, ...]
    left_out: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        plain = asdict(self)
        del plain["others"], plain["left_out"]
        return plain


@dataclass(frozen=True, slots=True)
class SuggestedPrompts:
    """The prompts most worth judging, the best first; `left_out` spells out bad lines."""

    prompts: tuple[PromptRow, ...]
    left_out: str | None


def fit_judged(
    db: Database,
    model: str,
    request: FitRequest,
    report: ReportProgress,
    now: Now = utc_now,
) -> FitResult:
    """Add judged rows to those of one model, or replace them, and fit it.

    Without a row of the model nothing is changed. `report` is told how many of how many prompts
    are read. Raises InvalidDocument for bad lines (unless skipped) and unreadable files,
    UnknownRecord for a name that the request gives but no row has, RegistryUnusable,
    ScorerUnusable.
    """
    loading = Loading()
    judged, bad = read_judged(request.files, skip_bad=request.skip_bad)
    new = _rows_of_model(judged, model, request, now)
    name, left_out = canonical(model), left_out_of(bad)
    scorer = with_fits(db, loading.scorer())
    known_by = scorer.pool((facts_by_name([name], read_registry(db))[name],)).bases[0]
    if not new:
        return FitResult(model=name, known_by=known_by, others=judged.models, left_out=left_out)
    old = read_judged_rows(db)
    gone = [name] if request.replace else ()
    rows = merged(without_models(old, gone), new)
    learned = set[str]()
    if scorer.fits is not None:
        learned = {one.group or one.id for one in old if name in counts([one])}
    found = compare_rows(db, scorer, rows, {name: learned}, report)
    if not request.dry_run:
        with db.transaction():
            # Read again: the comparison takes a while, in which another process may add rows.
            replace_judged_rows(db, merged(without_models(read_judged_rows(db), gone), new))
        derive_fits(db, scorer)
    own = [(row, one) for row in rows for one in row.answers if one.model == name]
    return FitResult(
        model=name,
        given=len(new),
        before=counts(old).get(name, 0),
        rows=len(own),
        tasks=dict(Counter(row.task for row, _ in own).most_common()),
        length_rows=sum(one.output_tokens is not None for _, one in own),
        scorer_version=scorer.version,
        known_by=known_by,
        comparison=found.comparison,
        stored=not request.dry_run,
        in_use=uses_fits(db),
        read_s=found.read_s,
        fit_s=found.fit_s,
        others=(),
        left_out=left_out,
    )


def forget_model(db: Database, model: str) -> None:
    """Forget a model's rows, and thereby its fit. Raises UnknownRecord where there are none."""
    name = canonical(model)
    with db.transaction():
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
    db: Database,
    model: str,
    pool: Path,
    request: FitRequest,
    report: ReportProgress,
    *,
    count: int,
) -> SuggestedPrompts:
    """Return the `count` prompts of a pool that are most worth judging for a model.

    What is known already are the model's kept rows, and those of the request. Scores in the pool
    are not looked at; its prompts that the model was judged on are left out. Raises as
    `fit_judged` does.
    """
    loading = Loading()
    asked, bad = read_prompt_rows([pool], skip_bad=request.skip_bad)
    name, new = canonical(model), tuple[JudgedRow, ...]()
    if request.files:
        judged, more = read_judged(request.files, skip_bad=request.skip_bad)
        new = _rows_of_model(judged, model, request, utc_now)
        bad += more
    scorer = with_fits(db, loading.scorer())
    known = [row for row in merged(read_judged_rows(db), new) if name in counts([row])]
    done = {row.prompt for row in known}
    free: dict[str, PromptRow] = {}
    for one in asked:
        if one.prompt not in done:
            free.setdefault(one.prompt, one)
    if not free:
        return SuggestedPrompts((), left_out_of(bad))
    readings = read_prompts(scorer, list(free), report)
    judged_before = read_answers(db, scorer, known) if known else None
    facts = facts_by_name([name], read_registry(db))[name]
    chosen = most_telling(scorer, facts, readings, judged_before, count)
    pool_rows = tuple(free.values())
    return SuggestedPrompts(tuple(pool_rows[row] for row in chosen), left_out_of(bad))


@dataclass(frozen=True, slots=True)
class RowsComparison:
    """Rows beside what was in use, and how long reading and fitting took."""

    comparison: FitComparison | None
    read_s: float
    fit_s: float


def compare_rows(
    db: Database,
    scorer: Scorer,
    rows: Sequence[JudgedRow],
    learned: Mapping[str, set[str]],
    report: ReportProgress,
) -> RowsComparison:
    """Compare fits to all rows with the scorer in use, on what this has not learned from.

    `learned` names the models that count, with the groups that may not be held back for each.
    Prompts that the shipped scorer was trained on may not be either.
    """
    started = perf_counter()
    answers = read_answers(db, scorer, rows, report)
    read_at = perf_counter()
    shipped = load_seen()
    seen = {row.group or row.id for row in rows if int(row.id, 16) in shipped}
    held = [
        [
            one.model in learned and group not in seen and group not in learned[one.model]
            for one in answers.facts
        ]
        for group in answers.groups
    ]
    comparison = compare(scorer, answers, [row.task for row in rows], held)
    return RowsComparison(comparison, read_at - started, perf_counter() - read_at)


def new_rows(
    judged: Judged, models: Mapping[str, str], files: Iterable[Path], now: Now
) -> tuple[JudgedRow, ...]:
    """Return what judged files say of these models, as rows to keep."""
    added_at = now().isoformat(timespec="seconds")
    return rows_of(judged, models, source=", ".join(map(str, files)), added_at=added_at)


def _rows_of_model(
    judged: Judged, model: str, request: FitRequest, now: Now
) -> tuple[JudgedRow, ...]:
    """Return what judged files say of one model, as rows to keep under its canonical name."""
    called = _called(judged, model, request.called)
    return new_rows(judged, {called: canonical(model)} if called else {}, request.files, now)


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
