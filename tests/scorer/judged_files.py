"""Judged files as tests write and read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

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
