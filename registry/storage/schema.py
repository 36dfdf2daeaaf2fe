"""The registry's tables as ordered migration steps; shipped steps are never edited."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from rolecall.registry.storage.conversations import CONVERSATIONS, keep_older_terms
from rolecall.registry.storage.later_steps import (
    CIRCUITS,
    FITTED_MODELS,
    JUDGED_ROWS,
    LEARNING,
    NAMES,
    PRICES,
    UNREACHED_AND_EDITS,
    WORTH,
)
from rolecall.registry.storage.short_decisions import NAMES_TABLE, VIEWS, shorten_decisions

steps = Migrations("rolecall")


def _execute_all(db: Database, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


@steps()
def m001_registry(db: Database) -> None:
    """Hold what people edit: models, endpoints, roles, tasks, strategies, scopes."""
    _execute_all(db, _REGISTRY)


@steps()
def m002_decisions(db: Database) -> None:
    """Hold every decision with all that explains it."""
    _execute_all(db, _DECISIONS)


@steps()
def m003_evidence(db: Database) -> None:
    """Hold calls as they happened and how good their answers were."""
    _execute_all(db, _EVIDENCE)


@steps()
def m004_example_vectors(db: Database) -> None:
    """Keep encoded example utterances, so that each text is encoded once."""
    _execute_all(db, _EXAMPLE_VECTORS)


@steps()
def m005_learning(db: Database) -> None:
    """Keep what calls and outcomes add up to, what was spent, and conversations."""
    _execute_all(db, LEARNING)


@steps()
def m006_fitted_models(db: Database) -> None:
    """Keep what judged rows say of models that the scorer was not trained on."""
    _execute_all(db, FITTED_MODELS)


@steps()
def m007_worth(db: Database) -> None:
    """Keep what is at stake in each role and kind of task."""
    _execute_all(db, WORTH)


@steps()
def m008_effort_and_benchmarks(db: Database) -> None:
    """Keep how much an endpoint's model is asked to think, and scores known to the user."""
    # A word or a number: a column without a type keeps either as it is.
    db.execute("ALTER TABLE endpoints ADD COLUMN reasoning_effort")
    db.execute("ALTER TABLE models ADD COLUMN benchmarks TEXT NOT NULL DEFAULT '{}'")


@steps()
def m009_judged_rows(db: Database) -> None:
    """Keep the user's judged rows, and what is derived from them for one scorer version."""
    _execute_all(db, JUDGED_ROWS)


@steps()
def m010_names(db: Database) -> None:
    """Name columns and stored fields as the rest of rolecall does."""
    _execute_all(db, NAMES)


@steps()
def m011_short_decisions(db: Database) -> None:
    """Store decisions in a quarter of the bytes, with views that show them by SQL alone."""
    _execute_all(db, NAMES_TABLE)
    shorten_decisions(db.conn)
    _execute_all(db, VIEWS)


@steps()
def m012_max_input_tokens(db: Database) -> None:
    """Keep how long the input alone of a model may be."""
    db.execute("ALTER TABLE models ADD COLUMN max_input_tokens INTEGER")


@steps()
def m013_prices(db: Database) -> None:
    """Keep a price's tiers and what is priced apart, and how many such tokens a call used."""
    _execute_all(db, PRICES)


@steps()
def m014_conversations(db: Database) -> None:
    """Keep whose each conversation is, and under what policies it was held."""
    _execute_all(db, CONVERSATIONS)
    keep_older_terms(db.conn)


@steps()
def m015_circuits(db: Database) -> None:
    """Keep when and why a circuit opened, and which key a server refused."""
    _execute_all(db, CIRCUITS)


@steps()
def m016_unreached_and_edits(db: Database) -> None:
    """Keep the latest changes of records, and where nobody answered a moment ago."""
    _execute_all(db, UNREACHED_AND_EDITS)


@steps()
def m017_else(db: Database) -> None:
    """Keep what a strategy does where nobody reaches its success floor."""
    db.execute("ALTER TABLE strategies ADD COLUMN else_ TEXT CHECK (else_ = 'best')")


_REGISTRY = (
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value
    ) WITHOUT ROWID
    """,
    "INSERT INTO meta (key, value) VALUES ('revision', 0)",
    """
    CREATE TABLE models (
        id TEXT PRIMARY KEY,
        family TEXT,
        capabilities TEXT NOT NULL,
        modalities TEXT NOT NULL,
        context_tokens INTEGER,
        max_output_tokens INTEGER,
        parameters_b REAL,
        open_weights INTEGER,
        release_date TEXT,
        source TEXT,
        as_of TEXT
    )
    """,
    """
    CREATE TABLE endpoints (
        id TEXT PRIMARY KEY,
        model TEXT NOT NULL REFERENCES models (id) ON UPDATE CASCADE ON DELETE RESTRICT,
        api TEXT NOT NULL,
        base_url TEXT NOT NULL,
        remote_model TEXT NOT NULL,
        key_env TEXT,
        locality TEXT NOT NULL,
        region TEXT,
        trains_on_data INTEGER,
        retention_days INTEGER,
        quantization TEXT,
        context_tokens INTEGER,
        max_output_tokens INTEGER,
        unsupported_parameters TEXT NOT NULL,
        input_usd_per_mtok REAL,
        output_usd_per_mtok REAL,
        cache_read_usd_per_mtok REAL,
        cache_write_usd_per_mtok REAL,
        price_source TEXT,
        price_as_of TEXT,
        ttft_s REAL,
        ttft_p95_s REAL,
        itl_s REAL,
        failure_rate REAL,
        success TEXT NOT NULL,
        samples INTEGER,
        profile_as_of TEXT,
        status TEXT NOT NULL
    )
    """,
    "CREATE INDEX endpoints_by_model ON endpoints (model)",
    """
    CREATE TABLE strategies (
        id TEXT PRIMARY KEY,
        description TEXT NOT NULL,
        quality_usd REAL NOT NULL,
        ttft_usd_per_s REAL NOT NULL,
        itl_usd_per_s REAL NOT NULL,
        tie_band_usd REAL NOT NULL,
        prefer_locality TEXT,
        min_success REAL,
        max_cost_usd REAL,
        max_ttft_s REAL,
        max_duration_s REAL,
        local_only INTEGER NOT NULL,
        regions TEXT NOT NULL,
        trains_on_data INTEGER,
        retention_days INTEGER,
        allow TEXT NOT NULL,
        deny TEXT NOT NULL,
        budget_mode TEXT NOT NULL,
        log_prompts INTEGER NOT NULL,
        default_ttft_s REAL NOT NULL,
        default_itl_s REAL NOT NULL,
        default_failure_rate REAL NOT NULL,
        default_input_usd_per_mtok REAL NOT NULL,
        default_output_usd_per_mtok REAL NOT NULL
    )
    """,
    """
    CREATE TABLE roles (
        id TEXT PRIMARY KEY,
        description TEXT NOT NULL,
        tasks TEXT NOT NULL,
        require TEXT NOT NULL,
        prefer TEXT NOT NULL,
        forbid TEXT NOT NULL,
        strategy TEXT REFERENCES strategies (id) ON UPDATE CASCADE ON DELETE RESTRICT,
        examples TEXT NOT NULL
    )
    """,
    "CREATE INDEX roles_by_strategy ON roles (strategy)",
    """
    CREATE TABLE assignments (
        role TEXT NOT NULL REFERENCES roles (id) ON UPDATE CASCADE ON DELETE CASCADE,
        endpoint TEXT NOT NULL REFERENCES endpoints (id) ON UPDATE CASCADE ON DELETE RESTRICT,
        position INTEGER NOT NULL,
        status TEXT NOT NULL,
        tasks TEXT NOT NULL,
        capabilities TEXT NOT NULL,
        PRIMARY KEY (role, endpoint)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX assignments_by_endpoint ON assignments (endpoint)",
    """
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        description TEXT NOT NULL,
        require TEXT NOT NULL,
        prefer TEXT NOT NULL,
        examples TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE task_roles (
        task TEXT NOT NULL REFERENCES tasks (id) ON UPDATE CASCADE ON DELETE CASCADE,
        role TEXT NOT NULL REFERENCES roles (id) ON UPDATE CASCADE ON DELETE RESTRICT,
        position INTEGER NOT NULL,
        PRIMARY KEY (task, role)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX task_roles_by_role ON task_roles (role)",
    """
    CREATE TABLE scopes (
        id TEXT PRIMARY KEY,
        app TEXT,
        user TEXT,
        strategy TEXT REFERENCES strategies (id) ON UPDATE CASCADE ON DELETE RESTRICT,
        allowance_usd REAL,
        allowance_per TEXT,
        allowance_mode TEXT,
        log_prompts INTEGER,
        CHECK ((app IS NULL) <> (user IS NULL))
    )
    """,
    "CREATE INDEX scopes_by_strategy ON scopes (strategy)",
)

_DECISIONS = (
    """
    CREATE TABLE decisions (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        prompt TEXT,
        prompt_sha256 TEXT NOT NULL,
        task_kind TEXT NOT NULL,
        role TEXT,
        strategy TEXT NOT NULL,
        app TEXT,
        user TEXT,
        conversation TEXT,
        chosen TEXT,
        runner_up TEXT,
        margin_usd REAL,
        registry_revision INTEGER NOT NULL,
        scorer_version TEXT NOT NULL,
        elapsed_ms REAL NOT NULL,
        document TEXT NOT NULL
    )
    """,
    """
    CREATE INDEX decisions_by_conversation ON decisions (conversation, sequence)
    WHERE conversation IS NOT NULL AND chosen IS NOT NULL
    """,
)

_EVIDENCE = (
    """
    CREATE TABLE calls (
        id TEXT PRIMARY KEY,
        created_at TEXT NOT NULL,
        decision_id TEXT REFERENCES decisions (id) ON DELETE SET NULL,
        attempt INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        operation_name TEXT,
        provider_name TEXT,
        request_model TEXT,
        response_model TEXT,
        response_id TEXT,
        finish_reasons TEXT,
        conversation_id TEXT,
        input_tokens INTEGER,
        output_tokens INTEGER,
        cache_read_input_tokens INTEGER,
        cache_write_input_tokens INTEGER,
        reasoning_output_tokens INTEGER,
        time_to_first_chunk_s REAL,
        time_per_output_token_s REAL,
        duration_s REAL,
        error_type TEXT,
        server_address TEXT,
        sample_source TEXT NOT NULL,
        cost_usd REAL,
        price_source TEXT
    )
    """,
    "CREATE INDEX calls_by_decision ON calls (decision_id)",
    "CREATE INDEX calls_by_endpoint ON calls (endpoint, created_at)",
    """
    CREATE TABLE outcomes (
        id INTEGER PRIMARY KEY,
        created_at TEXT NOT NULL,
        decision_id TEXT REFERENCES decisions (id) ON DELETE SET NULL,
        endpoint TEXT NOT NULL,
        task TEXT,
        score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
        kind TEXT NOT NULL CHECK (kind IN ('human', 'judge', 'check')),
        note TEXT
    )
    """,
    "CREATE INDEX outcomes_by_decision ON outcomes (decision_id)",
    "CREATE INDEX outcomes_by_endpoint ON outcomes (endpoint, task)",
)

_EXAMPLE_VECTORS = (
    """
    CREATE TABLE example_vectors (
        encoder_version TEXT NOT NULL,
        text_sha256 TEXT NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (encoder_version, text_sha256)
    ) WITHOUT ROWID
    """,
)
