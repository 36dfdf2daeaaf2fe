"""Judged rows, the one format of training, fitting and evaluation, read from files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.errors import InvalidDocument, UnknownRecord
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.data_lines import BrokenFile, judged_files, numbered_rows, shown
from rolecall.registry.scorer.data_rows import BadRow, ParsedRow, parse_row

MOST_SPELLED_OUT = 20
SKIP_HINT = "mend these lines, or leave them out: --skip-bad"
FORM_HINT = 'a row is {"prompt": "…", "scores": {"MODEL": 0..1}}, or {"prompt", "model", "score"}'
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SAME = 1e-6  # scores are kept as 32-bit floats


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
    scores: Floats  # (N, M)
    tokens: Floats  # (N, M)
    costs: Floats  # (N, M)

    def fold(self, *numbers: int) -> NDArray[np.intp]:
        """Return the row numbers of these folds."""
        return np.flatnonzero(np.isin(self.folds, numbers))

    def only(self, rows: NDArray[np.integer] | NDArray[np.bool_] | Sequence[int]) -> Judged:
        """Return these rows, by number in the given order or by a mask (N,)."""
        given = np.asarray(rows)
        numbers = np.flatnonzero(given) if given.dtype == bool else given.astype(np.intp)

        places = numbers.tolist()
        texts = (self.ids, self.prompts, self.datasets, self.tasks, self.groups)
        ids, prompts, datasets, tasks, groups = (
            tuple(map(column.__getitem__, places)) for column in texts
        )
        scores, tokens, costs = (table[numbers] for table in (self.scores, self.tokens, self.costs))
        folds = self.folds[numbers]
        return Judged(
            ids, prompts, datasets, tasks, groups, folds, self.models, scores, tokens, costs
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
class PromptRow:
    """A row's prompt, with scores or without, and the models that it names, in its order.

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
        # Control characters from a file must not reach the terminal, nor begin a line of their own.
        return _CONTROL.sub(" ", f"{place}: {self.problem}")


class InvalidRows(InvalidDocument):
    """Lines that are no judged rows: the message names each on a line of its own."""

    is_listing = True


def read_judged(
    paths: Sequence[Path], *, skip_bad: bool = False, need_scores: bool = True
) -> tuple[Judged, tuple[BadLine, ...]]:
    """Read judged files, or folders of them: wide rows, rows per answer, and CSV alike.

    Answers to one prompt join into one row; a prompt judged again with another score is a row of
    its own. Returns the rows, and what `skip_bad` left out. Without `need_scores` a row may have
    none. Raises InvalidDocument where a file cannot be read, and InvalidRows, naming every bad
    line, where one is not left out or no row is left.
    """
    rows, bad = _read(paths, skip_bad=skip_bad, need_scores=need_scores)
    models = tuple(sorted({model for row in rows for model in row.scores}))
    column = {model: number for number, model in enumerate(models)}

    def table(figures_of: Callable[[ParsedRow], dict[str, float]]) -> Floats:
        cells = np.full((len(rows), len(models)), np.nan, dtype=np.float32)
        for number, row in enumerate(rows):
            figures = figures_of(row)
            for model, figure in figures.items():
                if model in column:
                    cells[number, column[model]] = figure
        return cells

    judged = Judged(
        ids=tuple(str(_id(row)) for row in rows),
        prompts=tuple(row.text for row in rows),
        datasets=tuple(row.dataset for row in rows),
        tasks=tuple(row.task for row in rows),
        groups=tuple(row.group for row in rows),
        folds=np.array([row.fold for row in rows], dtype=np.int64),
        models=models,
        scores=table(lambda row: row.scores),
        tokens=table(lambda row: row.tokens),
        costs=table(lambda row: row.costs),
    )
    return judged, bad


def read_prompt_rows(
    paths: Sequence[Path], *, skip_bad: bool = False
) -> tuple[tuple[PromptRow, ...], tuple[BadLine, ...]]:
    """Read what was asked, and of which models, by their scores or by a list `models`.

    As `read_judged`, but a row may name no model at all.
    """
    rows, bad = _read(paths, skip_bad=skip_bad, need_scores=False)
    return tuple(PromptRow(_id(row), row.text, tuple(row.named)) for row in rows), bad


def spelled_out(bad: Sequence[BadLine]) -> str:
    """Return one bad line, or else how many there are and the first of them, each on a line."""
    if len(bad) == 1:
        return str(bad[0])
    lines = [f"{len(bad):,} bad lines", *map(str, bad[:MOST_SPELLED_OUT])]
    if len(bad) > MOST_SPELLED_OUT:
        lines.append(f"and {len(bad) - MOST_SPELLED_OUT:,} more")
    return "\n".join(lines)


def left_out_of(bad: Sequence[BadLine]) -> str | None:
    """Say which lines were left out; null where none was."""
    return f"left out: {spelled_out(bad)}" if bad else None


@dataclass(slots=True)
class _Joined:
    """Rows in the order in which they came, the answers to one prompt joined."""

    rows: list[ParsedRow] = field(default_factory=list)
    by_id: dict[tuple[str, str], ParsedRow] = field(default_factory=dict)
    by_prompt: defaultdict[tuple[str, bytes], list[ParsedRow]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, row: ParsedRow) -> None:
        """Add a row, or join it to an earlier one of its prompt.

        An id joins what has the same id and prompt. Without an id the prompt alone joins, and so
        it does for a row per answer, as its id may be the answer's own. Raises BadRow, with
        nothing added, when the id is another prompt's.
        """
        name = (row.dataset, str(row.id))
        first = None if row.id is None else self.by_id.get(name)
        if first is not None and first.key != row.key:
            place = f"{shown(first.path)}:{first.number}"
            raise BadRow(f"id: {row.id} is another prompt's ({place})")
        is_joined_by_prompt = row.id is None or row.model is not None
        same_prompt = self.by_prompt[row.dataset, row.key] if is_joined_by_prompt else []
        for found in (*([first] if first else ()), *same_prompt):
            if _is_same(found, row, has_other_id=row.id is not None and found is not first):
                found.join(row)
                break
        else:
            found = row
            self.rows.append(row)
            same_prompt.append(row)
        if row.id is not None:
            self.by_id.setdefault(name, found)


def _is_same(one: ParsedRow, other: ParsedRow, *, has_other_id: bool) -> bool:
    """Whether two rows of one prompt tell of the same sample of answers."""
    both = one.scores.keys() & other.scores.keys()
    return not both or (
        not has_other_id
        and all(abs(one.scores[name] - other.scores[name]) <= _SAME for name in both)
    )


def _id(row: ParsedRow) -> str | int:
    return f"{shown(Path(row.path.name))}:{row.number}" if row.id is None else row.id


def _read(
    paths: Sequence[Path], *, skip_bad: bool, need_scores: bool
) -> tuple[list[ParsedRow], tuple[BadLine, ...]]:
    joined, bad = _Joined(), list[BadLine]()
    for path in judged_files(paths):
        _gather(joined, path, bad, need_scores=need_scores)
    if not bad and not joined.rows:
        raise InvalidDocument("no judged rows: no file was named", hint=FORM_HINT)
    if not joined.rows:
        raise InvalidRows(spelled_out(bad), hint=FORM_HINT)
    if bad and not skip_bad:
        raise InvalidRows(spelled_out(bad), hint=SKIP_HINT)
    return joined.rows, tuple(bad)


def _gather(joined: _Joined, path: Path, bad: list[BadLine], *, need_scores: bool) -> None:
    """Join a file's rows to the others, and add to `bad` what is none."""
    form, seen = None, False
    try:
        for number, line in numbered_rows(path):
            seen = True
            try:
                row = parse_row(line, path, number, need_scores=need_scores)
                if form is not None and row.form not in (form, None):
                    raise BadRow(f"mixed formats: {row.form}, but the first was {form}")
                joined.add(row)
                form = form or row.form
            except BadRow as error:
                bad.append(BadLine(path, number, str(error)))
    except BrokenFile as error:
        seen = True
        bad.append(BadLine(path, error.number, str(error)))
    if not seen:
        bad.append(BadLine(path, 0, "no judged rows"))
