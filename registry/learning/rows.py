"""The user's judged rows: files become rows, new rows add to the old, rows are forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isnan

from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.scorer.data import Judged


def rows_of(
    judged: Judged, models: Mapping[str, str], *, source: str, added_at: str
) -> tuple[JudgedRow, ...]:
    """Return what files say of `models`, by the names there, as rows under the names wanted.

    Several answers of a model to one prompt are samples: their mean counts as so many rows.
    """
    columns = [(judged.models.index(name), model) for name, model in models.items()]
    scores, tokens = judged.scores.tolist(), judged.tokens.tolist()
    made: dict[str, JudgedRow] = {}
    for number, prompt in enumerate(judged.prompts):
        answers = [
            JudgedAnswer(model, scores[number][column], 1, _known(tokens[number][column]))
            for column, model in columns
            if not isnan(scores[number][column])
        ]
        if not answers:
            continue
        row = JudgedRow(
            # Half a character pair, as a broken file may hold, is no text to a database.
            prompt=prompt.encode("utf-8", "replace").decode(),
            task=judged.tasks[number],
            group=judged.groups[number],
            added_at=added_at,
            source=source,
        )
        if row.group == row.id:
            row = replace(row, group=None)
        earlier = made.get(row.id, row)
        made[row.id] = replace(earlier, answers=_pooled((*earlier.answers, *answers)))
    return tuple(made.values())


def merged(old: Iterable[JudgedRow], new: Iterable[JudgedRow]) -> tuple[JudgedRow, ...]:
    """Return old and new rows as one; of one prompt and model the newer answer counts."""
    rows = {row.id: row for row in old}
    for row in new:
        before = rows.get(row.id)
        if before is not None:
            answers = {one.model: one for one in (*before.answers, *row.answers)}
            row = replace(row, group=row.group or before.group, answers=tuple(answers.values()))
        rows[row.id] = row
    return tuple(rows[key] for key in sorted(rows))


def without_models(rows: Iterable[JudgedRow], models: Iterable[str]) -> tuple[JudgedRow, ...]:
    """Return the rows without these models' answers, and without rows that have no other."""
    gone = set(models)
    kept = (
        replace(row, answers=tuple(one for one in row.answers if one.model not in gone))
        for row in rows
    )
    return tuple(row for row in kept if row.answers)


def counts(rows: Iterable[JudgedRow]) -> dict[str, int]:
    """Return how many rows judge each model, by name."""
    return dict(sorted(Counter(one.model for row in rows for one in row.answers).items()))


def _pooled(answers: Sequence[JudgedAnswer]) -> tuple[JudgedAnswer, ...]:
    """Return one answer for each model, the mean of its samples."""
    by_model: dict[str, list[JudgedAnswer]] = {}
    for one in answers:
        by_model.setdefault(one.model, []).append(one)
    return tuple(_mean(model, samples) for model, samples in by_model.items())


def _mean(model: str, answers: Sequence[JudgedAnswer]) -> JudgedAnswer:
    if len(answers) == 1:
        return answers[0]
    count = sum(one.samples for one in answers)
    told = [one for one in answers if one.output_tokens is not None]
    tokens = sum((one.output_tokens or 0.0) * one.samples for one in told)
    return JudgedAnswer(
        model=model,
        score=sum(one.score * one.samples for one in answers) / count,
        samples=count,
        output_tokens=tokens / sum(one.samples for one in told) if told else None,
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
