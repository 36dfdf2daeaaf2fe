"""The migration step that stores decisions in fewer bytes, with views that plain SQL can read."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from rolecall.registry.storage.connection import storable
from rolecall.registry.storage.decision_codec import FLAT, columns_of, pack

NAMES_TABLE = (
    "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "ALTER TABLE decisions ADD COLUMN candidates TEXT",
    "CREATE INDEX judged_rows_in_use ON judged_rows (is_active, id)",
)


def _figure(name: str) -> str:
    """Return the SQL of a candidate's figure: in its place, or the only one where all share it."""
    return f"""
        coalesce(
            json_extract(candidates, '$.{name}[' || place.key || ']'),
            json_extract(candidates, '$.{name}[0]')
        ) AS {name}"""


# What plain SQL shows of candidates and calls.
VIEWS = (
    f"""
    CREATE VIEW decision_candidates AS
    SELECT
        decisions.id AS decision_id,
        decisions.created_at,
        place.key + 1 AS rank,
        names.name AS endpoint,
        (
            SELECT name FROM names
            WHERE id = json_extract(candidates, '$.model[' || place.key || ']')
        ) AS model,{_figure("value_usd")},{_figure("success")},{_figure("cost_usd")},
        {_figure("ttft_s")},{_figure("itl_s")},{_figure("output_tokens")}
    FROM decisions
    JOIN json_each(decisions.candidates, '$.endpoint') AS place
    JOIN names ON names.id = place.value
    """,
    """
    CREATE VIEW calls_readable AS
    SELECT
        calls.id,
        calls.created_at,
        calls.endpoint,
        calls.request_model AS model,
        calls.task,
        decisions.role,
        decisions.strategy,
        calls.app,
        calls.user,
        CASE
            WHEN calls.error_type IS NOT NULL THEN calls.error_type
            WHEN calls.finished_at IS NULL THEN 'unfinished'
            ELSE 'ok'
        END AS result,
        calls.input_tokens,
        calls.output_tokens,
        calls.cost_usd,
        calls.time_to_first_chunk_s,
        calls.time_per_output_token_s,
        calls.duration_s,
        (
            SELECT avg(score) FROM outcomes
            WHERE outcomes.decision_id = calls.decision_id
                AND outcomes.endpoint = calls.endpoint
        ) AS score,
        calls.decision_id,
        calls.attempt,
        calls.sample_source,
        calls.detail
    FROM calls LEFT JOIN decisions ON decisions.id = calls.decision_id
    """,
)


def shorten_decisions(connection: sqlite3.Connection) -> None:
    """Store decisions kept as JSON in their shorter form; what cannot be read stays as it is."""
    numbers: dict[str, int] = {}
    stored = connection.execute("SELECT sequence FROM decisions").fetchall()
    for (sequence,) in stored:
        [text] = connection.execute(
            "SELECT document FROM decisions WHERE sequence = ?", (sequence,)
        ).fetchone()
        try:
            packed = _shorter(json.loads(text), numbers)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        connection.execute(
            "UPDATE decisions SET candidates = ?, document = ? WHERE sequence = ?",
            (*packed, sequence),
        )
    connection.executemany("INSERT INTO names (name, id) VALUES (?, ?)", numbers.items())


def _shorter(old: dict[str, Any], numbers: dict[str, int]) -> tuple[str, bytes]:
    names = old["candidate_fields"]
    places = [at for at, one in enumerate(old["excluded"]) if one.get("weighed") is not None]
    candidates = _by_field(names, old["candidates"])
    weighed = _by_field(names, [old["excluded"][at]["weighed"] for at in places])
    named = [*old["fallbacks"], *(one["endpoint"] for one in old["excluded"])]
    for each in (candidates, weighed):
        named += [*each.get("endpoint", ()), *each.get("model", ())]
    for name in named:
        numbers.setdefault(name, len(numbers) + 1)
    document = {
        key: value
        for key, value in old.items()
        if key not in (*FLAT, "candidate_fields") or storable(value) != value
    }
    document["fallbacks"] = [numbers[name] for name in old["fallbacks"]]
    document["excluded"] = [
        (numbers[one["endpoint"]], one["code"], one["detail"], *([1] if _is_outside(one) else ()))
        for one in old["excluded"]
    ]
    document["weighed_at"] = places
    return pack(document, columns_of(candidates, numbers), columns_of(weighed, numbers))


def _by_field(names: list[str], rows: list[list[Any]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True)  # the rank is told by the place
    return {name: [*one] for name, one in zip(names, columns, strict=bool(rows)) if name != "rank"}


def _is_outside(old: dict[str, Any]) -> bool:
    """Tell whether nobody asked for the endpoint; earlier documents say so by their words alone."""
    if old["code"] == "ROLE_NOT_ALLOWED":
        return bool(old["detail"].startswith("not assigned to "))
    return old["code"] == "POLICY_DENY_ENDPOINT" and "not named by --endpoint" in old["detail"]
