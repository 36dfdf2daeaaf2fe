"""What a decision reads of what calls and outcomes have told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from rolecall.registry.core.telemetry import Call, OutcomeStatistics
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.statistics import write_outcome_statistics, write_statistics
from rolecall.registry.telemetry.availability import Availability, read_availability
from tests.telemetry.calls import START, at, call, replayed


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        yield opened


def called(db: Database, *calls: Call) -> None:
    stats, _ = replayed(calls)
    assert stats is not None
    write_statistics(db, stats)


def judged(db: Database, endpoint: str, task: str, residual: float) -> None:
    stats = OutcomeStatistics(endpoint, task, at(0), 4, 0.5, weight=4.0, residual=residual)
    write_outcome_statistics(db, stats)


def standing(db: Database, task: str = "code", *, seconds: float = 10.0) -> Availability:
    return read_availability(db, task, START + timedelta(seconds=seconds))


def failing(*seconds: float, error: str = "server_error") -> Sequence[Call]:
    return [call(one, error=error, took_s=0.1) for one in seconds]


def test_nothing_is_known_of_who_was_never_called(db: Database) -> None:
    assert standing(db) == Availability({}, {}, {})


def test_who_was_called_is_measured(db: Database) -> None:
    called(db, call(0, ttft_s=0.25), call(2, ttft_s=0.25))
    found = standing(db).measured["p/m"]
    assert (found.samples, found.ttft_p50_s, found.outcomes) == (2, 0.25, 0)
    assert found.recent_calls == pytest.approx(2, abs=0.1)
    assert (standing(db).offline, standing(db).exhausted) == ({}, {})


def test_an_open_circuit_keeps_an_endpoint_out_until_its_time(db: Database) -> None:
    called(db, *failing(0, 1, 2))
    assert standing(db).offline == {
        "p/m": "failed 3 times in a row (server_error), tried again in 7 s"
    }
    assert standing(db, seconds=20).offline == {}


def test_a_rate_limit_is_a_matter_of_quota(db: Database) -> None:
    called(db, *failing(0, error="rate_limited"))
    assert standing(db).offline == {}
    assert standing(db).exhausted == {"p/m": "rate_limited, tried again in 5 s"}


def test_outcomes_count_for_who_was_never_called_too(db: Database) -> None:
    judged(db, "p/m", "code", -2.0)
    found = standing(db).measured["p/m"]
    assert found.success_offset == pytest.approx(-0.25, abs=0.01)
    assert found.outcomes == 4
    assert (found.samples, found.ttft_p50_s) == (0, None)


def test_a_narrow_kind_leans_on_its_wider_one_and_not_on_another(db: Database) -> None:
    judged(db, "p/m", "code", -2.0)
    judged(db, "p/m", "math", 2.0)
    judged(db, "p/m", "code.edit", 0.0)
    found = standing(db, "code.edit").measured["p/m"]
    assert found.success_offset == pytest.approx(-0.125, abs=0.01)
    assert standing(db, "prose").measured == {}
