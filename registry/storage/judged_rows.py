"""Queries on the user's judged rows, and on what is derived from them for one scorer version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.storage.connection import Database, Row


def read_judged_rows(db: Database, *, active: bool = True) -> tuple[JudgedRow, ...]:
    """Return the rows that fits learn from, or those kept without being used; sorted by id."""
    rows = db.rows(
        """
        SELECT prompt, task, group_id, answers, added_at, source
        FROM judged_rows WHERE is_active = ? ORDER BY id
        """,
        (int(active),),
    )
    return tuple(_judged_row(row) for row in rows)


def has_judged_rows(db: Database) -> bool:
    """Return whether there are rows that fits learn from."""
    return bool(db.rows("SELECT 1 FROM judged_rows WHERE is_active = 1 LIMIT 1"))


def write_judged_row(db: Database, row: JudgedRow, *, active: bool = True) -> None:
    """Insert the row, or replace the one of the same prompt; what was derived is void then."""
    with db.transaction():
        db.run(
            """
            INSERT OR REPLACE INTO judged_rows
                (id, is_active, prompt, task, group_id, answers, added_at, source)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                row.id,
                int(active),
                row.prompt,
                row.task,
                row.group,
                json.dumps([_packed(one) for one in row.answers], ensure_ascii=False),
                row.added_at,
                row.source,
            ),
        )
        forget_fits(db)


def replace_judged_rows(db: Database, rows: Iterable[JudgedRow], *, active: bool = True) -> None:
    """Let these be all rows of that state. Grows the revision."""
    with db.transaction():
        db.run("DELETE FROM judged_rows WHERE is_active = ?", (int(active),))
        for row in rows:
            write_judged_row(db, row, active=active)
        forget_fits(db)
        db.touch()


def read_fits(db: Database, scorer_version: str) -> bytes | None:
    """Return the fits derived for a version of the scorer; null where there are none yet."""
    found = db.rows("SELECT content FROM fits WHERE scorer_version = ?", (scorer_version,))
    return found[0][0] if found else None


def write_fits(db: Database, scorer_version: str, content: bytes) -> None:
    """Keep the fits of a version of the scorer, in place of all earlier ones."""
    with db.transaction():
        forget_fits(db)
        db.run(
            "INSERT INTO fits (scorer_version, content) VALUES (?, ?)", (scorer_version, content)
        )


def forget_fits(db: Database) -> None:
    """Forget what was derived from the rows; it is derived again where it is needed."""
    db.run("DELETE FROM fits")


def read_readings(db: Database, scorer_version: str) -> dict[str, bytes]:
    """Return what a version of the scorer read of judged prompts, by the rows' ids."""
    return dict(
        db.rows(
            "SELECT id, content FROM judged_readings WHERE scorer_version = ?", (scorer_version,)
        )
    )


def write_readings(db: Database, scorer_version: str, readings: Mapping[str, bytes]) -> None:
    """Add readings of a version of the scorer; those of others, and of rows gone, are dropped."""
    with db.transaction():
        db.run_many(
            "INSERT OR REPLACE INTO judged_readings (scorer_version, id, content) VALUES (?, ?, ?)",
            ((scorer_version, key, content) for key, content in readings.items()),
        )
        db.run(
            """
            DELETE FROM judged_readings
            WHERE scorer_version <> ? OR id NOT IN (SELECT id FROM judged_rows)
            """,
            (scorer_version,),
        )


def uses_fits(db: Database) -> bool:
    """Return whether predictions rest on the user's rows where there are any."""
    return bool(db.rows("SELECT value FROM meta WHERE key = 'uses_fits' AND value = 1"))


def set_uses_fits(db: Database, claim: bool) -> None:
    """Switch fits on or off. Grows the revision."""
    with db.transaction():
        db.run("UPDATE meta SET value = ? WHERE key = 'uses_fits'", (int(claim),))
        db.touch()


def _packed(answer: JudgedAnswer) -> list[str | float | int | None]:
    return [answer.model, answer.score, answer.samples, answer.output_tokens]


def _judged_row(row: Row) -> JudgedRow:
    prompt, task, group, answers, added_at, source = row
    return JudgedRow(
        prompt=prompt,
        task=task,
        group=group,
        answers=tuple(JudgedAnswer(*one) for one in json.loads(answers)),
        added_at=added_at,
        source=source,
    )
