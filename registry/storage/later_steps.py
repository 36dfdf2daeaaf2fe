"""The statements of the later migration steps: what is learned, judged rows, names."""

from __future__ import annotations

LEARNING = (
    "ALTER TABLE endpoints ADD COLUMN key_command TEXT",
    "ALTER TABLE calls ADD COLUMN task TEXT",
    "ALTER TABLE calls ADD COLUMN app TEXT",
    "ALTER TABLE calls ADD COLUMN user TEXT",
    "ALTER TABLE calls ADD COLUMN region TEXT",
    "ALTER TABLE calls ADD COLUMN finished_at TEXT",
    "ALTER TABLE calls ADD COLUMN held_usd REAL",
    "ALTER TABLE calls ADD COLUMN detail TEXT",
    "ALTER TABLE calls ADD COLUMN status_code INTEGER",
    "ALTER TABLE calls ADD COLUMN retry_after_s REAL",
    "ALTER TABLE calls ADD COLUMN load_duration_s REAL",
    "CREATE INDEX calls_by_time ON calls (created_at)",
    "ALTER TABLE outcomes ADD COLUMN predicted REAL",
    """
    CREATE TABLE endpoint_statistics (
        endpoint TEXT PRIMARY KEY,
        updated_at TEXT NOT NULL,
        calls INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        errors TEXT NOT NULL,
        recent_calls REAL NOT NULL,
        recent_failures REAL NOT NULL,
        samples INTEGER NOT NULL,
        sampled_at TEXT,
        ttft_p50_s REAL,
        ttft_p95_s REAL,
        ttft_long_p50_s REAL,
        itl_p50_s REAL,
        itl_p95_s REAL,
        itl_long_p50_s REAL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cost_usd REAL NOT NULL,
        unpriced INTEGER NOT NULL,
        consecutive_failures INTEGER NOT NULL,
        openings INTEGER NOT NULL,
        open_until TEXT,
        opened_because TEXT,
        trial_until TEXT
    )
    """,
    """
    CREATE TABLE endpoint_samples (
        endpoint TEXT PRIMARY KEY,
        samples TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE outcome_statistics (
        endpoint TEXT NOT NULL,
        task TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        outcomes INTEGER NOT NULL,
        mean_score REAL NOT NULL,
        weight REAL NOT NULL,
        residual REAL NOT NULL,
        PRIMARY KEY (endpoint, task)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE spending (
        scope TEXT NOT NULL,
        day TEXT NOT NULL,
        usd REAL NOT NULL,
        PRIMARY KEY (scope, day)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE turns (
        id INTEGER PRIMARY KEY,
        conversation TEXT NOT NULL,
        created_at TEXT NOT NULL,
        decision_id TEXT REFERENCES decisions (id) ON DELETE SET NULL,
        turn TEXT NOT NULL
    )
    """,
    "CREATE INDEX turns_by_conversation ON turns (conversation, id)",
    "CREATE INDEX turns_by_decision ON turns (decision_id)",
)

WORTH = (
    "ALTER TABLE roles ADD COLUMN worth REAL CHECK (worth > 0)",
    "ALTER TABLE tasks ADD COLUMN worth REAL CHECK (worth > 0)",
)

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

PRICES = (
    "ALTER TABLE endpoints ADD COLUMN price_cache_write_1h_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_input_audio_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_output_audio_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_reasoning_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_batch_input_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_batch_output_usd_per_mtok REAL",
    "ALTER TABLE endpoints ADD COLUMN price_tiers TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE calls ADD COLUMN cache_write_1h_input_tokens INTEGER",
    "ALTER TABLE calls ADD COLUMN audio_input_tokens INTEGER",
    "ALTER TABLE calls ADD COLUMN audio_output_tokens INTEGER",
)
CIRCUITS = (
    "ALTER TABLE endpoint_statistics ADD COLUMN opened_at TEXT",
    "ALTER TABLE endpoint_statistics ADD COLUMN opened_status INTEGER",
    "ALTER TABLE endpoint_statistics ADD COLUMN asked_s REAL",
    "ALTER TABLE endpoint_statistics ADD COLUMN refused_key TEXT",
)
UNREACHED_AND_EDITS = (
    """
    CREATE TABLE edits (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        what TEXT NOT NULL,
        before TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE unreached (
        address TEXT PRIMARY KEY,
        at TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
