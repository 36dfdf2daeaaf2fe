"""The tables of judged rows and of what is derived from them."""

from __future__ import annotations

FITTED_MODELS = (
    """
    CREATE TABLE fitted_models (
        scorer_version TEXT NOT NULL,
        model TEXT NOT NULL,
        mean BLOB NOT NULL,
        covariance BLOB NOT NULL,
        tokens BLOB,
        rows INTEGER NOT NULL,
        tasks TEXT NOT NULL,
        fitted_at TEXT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (scorer_version, model)
    )
    """,
)

JUDGED_ROWS = (
    "DROP TABLE fitted_models",  # fits of earlier scorers, without the rows that they came from
    "INSERT INTO meta (key, value) VALUES ('uses_fits', 1)",
    """
    CREATE TABLE judged_rows (
        id TEXT NOT NULL,
        is_active INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        task TEXT NOT NULL,
        group_id TEXT,
        answers TEXT NOT NULL,
        added_at TEXT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (id, is_active)
    )
    """,
    """
    CREATE TABLE judged_readings (
        scorer_version TEXT NOT NULL,
        id TEXT NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (scorer_version, id)
    )
    """,
    """
    CREATE TABLE fits (
        scorer_version TEXT PRIMARY KEY,
        content BLOB NOT NULL
    )
    """,
)
