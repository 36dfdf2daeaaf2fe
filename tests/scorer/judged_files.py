"""Judged files as tests write and read them, and tables without a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.data import BadLine, Judged, read_judged


def write(path: Path, *rows: Any) -> Path:
    """Write a row a line; a row that is text or bytes stands as it is."""
    path.write_bytes(b"".join(_line(row) + b"\n" for row in rows))
    return path


def _line(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    return (row if isinstance(row, str) else json.dumps(row)).encode("utf-8", "surrogatepass")


def read(*paths: Path, skip_bad: bool = False) -> Judged:
    """Read judged rows of which none is bad, or where the bad ones do not matter."""
    return read_judged(paths, skip_bad=skip_bad)[0]


def left_out(*paths: Path) -> list[tuple[int, str]]:
    """Return the number and problem of each line that is skipped."""
    bad: tuple[BadLine, ...] = read_judged(paths, skip_bad=True)[1]
    return [(one.number, one.problem) for one in bad]


def known(judged: Judged, row: int) -> dict[str, float]:
    """Return the scores that a row has."""
    scores = judged.scores[row].tolist()
    return {
        model: round(score, 6)
        for model, score in zip(judged.models, scores, strict=True)
        if not np.isnan(score)
    }


def judged_table(
    scores: Any,
    *,
    prompts: Sequence[str] = (),
    datasets: Sequence[str] = (),
    tasks: Sequence[str] = (),
    groups: Sequence[str] = (),
    models: Sequence[str] = ("a", "b"),
    tokens: Any = None,
    costs: Any = None,
) -> Judged:
    """Return rows of these scores (N, M), numbered where nothing else is said of them."""
    cells = np.array(scores, dtype=np.float32).reshape(-1, len(models))
    count = len(cells)
    numbers = tuple(map(str, range(count)))

    def table(given: Any) -> Floats:
        return np.full_like(cells, np.nan) if given is None else np.array(given, np.float32)

    return Judged(
        ids=numbers,
        prompts=tuple(prompts) or numbers,
        datasets=tuple(datasets) or ("set",) * count,
        tasks=tuple(tasks) or ("task",) * count,
        groups=tuple(groups) or numbers,
        folds=np.zeros(count, dtype=np.int64),
        models=tuple(models),
        scores=cells,
        tokens=table(tokens),
        costs=table(costs),
    )
