from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Endpoint, Model, Price, Profile
from rolecall.registry.core.ids import new_id
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import write_record
from rolecall.registry.telemetry.record import begin_call, end_call
from tests.faults.server import FaultServer
from tests.learning.world import BEST, PROMPT, SECOND, answering, opened
from tests.telemetry.calls import call, replayed

START_UP = 20
TOKENS = 500
# Seconds to the first token, seconds a token after it; what is declared, if anything.
Speed = tuple[float, float]
EQUAL = {"p/a": (0.8, 0.02), "p/b": (0.8, 0.02)}
NEARLY_EQUAL = {"p/a": (0.8, 0.02), "p/b": (0.72, 0.018)}
SLOWER_THAN_THE_DEFAULT = dict.fromkeys(("p/a", "p/b", "p/c"), (5.0, 0.05))


def changes(chosen: Sequence[str | None]) -> list[int]:
    """Return the places at which the choice is another than before."""
    return [place for place in range(1, len(chosen)) if chosen[place] != chosen[place - 1]]


class Place:
    """Endpoints whose calls are only recorded, not made: as fast as given, 20 % more or less."""

    def __init__(self, db: Database, scorer: Scorer, speeds: dict[str, Speed], seed: int) -> None:
        self._db = db
        self._speeds = speeds
        self._random = random.Random(seed)
        self._now = datetime(2026, 11, 22, 9, tzinfo=UTC)
        self._router = Router(db, scorer=scorer, environment={}, now=lambda: self._now)

    def chosen(self, strategy: str) -> str:
        request = Request((Message("user", PROMPT),))
        decision = self._router.decide(
            request, RoutingChoices(strategy=strategy), record=False, will_call=True
        )
        assert decision.chosen is not None
        return decision.chosen

    def call(self, endpoint: str) -> None:
        begun = Call(new_id(self._now), self._now.isoformat(timespec="microseconds"), endpoint)
        begin_call(self._db, begun, ())
        ttft_s, itl_s = (speed * self._random.uniform(0.8, 1.2) for speed in self._speeds[endpoint])
        duration_s = ttft_s + itl_s * TOKENS
        self._now += timedelta(seconds=duration_s)
        ended = replace(
            begun,
            time_to_first_chunk_s=ttft_s,
            time_per_output_token_s=itl_s,
            duration_s=duration_s,
            output_tokens=TOKENS,
        )
        end_call(self._db, ended, None, now=lambda: self._now)
        self._now += timedelta(seconds=20)


@contextmanager
def place(
    path: Path, scorer: Scorer, speeds: dict[str, Speed], *, is_declared: bool, seed: int
) -> Iterator[Place]:
    with open_registry(path) as db:
        with db.transaction():
            db.run("DELETE FROM assignments")
            db.run("DELETE FROM endpoints")
            write_record(db, Model("m", capabilities=("tools", "reasoning", "json_schema")))
            for name, (ttft_s, itl_s) in speeds.items():
                profile = Profile(ttft_s=ttft_s, itl_s=itl_s) if is_declared else None
                write_record(db, Endpoint(name, "m", price=Price(0.5, 2.0), profile=profile))
        yield Place(db, scorer, speeds, seed)


@pytest.mark.parametrize("strategy", ["balanced", "fast"])
@pytest.mark.parametrize(
    ("speeds", "is_declared"),
    [
        pytest.param(EQUAL, True, id="equal"),
        pytest.param(NEARLY_EQUAL, True, id="nearly equal"),
        pytest.param(SLOWER_THAN_THE_DEFAULT, False, id="slower than the default"),
    ],
)
def test_at_constant_conditions_the_choice_stays_put_after_a_short_start_up(
    tmp_path: Path, scorer: Scorer, strategy: str, speeds: dict[str, Speed], is_declared: bool
) -> None:
    path = tmp_path / "place.db"
    with place(path, scorer, speeds, is_declared=is_declared, seed=7) as here:
        chosen = []
        for _ in range(100):
            chosen.append(here.chosen(strategy))
            here.call(chosen[-1])
    assert [at for at in changes(chosen) if at > START_UP] == []
    assert len(changes(chosen)) <= 3 * len(speeds)


@pytest.mark.parametrize(("best_s", "second_s"), [(0.03, 0.03), (0.03, 0.05)])
def test_a_hundred_real_asks_at_constant_conditions_go_to_one_endpoint(
    tmp_path: Path, scorer: Scorer, best_s: float, second_s: float
) -> None:
    jitter = random.Random(3)

    def uneven(seconds: float) -> list[float]:
        return [seconds * jitter.uniform(0.8, 1.2) for _ in range(120)]

    with (
        FaultServer() as server,
        opened(tmp_path / "world.db", scorer, server) as world,
    ):
        world = replace(world, strategy="hundredths")
        world.serve("best", *map(answering, uneven(best_s)))
        world.serve("second", *map(answering, uneven(second_s)))
        world.ask(SECOND, times=2)
        world.ask(BEST, times=2)
        chosen = [world.ask() for _ in range(100)]
    assert [at for at in changes(chosen) if at > START_UP] == []
    if best_s < second_s:
        assert chosen[-1] == BEST


def uneven_calls(ttft_s: float, *, begin: int) -> list[Call]:
    jitter = random.Random(begin)
    times = range(begin, begin + 100)
    return [call(n * 10, ttft_s=ttft_s * jitter.uniform(0.8, 1.2)) for n in times]


def medians(calls: Sequence[Call]) -> tuple[float, float]:
    stats, _ = replayed(calls)
    assert stats is not None
    assert stats.ttft_p50_s is not None
    assert stats.ttft_long_p50_s is not None
    return stats.ttft_p50_s, stats.ttft_long_p50_s


def test_uneven_calls_leave_the_medians_where_they_were() -> None:
    calls = uneven_calls(0.5, begin=0)
    [(recent, long)] = {medians(calls[:count]) for count in range(10, 101, 10)}
    assert recent == long == pytest.approx(0.5, rel=0.1)


def test_a_lasting_change_that_one_call_does_not_show_is_seen_too() -> None:
    recent, long = medians([*uneven_calls(0.5, begin=0), *uneven_calls(0.65, begin=100)])
    assert recent == long == pytest.approx(0.65, rel=0.1)
