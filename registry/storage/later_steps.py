"""The statements of the later migration steps: judged rows, what is derived from them, names."""

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

NAMES = (
    "ALTER TABLE calls RENAME COLUMN held_usd TO reserved_usd",
    "ALTER TABLE endpoint_statistics RENAME COLUMN openings TO times_opened",
    "ALTER TABLE outcomes RENAME COLUMN kind TO source",
    "ALTER TABLE decisions RENAME COLUMN conversation TO conversation_id",
    "ALTER TABLE turns RENAME COLUMN conversation TO conversation_id",
    # A nested record's columns are named after it too.
    "ALTER TABLE endpoints RENAME COLUMN trains_on_data TO data_policy_trains_on_data",
    "ALTER TABLE endpoints RENAME COLUMN retention_days TO data_policy_retention_days",
    "ALTER TABLE endpoints RENAME COLUMN input_usd_per_mtok TO price_input_usd_per_mtok",
    "ALTER TABLE endpoints RENAME COLUMN output_usd_per_mtok TO price_output_usd_per_mtok",
    "ALTER TABLE endpoints RENAME COLUMN cache_read_usd_per_mtok TO price_cache_read_usd_per_mtok",
    "ALTER TABLE endpoints RENAME COLUMN cache_write_usd_per_mtok"
    " TO price_cache_write_usd_per_mtok",
    "ALTER TABLE endpoints RENAME COLUMN ttft_s TO profile_ttft_s",
    "ALTER TABLE endpoints RENAME COLUMN ttft_p95_s TO profile_ttft_p95_s",
    "ALTER TABLE endpoints RENAME COLUMN itl_s TO profile_itl_s",
    "ALTER TABLE endpoints RENAME COLUMN failure_rate TO profile_failure_rate",
    "ALTER TABLE endpoints RENAME COLUMN success TO profile_success",
    "ALTER TABLE endpoints RENAME COLUMN samples TO profile_samples",
    "ALTER TABLE strategies RENAME COLUMN trains_on_data TO data_policy_trains_on_data",
    "ALTER TABLE strategies RENAME COLUMN retention_days TO data_policy_retention_days",
    "ALTER TABLE scopes RENAME COLUMN allowance_usd TO budget_usd",
    "ALTER TABLE scopes RENAME COLUMN allowance_per TO budget_per",
    "ALTER TABLE scopes RENAME COLUMN allowance_mode TO budget_mode",
    """
    UPDATE decisions SET document = replace(
        replace(document, ',"conversation":', ',"conversation_id":'),
        '"likeness":', '"task_probability":'
    )
    """,
    # Readings are derived from judged rows, and are made again when they are next needed.
    "DELETE FROM judged_readings",
)
