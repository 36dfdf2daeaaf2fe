"""Decisions in one warm process: what deciding adds to reading the prompt."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rolecall.registry.core.entities import Endpoint, Model, Price
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import write_record

POOLS = (10, 100, 1_000)
HISTORIES = (1, 1_000_000)
ASKED = Request((Message("user", "Explain why quicksort degrades to O(n^2) on sorted input."),))
ALL_KEYS = {"BENCH_KEY": "placeholder"}


def report(rounds: int = 200) -> None:
    """Print the medians over pools of several sizes, and over histories of several lengths."""
    scorer = Scorer.load()
    print(f"warm process, median milliseconds of {rounds} (read: encoding alone)")
    print(
        f"{'pool':>9} {'stored':>10} {'read':>7} {'decide':>8} {'beyond read':>12} {'+ store':>8}"
    )
    for pool, stored in [*((size, 1) for size in POOLS), *((100, n) for n in HISTORIES)]:
        with tempfile.TemporaryDirectory() as folder, open_registry(Path(folder, "r.db")) as db:
            only_endpoints(db, pool)
            router = Router(db, scorer=scorer, environment=ALL_KEYS)
            _fill_history(db, router, stored)
            _print_row(pool, stored, router, scorer, rounds)


def _print_row(pool: int, stored: int, router: Router, scorer: Scorer, rounds: int) -> None:
    text = ASKED.messages[0].text
    read = _median_ms(lambda: scorer.read(text), rounds)
    decide = _median_ms(lambda: router.decide(ASKED, RoutingChoices(), record=False), rounds)
    store = _median_ms(lambda: router.decide(ASKED, RoutingChoices(conversation_id="c")), rounds)
    print(
        f"{pool:>9,} {stored:>10,} {read:7.2f} {decide:8.2f} {decide - read:8.2f}"
        f" {store - decide:8.2f}"
    )


def _median_ms(action: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def only_endpoints(db: Database, count: int) -> None:
    """Make the pool exactly `count` endpoints of as many models, all of them eligible."""
    with db.transaction():
        db.run("UPDATE endpoints SET status = 'disabled'")
        db.run("DELETE FROM assignments")
        db.run("DELETE FROM endpoints")
        for number in range(count):
            model = Model(
                f"bench-{number}",
                capabilities=("tools", "reasoning", "json_schema"),
                context_tokens=128_000,
                parameters_b=1.0 + number % 400,
                release_date="2025-06-01",
            )
            write_record(db, model)
            write_record(db, _endpoint(model, 0.1 + number % 30))


def _endpoint(model: Model, output_price: float) -> Endpoint:
    price = Price(output_price / 4, output_price, source="bench")
    return Endpoint(f"bench/{model.id}", model.id, key_env="BENCH_KEY", price=price)


def _fill_history(db: Database, router: Router, count: int) -> None:
    """Store one real decision and copy it `count` - 1 times under other ids."""
    router.decide(ASKED, RoutingChoices(conversation_id="c"))
    with db.transaction():
        db.run(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO decisions (id, created_at, prompt_sha256, task_kind, role, strategy,
                conversation_id, chosen, registry_revision, scorer_version, elapsed_ms, document)
            SELECT printf('copy%012d', i), created_at, prompt_sha256, task_kind, role, strategy,
                'c' || (i % 1000), chosen, registry_revision, scorer_version, elapsed_ms, '{}'
            FROM n, (SELECT * FROM decisions LIMIT 1) WHERE i < ?1
            """,
            (count,),
        )


if __name__ == "__main__":
    report()
