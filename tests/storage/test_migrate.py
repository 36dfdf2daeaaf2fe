"""An older registry is brought up to date, and kept beside itself."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from rolecall.registry.core.entities import (
    Budget,
    Endpoint,
    Model,
    Price,
    PriceTier,
    Role,
    Strategy,
)
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.core.telemetry import Call, EndpointStatistics, Outcome
from rolecall.registry.storage import schema
from rolecall.registry.storage.calls import CallFilter, recent_calls
from rolecall.registry.storage.connection import APPLICATION_ID
from rolecall.registry.storage.decisions import read_decision
from rolecall.registry.storage.judged_rows import uses_fits
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.storage.registry import read_registry, write_record
from rolecall.registry.storage.spending import spent
from rolecall.registry.storage.statistics import read_statistics
from rolecall.registry.storage.turns import read_turns

STEPS = {int(step.name[1:4]): step.name for step in schema.steps._migrations}
VERSIONS = sorted(STEPS)[:-1]


def old_file(path: Path, version: int) -> None:
    """Write a registry as the rolecall of schema `version` left it, with two records."""
    following = min(number for number in STEPS if number > version)
    connection = sqlite3.connect(path, isolation_level=None)
    old = sqlite_utils.Database(connection)
    schema.steps.apply(old, stop_before=STEPS[following])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT INTO models (id, capabilities, modalities) VALUES ('m', '[]', '[]')")
    connection.execute(
        "INSERT INTO roles (id, description, tasks, require, prefer, forbid, examples)"
        " VALUES ('r', 'old', '[\"code\"]', '[]', '[]', '[]', '[]')"
    )
    connection.close()


# What people and calls had written by schema 4, where no row was ever to be lost.
EVIDENCE = (
    "INSERT INTO endpoints (id, model, api, base_url, remote_model, key_env, locality,"
    " unsupported_parameters, success, status)"
    " VALUES ('a/m', 'm', 'openai', 'https://a', 'm', 'A_KEY', 'remote', '[]', '{}', 'active')",
    "INSERT INTO decisions (sequence, id, created_at, prompt, prompt_sha256, task_kind, strategy,"
    " chosen, registry_revision, scorer_version, elapsed_ms, document)"
    " VALUES (7, 'd', '2026-11-22T10:00:00.000+00:00', 'why?', 'ab', 'code', 'balanced', 'a/m', 3,"
    " 's1', 9.5, '{}')",
    "INSERT INTO calls (id, created_at, decision_id, attempt, endpoint, operation_name,"
    " finish_reasons, input_tokens, duration_s, sample_source, cost_usd)"
    " VALUES ('c', '2026-11-22T10:00:00.000+00:00', 'd', 2, 'a/m', 'chat', '[\"stop\"]', 12, 0.5,"
    " 'live', 0.001)",
    "INSERT INTO outcomes (id, created_at, decision_id, endpoint, task, score, kind, note)"
    " VALUES (4, '2026-11-22T10:05:00.000+00:00', 'd', 'a/m', 'code', 0.5, 'human', 'so-so')",
)
AT = "2026-11-22T10:00:00.000+00:00"
ENDPOINT = Endpoint(
    "a/m", "m", base_url="https://a", remote_model="m", key_env="A_KEY", locality="remote"
)
CALL = Call(
    "c",
    AT,
    "a/m",
    attempt=2,
    decision_id="d",
    finish_reasons=("stop",),
    input_tokens=12,
    duration_s=0.5,
    cost_usd=0.001,
)
OUTCOME = Outcome("2026-11-22T10:05:00.000+00:00", "a/m", 0.5, "human", "d", "code", note="so-so")


def schema_of(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_registry_becomes_a_current_one_and_keeps_its_rows(
    tmp_path: Path, version: int
) -> None:
    path, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    old_file(path, version)
    open_database(fresh).close()
    with open_database(path) as db:
        pool = read_registry(db)
    assert schema_of(path) == schema_of(fresh)
    assert pool.models == (Model("m", modalities=()),)
    assert pool.roles == (Role("r", description="old", tasks=("code",)),)


@pytest.mark.parametrize("version", range(4, 10))
def test_a_registry_with_evidence_keeps_every_row_and_takes_what_came_later(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "old.db"
    old_file(path, version)
    connection = sqlite3.connect(path)
    with connection:
        for statement in EVIDENCE:
            connection.execute(statement)
    connection.close()
    row = JudgedRow("why?", "code", None, (JudgedAnswer("m", 0.5),), "2026-11-30", "a.jsonl")
    with open_database(path) as db:
        pool = read_registry(db)
        assert recent_calls(db, CallFilter()) == (CALL,)
        assert outcomes_of_decision(db, "d") == (OUTCOME,)
        assert (read_statistics(db), spent(db, "all", "")) == ({}, 0.0)
        assert (pool.endpoints, pool.models[0].benchmarks) == ((ENDPOINT,), ())
        assert pool.models[0].max_input_tokens is None
        assert (pool.roles[0].worth, uses_fits(db)) == (None, True)
        later = (
            replace(ENDPOINT, reasoning_effort=8_192),
            replace(
                pool.models[0], benchmarks=(("swe", 0.7), ("aime", 0.9)), max_input_tokens=272_000
            ),
            replace(pool.roles[0], worth=4.0),
            Strategy("s", min_success=0.5, else_="best"),
            row,
        )
        for record in later:
            write_record(db, record)
        pool = read_registry(db, with_judged_rows=True)
    found = (*pool.endpoints, *pool.models, *pool.roles, *pool.strategies, *pool.judged_rows)
    assert found == later


def test_statistics_of_circuits_keep_their_rows_and_know_of_no_refused_key(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old_file(path, 11)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO endpoint_statistics (endpoint, updated_at, calls, failed, errors,"
            " recent_calls, recent_failures, samples, input_tokens, output_tokens, cost_usd,"
            " unpriced, consecutive_failures, times_opened, open_until, opened_because)"
            " VALUES ('a/m', ?, 9, 3, '{\"auth\": 3}', 5, 3, 6, 70, 80, 0.5, 0, 3, 1, ?, 'auth')",
            (AT, AT),
        )
    connection.close()
    with open_database(path) as db:
        assert read_statistics(db)["a/m"] == EndpointStatistics(
            "a/m",
            AT,
            calls=9,
            failed=3,
            errors=(("auth", 3),),
            recent_calls=5,
            recent_failures=3,
            samples=6,
            input_tokens=70,
            output_tokens=80,
            cost_usd=0.5,
            consecutive_failures=3,
            times_opened=1,
            open_until=AT,
            opened_because="auth",
        )


def test_a_file_of_schema_11_keeps_its_prices_and_takes_tiers(tmp_path: Path) -> None:
    path = tmp_path / "eleven.db"
    old_file(path, 11)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO endpoints (id, model, api, base_url, remote_model, locality,"
            " unsupported_parameters, profile_success, status, price_input_usd_per_mtok,"
            " price_output_usd_per_mtok, price_cache_read_usd_per_mtok,"
            " price_cache_write_usd_per_mtok, price_source, price_as_of)"
            " VALUES ('a/m', 'm', 'openai', 'https://a', 'm', 'remote', '[]', '{}', 'active',"
            " 2, 12, 0.2, 2.5, 'mine', '2026-11-01')"
        )
        connection.execute(
            "INSERT INTO calls (id, created_at, attempt, endpoint, sample_source, cost_usd,"
            " input_tokens, cache_write_input_tokens)"
            f" VALUES ('c', '{AT}', 1, 'a/m', 'live', 0.25, 100, 40)"
        )
    connection.close()
    price = Price(2.0, 12.0, 0.2, 2.5, source="mine", as_of="2026-11-01")
    with open_database(path) as db:
        [endpoint] = read_registry(db).endpoints
        [call] = recent_calls(db, CallFilter())
        assert endpoint.price == price
        assert (call.cost_usd, call.cache_write_input_tokens) == (0.25, 40)
        assert (call.cache_write_1h_input_tokens, call.audio_input_tokens) == (None, None)
        tiers = (PriceTier(200_000, 4.0, 18.0, input_audio_usd_per_mtok=5.0), PriceTier(400_000))
        priced = replace(endpoint, price=replace(price, tiers=tiers, batch_output_usd_per_mtok=6.0))
        write_record(db, priced)
        assert read_registry(db).endpoints == (priced,)


def test_the_older_file_is_kept_beside_the_migrated_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = schema_of(path)
    open_database(path).close()
    [backup] = tmp_path.glob("registry.db.backup-v1-*")
    assert schema_of(backup) == before
    assert backup.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(backup)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT id FROM models").fetchall() == [("m",)]
    connection.close()


def test_a_current_registry_is_not_backed_up_again(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    open_database(path).close()
    open_database(path).close()
    assert len(list(tmp_path.glob("*.backup-*"))) == 1


def test_who_may_not_create_a_registry_may_not_migrate_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = path.read_bytes()
    with pytest.raises(RegistryUnusable, match="was written by an older rolecall"):
        open_database(path, create=False)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup-*"))


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    before = path.read_bytes()
    monkeypatch.setattr(schema, "_EVIDENCE", ("CREATE TABLE decisions (id)",))
    with pytest.raises(RegistryUnusable, match="cannot be used: table decisions already exists"):
        open_database(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup-*"))


def test_the_first_content_of_a_new_registry_is_not_written_to_an_older_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 2)
    with open_database(path, fill=lambda db: write_record(db, Model("seeded"))) as db:
        assert [model.id for model in read_registry(db).models] == ["m"]


def test_references_are_enforced_after_a_migration(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    old_file(path, 1)
    with open_database(path) as db, pytest.raises(sqlite3.IntegrityError):
        write_record(db, Endpoint("e", "nowhere"))


def test_a_file_of_schema_9_keeps_all_its_rows_under_the_new_names(tmp_path: Path) -> None:
    path, fresh = tmp_path / "nine.db", tmp_path / "fresh.db"
    connection = sqlite3.connect(path)
    connection.executescript(Path(__file__).with_name("registry_9.sql").read_text("utf-8"))
    tables = [name for name, sql in schema_of(path) if sql and sql.startswith("CREATE TABLE")]
    derived = ("judged_readings", "example_vectors", "_sqlite_migrations")
    counts = [f"SELECT count(*) FROM {name}" for name in tables if name not in derived]
    before = [connection.execute(sql).fetchone() for sql in counts]
    documents = [
        json.loads(text)
        for (text,) in connection.execute("SELECT document FROM decisions ORDER BY sequence")
    ]
    held = connection.execute("SELECT id, held_usd, cost_usd FROM calls ORDER BY id").fetchall()
    connection.close()
    assert (0,) not in before
    open_database(fresh).close()
    with open_database(path) as db:
        assert [db.rows(sql)[0] for sql in counts] == before
        assert db.rows("SELECT id, reserved_usd, cost_usd FROM calls ORDER BY id") == held
        ids = [name for (name,) in db.rows("SELECT id FROM decisions ORDER BY sequence")]
        decisions = [read_decision(db, name) for name in ids]
        [scope] = read_registry(db).scopes
        outcomes = [one for name in ids for one in outcomes_of_decision(db, name)]
        assert len(read_turns(db, str(decisions[0].conversation_id))) == 4
    assert schema_of(path) == schema_of(fresh)
    assert scope.budget == Budget(20.0, "day", "hard")
    assert [one.source for one in outcomes] == ["check", "human"]
    assert decisions[1].conversation_id == decisions[0].conversation_id is not None
    said = re.compile("not assigned to |not named by ")
    for decision, document in zip(decisions, documents, strict=True):
        assert holds(decision, told_by(document))
        nobody_asked = [one.detail for one in decision.excluded if one.is_outside]
        details = [one.detail for one in decision.excluded]
        assert nobody_asked == [one for one in details if said.match(one)]
    assert sum(len(decision.candidates) for decision in decisions) > 1


def told_by(document: dict[str, Any]) -> Any:
    """Return what a document of schema 9 tells, by the names of today."""
    fields = document.pop("candidate_fields")
    document["candidates"] = [
        {name: one for name, one in zip(fields, values, strict=True) if name != "rank"}
        for values in document["candidates"]
    ]
    text = json.dumps(document).replace('"likeness":', '"task_probability":')
    return json.loads(text.replace('"conversation":', '"conversation_id":'))


def holds(now: Any, told: Any) -> bool:
    if isinstance(told, dict):
        return all(holds(getattr(now, name), one) for name, one in told.items())
    if isinstance(told, list):
        return len(now) == len(told) and all(map(holds, now, told))
    return bool(now == told)
