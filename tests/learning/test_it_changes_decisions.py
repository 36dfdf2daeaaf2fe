from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.registry.routing.decision_json import describe_decision, why_chosen
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.telemetry.feedback import give_feedback
from tests.conftest import Rolecall
from tests.faults.server import FaultServer
from tests.learning.world import BEST, SECOND, World, answering, opened

FAST, SLOW = answering(0.02), answering(0.45)
DOWN = answering(fault="server_error")
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(answering()) as server:
        yield server


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, scorer: Scorer, server: FaultServer) -> Path:
    """Make a registry in which BEST was asked for a while and is known to be the faster."""
    path = tmp_path_factory.mktemp("warm") / "registry.db"
    with opened(path, scorer, server) as world:
        world.serve("best", FAST)
        world.serve("second", answering(0.15))
        world.ask(SECOND, times=3)
        world.ask(BEST, times=12)
        assert world.chosen() == BEST
    return path


@pytest.fixture
def world(tmp_path: Path, scorer: Scorer, server: FaultServer, warm: Path) -> Iterator[World]:
    """Return a world of its own to each test, where BEST is chosen."""
    path = tmp_path / "world.db"
    shutil.copy(warm, path)
    with opened(path, scorer, server) as world:
        world.serve("best", FAST)
        world.serve("second", answering(0.15))
        yield world


def test_a_slow_endpoint_loses_its_place_within_five_calls(world: World) -> None:
    world.serve("best", SLOW)
    assert 2 <= world.asks_until(SECOND, most=5) <= 5
    assert world.candidate(BEST).ttft_s > 0.3


def test_one_slow_answer_does_not_cost_the_place(world: World) -> None:
    world.serve("best", SLOW, FAST)
    world.ask()
    assert world.chosen() == BEST


def test_a_slow_endpoint_wins_its_place_back_with_time_once_it_has_healed(world: World) -> None:
    world.serve("best", SLOW)
    world.asks_until(SECOND, most=5)
    world.serve("best", FAST)
    assert world.ask() == SECOND
    world.clock.let_pass(2 * HOUR_S)
    assert world.ask(times=3) == BEST
    assert world.chosen() == BEST


def test_a_slow_endpoint_that_has_not_healed_loses_it_again_at_once(world: World) -> None:
    world.serve("best", SLOW)
    world.asks_until(SECOND, most=5)
    world.clock.let_pass(2 * HOUR_S)
    assert world.asks_until(SECOND, most=1) == 1


def test_a_probe_shows_that_an_endpoint_that_was_always_slow_has_healed(
    tmp_path: Path, scorer: Scorer, server: FaultServer
) -> None:
    with opened(tmp_path / "new.db", scorer, server) as world:
        world.serve("best", SLOW)
        world.serve("second", answering(0.15))
        world.ask(BEST, times=4)
        world.ask(SECOND, times=3)
        world.clock.let_pass(4 * HOUR_S)
        assert world.chosen() == SECOND
        world.serve("best", FAST)
        world.probe(BEST)
        assert world.chosen() == BEST


def test_a_failing_endpoint_loses_its_place_within_three_asks(world: World) -> None:
    world.serve("best", DOWN)
    assert world.asks_until(SECOND, most=3) <= 3
    assert world.excluded() == {BEST: "PROVIDER_OFFLINE"}


def test_each_ask_of_a_failing_endpoint_is_answered_by_the_other(world: World) -> None:
    world.serve("best", answering(fault="close"))
    assert [world.ask() for _ in range(4)] == [SECOND] * 4


def test_a_failing_endpoint_is_tried_again_and_wins_its_place_back(world: World) -> None:
    world.serve("best", DOWN)
    world.asks_until(SECOND, most=3)
    world.serve("best", FAST)
    world.clock.let_pass(10)
    assert world.ask() == SECOND
    world.clock.let_pass(10)
    assert world.ask(times=3) == BEST
    assert (world.chosen(), world.excluded()) == (BEST, {})


def test_a_trial_that_fails_keeps_it_out_for_longer(world: World) -> None:
    world.serve("best", DOWN)
    world.asks_until(SECOND, most=3)
    world.clock.let_pass(20)
    before = len(world.server.received("best"))
    assert world.ask() == SECOND
    assert len(world.server.received("best")) == before + 1
    world.clock.let_pass(20)
    assert world.excluded() == {BEST: "PROVIDER_OFFLINE"}
    world.clock.let_pass(20)
    assert world.chosen() == BEST


def test_a_probe_ends_an_outage_before_its_time(world: World) -> None:
    world.serve("best", DOWN)
    world.asks_until(SECOND, most=3)
    world.serve("best", FAST)
    world.probe(BEST)
    assert world.chosen() == BEST


def test_a_rate_limited_endpoint_is_out_at_once_for_as_long_as_it_asks(world: World) -> None:
    world.serve("best", answering(fault="rate_limit", after="40"), FAST)
    assert world.ask() == SECOND
    assert world.excluded() == {BEST: "QUOTA_EXHAUSTED"}
    world.clock.let_pass(35)
    assert world.chosen() == SECOND
    world.clock.let_pass(10)
    assert world.ask(times=2) == BEST


def test_a_rate_limited_endpoint_that_says_no_time_is_out_for_a_while(world: World) -> None:
    world.serve("best", answering(fault="rate_limit"), FAST)
    assert world.ask() == SECOND
    assert world.excluded() == {BEST: "QUOTA_EXHAUSTED"}
    world.clock.let_pass(16)
    assert world.ask(times=2) == BEST


def test_a_short_rate_limit_is_waited_for(world: World) -> None:
    world.serve("best", answering(fault="rate_limit", after="1"), FAST)
    assert world.ask() == BEST
    assert world.chosen() == BEST


def mark(world: World, score: float, *, times: int) -> None:
    for _ in range(times):
        world.ask(BEST)
        give_feedback(world.db, world.decisions[-1], score, None)


def test_three_bad_marks_cost_the_place_and_good_ones_win_it_back(world: World) -> None:
    mark(world, 0.0, times=3)
    assert world.chosen() == SECOND
    mark(world, 1.0, times=40)  # each says little more than was predicted
    assert world.chosen() == BEST


def test_bad_marks_are_forgotten_with_time(world: World) -> None:
    mark(world, 0.0, times=3)
    assert world.chosen() == SECOND
    world.clock.let_pass(120 * DAY_S)
    world.ask(SECOND, times=3)
    world.ask(BEST, times=3)
    assert world.chosen() == BEST


def test_expected_cost_rises_with_failures(world: World) -> None:
    costs = [world.candidate(BEST).cost_usd]
    for _ in range(4):
        world.serve("best", DOWN, FAST)  # the first try fails, the second does not
        assert world.ask(BEST) == BEST
        costs.append(world.candidate(BEST).cost_usd)
    assert costs == sorted(costs)
    assert costs[-1] > costs[0] * 1.1
    assert dict(world.candidate(BEST).sources)["failure_rate"] == "measured"


def test_what_is_measured_is_said_with_the_number_of_calls(
    world: World, rolecall: Rolecall
) -> None:
    decision = world.decided()
    described = describe_decision(decision)["candidates"][0]
    assert described["samples"] == 12
    assert {described["sources"][name] for name in ("ttft_s", "itl_s", "failure_rate")} == {
        "measured"
    }
    assert "MEASURED_PROFILE_USED" in decision.reasons
    assert "measured on 12 calls" in why_chosen(decision)
    world.ask()  # records the decision that `explain` shows
    shown = rolecall("explain", "--json", "--registry", world.db.path)
    assert json.loads(shown.stdout)["candidates"][0]["samples"] == 12
    assert "measured on 12 calls" in rolecall("explain", "--registry", world.db.path).stdout
