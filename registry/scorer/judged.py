"""Judged rows, the one format of training, fitting and evaluation, read from files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import InvalidDocument, UnknownRecord
from rolecall.registry.scorer.judged_lines import (
    BrokenFile,
    dataset_of,
    judged_files,
    numbered_lines,
    shown,
)
from rolecall.registry.scorer.judged_rows import BadRow, parse_row
from rolecall.registry.scorer.judged_table import Table

MOST_SPELLED_OUT = 20
SKIP_HINT = "mend these lines, or leave them out: --skip-bad"
FORM_HINT = 'a row is {"prompt": "…", "scores": {"MODEL": 0..1}}, or {"prompt", "model", "score"}'
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Judged:
    """N prompts and what M models made of them; `nan` where a model was not asked.

    `prompts` are the texts that the scorer reads: of a conversation what a decision on it would
    read. `tokens` are output tokens, `costs` USD.
    """

    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    datasets: tuple[str, ...]
    tasks: tuple[str, ...]
    groups: tuple[str, ...]
    folds: NDArray[np.int64]  # (N,)
    models: tuple[str, ...]  # by name, as written in the files
    scores: NDArray[np.float32]  # (N, M)
    tokens: NDArray[np.float32]  # (N, M)
    costs: NDArray[np.float32]  # (N, M)

    def fold(self, *numbers: int) -> NDArray[np.intp]:
        """Return the row numbers of these folds."""
        return np.flatnonzero(np.isin(self.folds, numbers))

    def only(self, rows: NDArray[np.integer] | NDArray[np.bool_] | Sequence[int]) -> Judged:
        """Return these rows, by number in the given order or by a mask (N,)."""
        given = np.asarray(rows)
        numbers = np.flatnonzero(given) if given.dtype == bool else given.astype(np.intp)
        listed = numbers.tolist()
        return replace(
            self,
            ids=tuple(self.ids[row] for row in listed),
            prompts=tuple(self.prompts[row] for row in listed),
            datasets=tuple(self.datasets[row] for row in listed),
            tasks=tuple(self.tasks[row] for row in listed),
            groups=tuple(self.groups[row] for row in listed),
            folds=self.folds[numbers],
            scores=self.scores[numbers],
            tokens=self.tokens[numbers],
            costs=self.costs[numbers],
        )

    def of(self, models: Sequence[str]) -> Judged:
        """Return every row with these models only, in this order.

        Raises UnknownRecord for a model that nobody judged.
        """
        column = {model: number for number, model in enumerate(self.models)}
        for model in models:
            if model not in column:
                known = ", ".join(self.models[:MOST_SPELLED_OUT])
                raise UnknownRecord(f'no answer of "{model}" was judged', hint=f"one of {known}")
        columns = np.array([column[model] for model in models], dtype=np.intp)
        return replace(
            self,
            models=tuple(models),
            scores=self.scores[:, columns],
            tokens=self.tokens[:, columns],
            costs=self.costs[:, columns],
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt whether judged or not, and the models that its row names, in the row's order.

    `id` is as written, else `FILE:LINE`.
    """

    id: str | int
    prompt: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no judged row; `number` 0 is the file as a whole."""

    path: Path
    number: int
    problem: str

    def __str__(self) -> str:
        place = f"{shown(self.path)}:{self.number}" if self.number else shown(self.path)
        # What a stranger's file holds must not steer the terminal, or begin a line of its own.
        return _CONTROL.sub(" ", f"{place}: {self.problem}")


class InvalidRows(InvalidDocument):
    """Lines that are no judged rows: the message names each on a line of its own."""

    is_listing = True

    def __init__(self, bad: Sequence[BadLine], *, hint: str) -> None:
        super().__init__(spelled_out(bad), hint=hint)
        self.bad = tuple(bad)


def read_judged(
    paths: Sequence[Path], *, skip_bad: bool = False, need_scores: bool = True
) -> tuple[Judged, tuple[BadLine, ...]]:
    """Read judged files, or folders of them, wide rows and rows per answer alike.

    Returns the rows, and what `skip_bad` left out. Without `need_scores` a row may have none.
    Raises InvalidDocument where a file cannot be read, and InvalidRows, naming every bad line,
    where one is not left out or no row is left.
    """
    table, bad = _gathered(paths, skip_bad=skip_bad, need_scores=need_scores)
    models, scores, tokens, costs = table.figures()
    judged = Judged(
        ids=tuple(map(str, table.ids)),
        prompts=tuple(table.texts),
        datasets=tuple(table.datasets),
        tasks=tuple(table.tasks),
        groups=tuple(table.groups),
        folds=np.array(table.folds, dtype=np.int64),
        models=models,
        scores=scores,
        tokens=tokens,
        costs=costs,
    )
    return judged, bad


def read_asked(
    paths: Sequence[Path], *, skip_bad: bool = False
) -> tuple[tuple[Asked, ...], tuple[BadLine, ...]]:
    """Read what was asked, and of which models, by their scores or by a list `models`.

    As `read_judged`, but a row may name no model at all.
    """
    table, bad = _gathered(paths, skip_bad=skip_bad, need_scores=False)
    asked = map(Asked, table.ids, table.texts, table.named)
    return tuple(asked), bad


def spelled_out(bad: Sequence[BadLine]) -> str:
    """Return one bad line, or else how many there are and the first of them, each on a line."""
    if len(bad) == 1:
        return str(bad[0])
    lines = [f"{len(bad):,} bad lines", *map(str, bad[:MOST_SPELLED_OUT])]
    if len(bad) > MOST_SPELLED_OUT:
        lines.append(f"and {len(bad) - MOST_SPELLED_OUT:,} more")
    return "\n".join(lines)


def _gathered(
    paths: Sequence[Path], *, skip_bad: bool, need_scores: bool
) -> tuple[Table, tuple[BadLine, ...]]:
    table = Table(keeps_names=not need_scores)
    bad: list[BadLine] = []
    for path in judged_files(paths):
        _gather(table, path, bad, need_scores=need_scores)
    if not bad and not len(table):
        raise InvalidDocument("no judged rows: no file was named", hint=FORM_HINT)
    if not len(table):
        raise InvalidRows(bad, hint=FORM_HINT)
    if bad and not skip_bad:
        raise InvalidRows(bad, hint=SKIP_HINT)
    return table, tuple(bad)


def _gather(table: Table, path: Path, bad: list[BadLine], *, need_scores: bool) -> None:
    """Add a file's rows to the table, and to `bad` what is none."""
    dataset, form, seen = dataset_of(path), None, False
    try:
        for number, line in numbered_lines(path):
            seen = True
            try:
                row = parse_row(line, dataset, need_scores=need_scores)
                if form is not None and row.form not in (form, None):
                    raise BadRow(f"mixed formats: {row.form}, but the first was {form}")
                table.add(row, path, number)
                form = form or row.form
            except BadRow as error:
                bad.append(BadLine(path, number, str(error)))
    except BrokenFile as error:
        seen = True
        bad.append(BadLine(path, error.number, error.problem))
    if not seen:
        bad.append(BadLine(path, 0, "no judged rows"))
