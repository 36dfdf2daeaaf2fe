"""Fit all models of one's own judged rows, and let the fits decide if they are better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rolecall.registry.core.clock import Now, utc_now
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.reporting import ReportProgress
from rolecall.registry.learning.fit import compare_rows, new_rows
from rolecall.registry.learning.fits import derive_fits
from rolecall.registry.learning.loading import Loading, with_fits
from rolecall.registry.learning.rows import counts, merged, without_models
from rolecall.registry.learning.versions import OWN, PRETRAINED
from rolecall.registry.scorer.bootstrap import Interval
from rolecall.registry.scorer.comparison import LEAST_GROUPS, FitComparison
from rolecall.registry.scorer.data import left_out_of, read_judged
from rolecall.registry.scorer.variants import canonical
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import (
    has_judged_rows,
    read_judged_rows,
    replace_judged_rows,
    set_uses_fits,
    uses_fits,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """What to learn from; with `replace` the rows take the place of earlier ones of their models.

    With `force` the fits decide even if they are not better.
    """

    files: tuple[Path, ...]
    skip_bad: bool = False
    replace: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What became of the rows: `given` prompts make `prompts` with those kept before.

    `models` counts the rows of each model. `verdict` says in words why the fits decide or not,
    and `in_use` is the scorer that decides now.
    """

    given: int
    prompts: int
    models: dict[str, int]
    comparison: FitComparison | None
    promoted: bool
    in_use: str
    verdict: str
    left_out: str | None
    read_s: float
    fit_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        plain = asdict(self)
        del plain["left_out"]
        return plain


def train(
    db: Database, request: TrainRequest, report: ReportProgress, now: Now = utc_now
) -> TrainResult:
    """Keep the rows of judged files, fit all their models, compare, and promote if better.

    Rows that are not promoted wait for more: the next training counts them too. `report` is told
    how many of how many prompts are read. Raises InvalidDocument for bad rows, RegistryUnusable
    and ScorerUnusable.
    """
    loading = Loading()
    judged, bad = read_judged(request.files, skip_bad=request.skip_bad)
    names = {model: canonical(model) for model in judged.models}
    new = new_rows(judged, names, request.files, now)
    scorer = with_fits(db, loading.scorer())
    active = read_judged_rows(db)
    gone = counts(new) if request.replace else ()
    rows = merged(merged(*_kept(db, gone)), new)
    incumbent = OWN if active and uses_fits(db) else PRETRAINED
    learned = {one.group or one.id for one in active} if incumbent == OWN else set[str]()
    found = compare_rows(db, scorer, rows, dict.fromkeys(counts(rows), learned), report)
    is_promoted = request.force or _is_worth_it(found.comparison)
    with db.transaction():
        # Read again: the comparison takes a while, in which another process may add rows.
        in_use, waiting = _kept(db, gone)
        if is_promoted:
            replace_judged_rows(db, merged(merged(in_use, waiting), new))
            set_uses_fits(db, True)
        replace_judged_rows(db, () if is_promoted else merged(waiting, new), active=False)
    if is_promoted or (has_judged_rows(db) and uses_fits(db)):
        derive_fits(db, scorer)
    return TrainResult(
        given=len(new),
        prompts=len(rows),
        models=counts(rows),
        comparison=found.comparison,
        promoted=is_promoted,
        in_use=OWN if is_promoted else incumbent,
        verdict=_verdict(found.comparison, incumbent, is_forced=request.force),
        left_out=left_out_of(bad),
        read_s=found.read_s,
        fit_s=found.fit_s,
    )


def _kept(db: Database, gone: Iterable[str]) -> tuple[tuple[JudgedRow, ...], ...]:
    """Return the rows in use and those that wait, both without the answers of some models."""
    states = (read_judged_rows(db, active=one) for one in (True, False))
    return tuple(without_models(rows, gone) for rows in states)


def _is_worth_it(found: FitComparison | None) -> bool:
    return found is not None and found.is_enough and found.is_better


def _verdict(found: FitComparison | None, incumbent: str, *, is_forced: bool) -> str:
    if _is_worth_it(found) and found is not None:
        return f"promoted: better than {incumbent} (Brier {_shown(found.over_in_use)})"
    groups = 0 if found is None else found.groups
    if found is None or not found.is_enough:
        why = (
            f"{groups} groups that {incumbent} has not learned from are too few to tell: "
            f"{LEAST_GROUPS} are needed"
        )
    elif found.over_in_use.high >= 0:
        why = f"not better than {incumbent} beyond chance (Brier {_shown(found.over_in_use)})"
    else:
        gap = _shown(found.over_task_means)
        why = f"better than {incumbent}, but worse than the mean of each task (Brier {gap})"
    return f"promoted by --force: {why}" if is_forced else f"kept {incumbent}: {why}"


def _shown(gap: Interval) -> str:
    return f"{gap.mean:+.4f}, {gap.low:+.4f} … {gap.high:+.4f}".replace("-", "−")
