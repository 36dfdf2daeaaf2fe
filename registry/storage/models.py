"""Queries on models."""

from __future__ import annotations

from rolecall.registry.core.entities import Model
from rolecall.registry.storage.connection import Database, Row
from rolecall.registry.storage.values import (
    from_flag,
    from_json,
    from_json_object,
    to_flag,
    to_json,
    to_json_object,
)


def read_models(db: Database) -> tuple[Model, ...]:
    """Return all models, sorted by id."""
    return tuple(
        _model(row)
        for row in db.rows(
            """
            SELECT id, family, capabilities, modalities, context_tokens, max_output_tokens,
                   parameters_b, open_weights, release_date, source, as_of, benchmarks
            FROM models ORDER BY id
            """
        )
    )


def _model(row: Row) -> Model:
    return Model(
        id=row[0],
        family=row[1],
        capabilities=from_json(row[2]),
        modalities=from_json(row[3]),
        context_tokens=row[4],
        max_output_tokens=row[5],
        parameters_b=row[6],
        open_weights=from_flag(row[7]),
        release_date=row[8],
        source=row[9],
        as_of=row[10],
        benchmarks=from_json_object(row[11]),
    )


def write_model(db: Database, model: Model) -> None:
    """Insert the model, or replace the whole record of that id."""
    db.run(
        """
        INSERT INTO models (id, family, capabilities, modalities, context_tokens,
                            max_output_tokens, parameters_b, open_weights, release_date,
                            source, as_of, benchmarks)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
            family = excluded.family,
            capabilities = excluded.capabilities,
            modalities = excluded.modalities,
            context_tokens = excluded.context_tokens,
            max_output_tokens = excluded.max_output_tokens,
            parameters_b = excluded.parameters_b,
            open_weights = excluded.open_weights,
            release_date = excluded.release_date,
            source = excluded.source,
            as_of = excluded.as_of,
            benchmarks = excluded.benchmarks
        """,
        (
            model.id,
            model.family,
            to_json(model.capabilities),
            to_json(model.modalities),
            model.context_tokens,
            model.max_output_tokens,
            model.parameters_b,
            to_flag(model.open_weights),
            model.release_date,
            model.source,
            model.as_of,
            to_json_object(model.benchmarks),
        ),
    )
