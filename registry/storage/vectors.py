"""Queries on the encoded example utterances."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rolecall.registry.storage.connection import Database


def read_vectors(db: Database, encoder_version: str, hashes: Sequence[str]) -> dict[str, bytes]:
    """Return the stored vectors of those texts, by the texts' SHA-256; others are left out."""
    rows = db.rows(
        """
        SELECT text_sha256, vector FROM example_vectors
        WHERE encoder_version = ? AND text_sha256 IN (SELECT value FROM json_each(?))
        """,
        (encoder_version, json.dumps(list(hashes))),
    )
    return dict(rows)


def write_vectors(db: Database, encoder_version: str, vectors: Mapping[str, bytes]) -> None:
    """Store vectors by text hash, and forget those of other encoder versions.

    A text that has a vector already gets the new one: the old may be damaged.
    """
    with db.transaction():
        # Not `<>`, which would read the whole table.
        db.run(
            "DELETE FROM example_vectors WHERE encoder_version < :now OR encoder_version > :now",
            {"now": encoder_version},
        )
        db.run_many(
            """
            INSERT INTO example_vectors (encoder_version, text_sha256, vector) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET vector = excluded.vector
            """,
            ((encoder_version, text_hash, vector) for text_hash, vector in vectors.items()),
        )
