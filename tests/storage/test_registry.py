"""Reading and writing the registry's records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from rolecall.registry.core.entities import (
    Assignment,
    Budget,
    Collection,
    DataPolicy,
    Endpoint,
    Model,
    Price,
    Profile,
    Record,
    Registry,
    Role,
    Scope,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.telemetry import (
    Call,
    EndpointStatistics,
    Outcome,
    OutcomeStatistics,
    Sample,
)
from rolecall.registry.storage.calls import CallFilter, insert_call, recent_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import insert_outcome, outcomes_for
from rolecall.registry.storage.registry import (
    delete_record,
    names,
    read_collection,
    read_registry,
    read_revision,
    rename_record,
    write_record,
)
from rolecall.registry.storage.statistics import (
    all_outcome_statistics,
    read_samples,
    read_statistics,
    write_outcome_statistics,
    write_samples,
    write_statistics,
)

MODEL = Model("m", capabilities=("tools",), open_weights=True, parameters_b=8.2)
ENDPOINT = Endpoint(
    "e",
    "m",
    key_command="pass e",
    price=Price(3.0, 15.0),
    profile=Profile(success=(("code", 0.8),)),
)
STRATEGY = Strategy("s", data_policy=DataPolicy(False, 0), min_success=0.5)
ROLE = Role("r", strategy="s", worth=4.0, assignments=(Assignment("e", "inactive", ("code",)),))
TASK = TaskKind("t", roles=("r",), worth=0.25, examples=("one", "two"))
SCOPE = Scope(user="u", strategy="s", budget=Budget(5.0, "week"))
RECORDS: tuple[Record, ...] = (MODEL, ENDPOINT, STRATEGY, ROLE, TASK, SCOPE)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        for record in RECORDS:
            write_record(opened, record)
        yield opened


def test_a_registry_holds_every_record_at_one_revision(db: Database) -> None:
    expected = Registry(6, (MODEL,), (ENDPOINT,), (ROLE,), (TASK,), (STRATEGY,), (SCOPE,))
    assert repr(read_registry(db)) == repr(expected)  # in which 1 is not true


def test_a_pool_is_read_at_one_moment_though_others_write(db: Database) -> None:
    with open_database(db.path) as other:

        def interfere(sql: str) -> None:
            if "FROM models" in sql:
                write_record(other, Scope(app="late"))

        db.connection.set_trace_callback(interfere)
        pool = read_registry(db)
        db.connection.set_trace_callback(None)
    assert (pool.revision, pool.scopes) == (6, (SCOPE,))
    assert (read_registry(db).revision, len(read_registry(db).scopes)) == (7, 2)


@pytest.mark.parametrize("collection", get_args(Collection))
def test_each_collection_can_be_read_and_named_alone(db: Database, collection: Collection) -> None:
    records = read_collection(db, collection)
    assert records == getattr(read_registry(db), collection)
    assert names(db, collection) == tuple(record.id for record in records)


def test_writing_replaces_the_whole_record(db: Database) -> None:
    write_record(db, Role("r", description="bare"))
    assert read_registry(db).roles == (Role("r", description="bare"),)


def test_assignments_keep_their_order(db: Database) -> None:
    for name in ("a", "z"):
        write_record(db, Endpoint(name, "m"))
    role = Role("r", assignments=(Assignment("z"), Assignment("e"), Assignment("a")))
    write_record(db, role)
    assert read_registry(db).roles == (role,)


@pytest.mark.parametrize(
    ("collection", "record_id"),
    [("models", "m"), ("endpoints", "e"), ("strategies", "s"), ("roles", "r")],
)
def test_what_others_refer_to_cannot_be_deleted(
    db: Database, collection: Collection, record_id: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        delete_record(db, collection, record_id)
    assert names(db, collection) == (record_id,)


def test_deleting_says_whether_the_record_was_there(db: Database) -> None:
    before = read_revision(db)
    assert delete_record(db, "scopes", "user:u")
    assert not delete_record(db, "scopes", "user:u")
    assert read_revision(db) == before + 1


def test_references_follow_a_record_that_is_renamed(db: Database) -> None:
    for collection, record_id in (
        ("models", "m"),
        ("endpoints", "e"),
        ("strategies", "s"),
        ("roles", "r"),
    ):
        rename_record(db, collection, record_id, f"{record_id}-renamed")  # type: ignore[arg-type]
    pool = read_registry(db)
    assert pool.endpoints[0].model == "m-renamed"
    assert pool.roles[0].assignments[0].endpoint == "e-renamed"
    assert pool.roles[0].strategy == pool.scopes[0].strategy == "s-renamed"
    assert pool.tasks[0].roles == ("r-renamed",)


def test_evidence_follows_an_endpoint_that_is_renamed(db: Database) -> None:
    now = "2026-11-22T10:00:00.000+00:00"
    for name in ("e", "gone"):
        insert_call(db, Call(f"c-{name}", now, name))
        insert_outcome(db, Outcome(now, name, 0.5, "human", task="t"))
        write_statistics(db, EndpointStatistics(name, now, calls=len(name)))
        write_samples(db, name, (Sample(now, float(len(name)), None),))
        write_outcome_statistics(db, OutcomeStatistics(name, "t", now, outcomes=len(name)))
    before = read_revision(db)
    rename_record(db, "endpoints", "e", "gone")
    assert read_revision(db) == before + 1
    assert {call.endpoint for call in recent_calls(db, CallFilter())} == {"gone"}
    assert len(outcomes_for(db, "gone", "t")) == 2
    assert {name: one.calls for name, one in read_statistics(db).items()} == {"gone": 1}
    assert read_samples(db, "e") == ()
    assert read_samples(db, "gone") == (Sample(now, 1.0, None),)
    assert [one.outcomes for one in all_outcome_statistics(db).values()] == [1]


def test_evidence_of_an_endpoint_is_not_moved_by_another_records_name(db: Database) -> None:
    write_record(db, Model("e"))
    insert_call(db, Call("c", "2026-11-22T10:00:00.000+00:00", "e"))
    rename_record(db, "models", "e", "f")
    assert recent_calls(db, CallFilter())[0].endpoint == "e"


def test_a_price_or_profile_that_says_nothing_is_read_as_unknown(db: Database) -> None:
    write_record(db, Endpoint("e", "m", price=Price(), profile=Profile()))
    assert read_registry(db).endpoints == (Endpoint("e", "m"),)


def test_a_price_of_nothing_is_not_an_unknown_price(db: Database) -> None:
    free = Endpoint("e", "m", price=Price(0.0, 0.0))
    write_record(db, free)
    assert read_registry(db).endpoints == (free,)
