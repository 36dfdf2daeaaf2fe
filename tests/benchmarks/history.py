"""What a long history costs: a decision, recording a call, and the disk, pruned and not."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rolecall.registry.core.ids import new_id
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.core.telemetry import Call, EndpointStatistics
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.statistics import write_statistics
from rolecall.registry.telemetry.query import prune_evidence
from rolecall.registry.telemetry.record import begin_call, end_call
from tests.benchmarks.warm import ALL_KEYS, ASKED, only_endpoints

HISTORIES = (0, 5_000_000)
ENDPOINTS = 100


def report(histories: tuple[int, ...] = HISTORIES, rounds: int = 200) -> None:
    """Print medians at each length of history, and the ratio to none."""
    scorer = Scorer.load()
    print(f"warm process, {ENDPOINTS} endpoints, all measured, median milliseconds of {rounds}")
    print(f"{'calls':>12} {'decide':>8} {'record':>8}   / none")
    none: tuple[float, float] | None = None
    for count in histories:
        with tempfile.TemporaryDirectory() as folder, open_registry(Path(folder, "r.db")) as db:
            only_endpoints(db, ENDPOINTS)
            _measure_all(db)
            _fill_calls(db, count)
            router = Router(db, scorer=scorer, environment=ALL_KEYS)
            decide = _median_ms(
                lambda: router.decide(ASKED, RoutingChoices(), record=False),  # noqa: B023
                rounds,
            )
            record = _median_ms(lambda: _record(db), rounds)
        none = none or (decide, record)
        ratios = f"{decide / none[0]:.2f} {record / none[1]:.2f}"
        print(f"{count:>12,} {decide:8.2f} {record:8.2f}   {ratios}")


def report_disk(count: int = 100_000) -> None:
    """Print what decisions take on the disk, and what a prune leaves of it."""
    with tempfile.TemporaryDirectory() as folder, open_registry(Path(folder, "r.db")) as db:
        only_endpoints(db, 13)
        router = Router(db, scorer=Scorer.load(), environment=ALL_KEYS)
        router.decide(ASKED, RoutingChoices())
        empty = _megabytes(db)
        db.run(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO decisions (id, created_at, prompt, prompt_sha256, task_kind, strategy, role,
                chosen, runner_up, margin_usd, registry_revision, scorer_version, elapsed_ms,
                candidates, document)
            SELECT printf('old%013d', i), created_at, prompt, prompt_sha256, task_kind, strategy,
                role, chosen, runner_up, margin_usd, registry_revision, scorer_version, elapsed_ms,
                candidates, document
            FROM n, (SELECT * FROM decisions LIMIT 1)
            """,
            (count,),
        )
        full, started = _megabytes(db), time.perf_counter()
        prune_evidence(db, datetime.now(UTC))
        seconds, left = time.perf_counter() - started, _megabytes(db)
    print(f"{count:,} decisions among 13 endpoints: {(full - empty) / count * 1e6:.0f} bytes each")
    print(f"on disk {full:.1f} MB, pruned in {seconds:.1f} s to {left:.1f} MB (empty {empty:.1f})")


def _megabytes(db: Database) -> float:
    db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in db.path.parent.iterdir()) / 1e6


def _measure_all(db: Database) -> None:
    """Give every endpoint the statistics that a long life leaves."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    known = EndpointStatistics(
        "", now, 50_000, 120, recent_calls=40.0, recent_failures=0.5, samples=49_880, sampled_at=now
    )
    known = replace(known, ttft_p50_s=0.6, ttft_long_p50_s=0.7, ttft_p95_s=1.9)
    known = replace(known, itl_p50_s=0.02, itl_long_p50_s=0.02, itl_p95_s=0.04)
    with db.transaction():
        for number in range(ENDPOINTS):
            write_statistics(db, replace(known, endpoint=f"bench/bench-{number}"))


def _fill_calls(db: Database, count: int) -> None:
    with db.transaction():
        db.run(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO calls (id, created_at, finished_at, attempt, endpoint, operation_name,
                request_model, input_tokens, output_tokens, time_to_first_chunk_s,
                time_per_output_token_s, duration_s, sample_source, cost_usd, task)
            SELECT printf('old%013d', i), datetime(1700000000 + i * 12, 'unixepoch'),
                datetime(1700000002 + i * 12, 'unixepoch'), 1,
                'bench/bench-' || (i % 100), 'chat', 'bench', 900, 300, 0.6, 0.02, 6.6, 'live',
                0.004, 'code'
            FROM n WHERE ?1 > 0
            """,
            (count,),
        )
    # What the disk still has to take in would slow down what is timed next.
    db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    os.sync()


def _record(db: Database) -> None:
    """Record one call as `ask` does: before it is sent, and when it has ended."""
    now = datetime.now(UTC)
    call = Call(
        new_id(now), now.isoformat(timespec="microseconds"), "bench/bench-7", reserved_usd=0.01
    )
    begin_call(db, call, ())
    ended = replace(
        call, duration_s=1.0, time_to_first_chunk_s=0.6, cost_usd=0.004, reserved_usd=None
    )
    end_call(db, ended, 0.01)


def _median_ms(action: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    report((0, int(sys.argv[1])) if len(sys.argv) > 1 else HISTORIES)
    report_disk()
