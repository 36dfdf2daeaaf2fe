"""Judged rows from a folder, as one table of prompts × models."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import InvalidDocument

FOLDS = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """N prompts and what M models made of them; `nan` where a model was not asked."""

    prompts: tuple[str, ...]
    datasets: tuple[str, ...]
    tasks: tuple[str, ...]
    folds: NDArray[np.int64]  # (N,)
    models: tuple[str, ...]
    scores: NDArray[np.float32]  # (N, M)
    tokens: NDArray[np.float32]  # (N, M)

    def fold(self, *numbers: int) -> NDArray[np.intp]:
        """Return the row numbers of these folds."""
        return np.flatnonzero(np.isin(self.folds, numbers))


@dataclass(slots=True)
class _Row:
    prompt: str
    dataset: str
    task: str
    fold: int
    scores: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)


def read_judged(folder: Path) -> Judged:
    """Read every `*.jsonl` and `*.jsonl.gz` of a folder, wide rows and rows per answer alike.

    A row without `fold` gets one by its `group`, else by its prompt. Model names are lowered.
    Raises `InvalidDocument` naming file and line.
    """
    paths = judged_files(folder)
    rows: dict[tuple[str, str, str], _Row] = {}
    for path in paths:
        for number, line in _lines(path):
            _add(rows, _parsed(path, number, line), path, number)
    return _table(list(rows.values()))


def judged_files(folder: Path) -> list[Path]:
    """Return the folder's judged files by name; raises `InvalidDocument` if it has none."""
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not paths:
        raise InvalidDocument(
            f"{folder}: no judged rows (*.jsonl, *.jsonl.gz) in this folder",
            hint="make train DATA=FOLDER",
        )
    return paths


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidDocument(f"{path}:{number + 1}: unreadable: {error}") from error


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InvalidDocument(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InvalidDocument(f"{path}:{number}: a judged row is a JSON object")
    return row


def _add(
    rows: dict[tuple[str, str, str], _Row], plain: dict[str, Any], path: Path, number: int
) -> None:
    prompt, dataset = _prompt(plain), str(plain.get("dataset") or path.name.partition(".")[0])
    scores, tokens = _answers(plain)
    fold = plain.get("fold", _fold(plain.get("group"), prompt))
    wrong = _wrong(prompt, scores, tokens, fold)
    if wrong:
        raise InvalidDocument(f"{path}:{number}: {wrong}")
    # Rows per answer have an id each; what joins them is the prompt.
    name = "" if "model" in plain else str(plain.get("id") or "")
    task = str(plain.get("task") or dataset)
    row = rows.setdefault((dataset, name, prompt), _Row(prompt, dataset, task, fold))
    row.scores.update({model.lower(): float(score) for model, score in scores.items()})
    row.tokens.update({model.lower(): float(count) for model, count in tokens.items()})


def _answers(plain: dict[str, Any]) -> tuple[Any, Any]:
    if "model" not in plain:
        return plain.get("scores"), plain.get("output_tokens") or {}
    model, count = str(plain["model"]), plain.get("output_tokens")
    return {model: plain.get("score")}, {} if count is None else {model: count}


def _wrong(prompt: str, scores: Any, tokens: Any, fold: Any) -> str | None:
    if not prompt:
        return "prompt: a judged row needs `prompt` or `messages` with text"
    if not isinstance(scores, dict) or not scores or not isinstance(tokens, dict):
        return "scores: expected {model: 0..1}, or `model` and `score`"
    for model, score in scores.items():
        if not _is_number(score) or not 0 <= score <= 1:
            return f"scores: {model}: expected a number from 0 to 1, got {score!r}"
    for model, count in tokens.items():
        if not _is_number(count) or count < 0:
            return f"output_tokens: {model}: expected a count, got {count!r}"
    if isinstance(fold, bool) or not isinstance(fold, int):
        return f"fold: expected a whole number, got {fold!r}"
    return None


def _prompt(plain: dict[str, Any]) -> str:
    prompt = plain.get("prompt")
    if isinstance(prompt, str):
        return prompt
    messages = plain.get("messages")
    if not isinstance(messages, list):
        return ""
    texts = [message.get("content") for message in messages if isinstance(message, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fold(group: object, prompt: str) -> int:
    name = prompt if group is None else str(group)
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % FOLDS


def _table(rows: Sequence[_Row]) -> Judged:
    models = tuple(sorted({model for row in rows for model in row.scores}))
    column = {model: index for index, model in enumerate(models)}
    scores = np.full((len(rows), len(models)), np.nan, dtype=np.float32)
    tokens = np.full_like(scores, np.nan)
    for index, row in enumerate(rows):
        for model, score in row.scores.items():
            scores[index, column[model]] = score
        for model, count in row.tokens.items():
            if model in column:
                tokens[index, column[model]] = count
    return Judged(
        prompts=tuple(row.prompt for row in rows),
        datasets=tuple(row.dataset for row in rows),
        tasks=tuple(row.task for row in rows),
        folds=np.array([row.fold for row in rows], dtype=np.int64),
        models=models,
        scores=scores,
        tokens=tokens,
    )
