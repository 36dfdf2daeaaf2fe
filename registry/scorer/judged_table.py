"""Rows of judged files gathered into one table, the answers to one prompt joined."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.judged_lines import shown
from rolecall.registry.scorer.judged_rows import BadRow, Row

_SAME = 1e-6  # scores are kept as 32-bit floats
_AT_ONCE = 1_000_000  # cells, so that numbering them all takes no memory to speak of


class _Numbered(dict[str, int]):
    """Names by the order in which they came."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


@dataclass(slots=True)
class _Cells:
    """Figures by row and column, in the order in which they came."""

    rows: array[int] = field(default_factory=lambda: array("i"))
    columns: array[int] = field(default_factory=lambda: array("i"))
    values: array[float] = field(default_factory=lambda: array("f"))

    def extend(self, row: int, figures: Mapping[str, float], columns: _Numbered) -> None:
        self.rows.extend([row] * len(figures))
        self.columns.extend(map(columns.__getitem__, figures))
        self.values.extend(figures.values())

    def filled(self, count: int, place: NDArray[np.int64], width: int) -> NDArray[np.float32]:
        """Return a table (count, width), `nan` where nothing is known.

        `place` says where each column goes, -1 for nowhere.
        """
        table = np.full((count, width), np.nan, dtype=np.float32)
        rows, columns, values = map(np.asarray, (self.rows, self.columns, self.values))
        for start in range(0, len(rows), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            places = place[columns[part]]
            kept = places >= 0
            table[rows[part][kept], places[kept]] = values[part][kept]
        return table


@dataclass(slots=True)
class _Known:
    """The rows of one data set, by id and, where the prompt is what joins them, by its key."""

    by_id: dict[str, int] = field(default_factory=dict)
    by_key: dict[int, int] = field(default_factory=dict)


class Table:
    """Rows in the order in which they came, in as little memory as a million of them need.

    `named` are the models that each row names, with a score or without; empty unless the table
    `keeps_names`.
    """

    def __init__(self, *, keeps_names: bool = False) -> None:
        self._keeps_names = keeps_names
        self.ids: list[str | int] = []
        self.texts: list[str] = []
        self.datasets: list[str] = []
        self.tasks: list[str] = []
        self.groups: list[str] = []
        self.folds = array("q")
        self.named: list[tuple[str, ...]] = []
        self._keys = array("Q")
        self._places: list[Path] = []
        self._lines = array("q")
        self._first_cell = array("q")
        self._columns = _Numbered()
        self._scores, self._tokens, self._costs = _Cells(), _Cells(), _Cells()
        self._known: defaultdict[str, _Known] = defaultdict(_Known)
        self._twins: dict[int, list[int]] = {}  # the first row of a prompt → all, if several
        self._taken: dict[tuple[int, str], int] = {}  # how many of those a model has answered
        self._answers: dict[int, dict[str, float]] = {}  # of rows that others have joined
        self._tuples: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, row: Row, path: Path, number: int) -> None:
        """Add a row, or join it to the one of its prompt.

        An id joins what has the same prompt. Without an id the prompt alone joins, and so it
        does for a row per answer, as its id may be the answer's own. Raises BadRow, with nothing
        added, when the id is another prompt's or an answer was judged differently before.
        """
        known = self._known[row.dataset]
        index = self._joined(known, row)
        if index is None:
            index = self._append(known, row, path, number)
            self._fill(index, row)
        else:
            self._join(index, row)
        if row.id is not None:
            known.by_id.setdefault(str(row.id), index)

    def figures(
        self,
    ) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return the models that were judged, by name, with scores, tokens and costs (N, M)."""
        names = list(self._columns)
        judged = sorted(names[column] for column in set(self._scores.columns))
        place = np.full(len(names), -1, dtype=np.int64)
        for position, name in enumerate(judged):
            place[self._columns[name]] = position
        scores, tokens, costs = (
            cells.filled(len(self), place, len(judged))
            for cells in (self._scores, self._tokens, self._costs)
        )
        return tuple(judged), scores, tokens, costs

    def _joined(self, known: _Known, row: Row) -> int | None:
        """Return the row that this one belongs to; None when it is a new one."""
        if row.id is not None:
            index = known.by_id.get(str(row.id))
            if index is not None:
                if self._keys[index] != row.key:
                    raise BadRow(f"id: {row.id} is another prompt's ({self._place(index)})")
                return index
        if row.id is not None and row.model is None:
            return None
        first = known.by_key.get(row.key)
        if first is None or row.id is None or row.model is None:
            return first
        return self._without_answer_of(row.model, first)

    def _without_answer_of(self, model: str, first: int) -> int | None:
        """Return the first row of a prompt that this model has not answered; None if it has all.

        The same words may have been asked twice, under two ids.
        """
        twins = self._twins.get(first, (first,))
        taken = self._taken.get((first, model), 0)
        while taken < len(twins) and model in self._answers_of(twins[taken]):
            taken += 1
        self._taken[first, model] = taken
        return twins[taken] if taken < len(twins) else None

    def _append(self, known: _Known, row: Row, path: Path, number: int) -> int:
        index = len(self.ids)
        self.ids.append(f"{shown(Path(path.name))}:{number}" if row.id is None else row.id)
        self.texts.append(row.text)
        self.datasets.append(row.dataset)
        self.tasks.append(row.task)
        self.groups.append(row.group)
        self.folds.append(row.fold)
        self.named.append(())
        self._keys.append(row.key)
        self._places.append(path)
        self._lines.append(number)
        self._first_cell.append(len(self._scores.rows))
        if row.id is None or row.model is not None:
            first = known.by_key.setdefault(row.key, index)
            if first != index:
                self._twins.setdefault(first, [first]).append(index)
        return index

    def _join(self, index: int, row: Row) -> None:
        answers = self._answers_of(index)
        for model, score in row.scores.items():
            if abs(answers.get(model, score) - score) > _SAME:
                raise BadRow(
                    f"scores: {model}: {score:g} here but {answers[model]:g} before "
                    f"(its prompt is at {self._place(index)})"
                )
        new = row._replace(
            scores={model: one for model, one in row.scores.items() if model not in answers},
            tokens={model: one for model, one in row.tokens.items() if model not in answers},
            costs={model: one for model, one in row.costs.items() if model not in answers},
        )
        answers.update(new.scores)
        self._fill(index, new)

    def _fill(self, index: int, row: Row) -> None:
        self._scores.extend(index, row.scores, self._columns)
        if row.tokens:
            self._tokens.extend(index, row.tokens, self._columns)
        if row.costs:
            self._costs.extend(index, row.costs, self._columns)
        if not self._keeps_names:
            return
        own = row.scores or row.named or (() if row.model is None else (row.model,))
        names = tuple(dict.fromkeys((*self.named[index], *own)))
        self.named[index] = self._tuples.setdefault(names, names)

    def _answers_of(self, index: int) -> dict[str, float]:
        """Return the scores of a row so far; those it came with stand beside one another."""
        if index not in self._answers:
            names, cells, found = list(self._columns), self._scores, {}
            for cell in range(self._first_cell[index], len(cells.rows)):
                if cells.rows[cell] != index:
                    break
                found[names[cells.columns[cell]]] = cells.values[cell]
            self._answers[index] = found
        return self._answers[index]

    def _place(self, index: int) -> str:
        return f"{shown(self._places[index])}:{self._lines[index]}"
