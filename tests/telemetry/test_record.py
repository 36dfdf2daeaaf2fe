"""A call is stored before it is sent; its end moves money and statistics in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Budget, Scope
from rolecall.registry.core.errors import BudgetExceeded
from rolecall.registry.core.telemetry import Call, EndpointStatistics, Outcome, Passage
from rolecall.registry.policy.budget import EVERYTHING, remaining
from rolecall.registry.storage.calls import CallFilter, read_call, recent_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_of_decision
from rolecall.registry.storage.spending import spent
from rolecall.registry.storage.statistics import (
    all_outcome_statistics,
    read_endpoint_statistics,
    read_samples,
    write_statistics,
)
from rolecall.registry.telemetry import record as recording
from rolecall.registry.telemetry.record import (
    CircuitOpen,
    begin_call,
    end_call,
    record_outcome,
    stays_open,
)
from tests.storage.test_decisions import DECISION
from tests.telemetry.calls import START, at, replayed

DAY = START.date().isoformat()
RESERVED_USD = 0.5
DESK = Scope(app="desk", budget=Budget(1.0, "day"))
OUTCOME = Outcome(at(0), "p/m", 0.0, "human", DECISION.id, "code.edit", predicted=0.6)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        insert_decision(opened, DECISION)
        yield opened


def begun(db: Database, seconds: float = 0.0, *scopes: Scope) -> Call:
    call = Call(f"c{seconds}", at(seconds), "p/m", app="desk", user="me", reserved_usd=RESERVED_USD)
    begin_call(db, call, scopes)
    return call


def ended(db: Database, call: Call, *, after: float = 1.0, **how: object) -> Call:
    """End a call `after` so many seconds: as a success for 0.2 USD unless said otherwise."""
    success = {"cost_usd": 0.2, "reserved_usd": None, "time_to_first_chunk_s": 0.5}
    moment = datetime.fromisoformat(call.created_at)
    end = replace(call, **(success | how))  # type: ignore[arg-type]
    return end_call(
        db, end, RESERVED_USD, now=lambda: moment + (datetime.fromisoformat(at(after)) - START)
    )


def failed(db: Database, seconds: float, error: str = "server_error", **how: object) -> Call:
    ended_so = {"error_type": error, "cost_usd": 0.0, "time_to_first_chunk_s": None}
    return ended(db, begun(db, seconds), after=0.1, **(ended_so | how))


def statistics_of(db: Database) -> EndpointStatistics:
    found = read_endpoint_statistics(db, "p/m")
    assert found is not None
    return found


def open_circuit(db: Database) -> None:
    """Let three calls fail within 2.1 seconds: the circuit is open until 17.1."""
    for seconds in range(3):
        failed(db, seconds)


def test_a_call_is_there_before_it_is_sent_with_its_worst_case_held(db: Database) -> None:
    call = begun(db)
    assert read_call(db, call.id) == call
    assert [spent(db, scope, DAY) for scope in (EVERYTHING, "app:desk", "user:me")] == [0.5] * 3
    assert read_endpoint_statistics(db, "p/m") is None


def test_its_end_gives_back_what_was_held_for_what_was_spent(db: Database) -> None:
    call = ended(db, begun(db))
    assert read_call(db, call.id) == call
    assert call.finished_at == at(1)
    assert [round(spent(db, scope, DAY), 9) for scope in (EVERYTHING, "app:desk")] == [0.2] * 2


def test_an_unknown_cost_leaves_its_estimate_held(db: Database) -> None:
    ended(db, begun(db), cost_usd=None, reserved_usd=0.3, error_type="stream_cut")
    assert spent(db, EVERYTHING, DAY) == pytest.approx(0.3)


def test_a_call_is_booked_on_the_day_on_which_it_was_begun(db: Database) -> None:
    call = begun(db, 15 * 3600 - 1)
    assert ended(db, call, after=2).finished_at == "2026-11-23T00:00:01.000000+00:00"
    assert spent(db, EVERYTHING, "2026-11-23") == 0.0
    assert spent(db, EVERYTHING, DAY) == pytest.approx(0.2)


def test_statistics_and_samples_follow_each_end(db: Database) -> None:
    calls = [ended(db, begun(db, n * 10), time_to_first_chunk_s=0.1 * n) for n in range(1, 4)]
    assert (read_endpoint_statistics(db, "p/m"), read_samples(db, "p/m")) == replayed(calls)


def test_a_call_ends_only_once(db: Database) -> None:
    call = begun(db)
    first = ended(db, call)
    ended(db, call, after=9, cost_usd=0.4)
    assert read_call(db, call.id) == first
    assert spent(db, EVERYTHING, DAY) == pytest.approx(0.2)
    stats = read_endpoint_statistics(db, "p/m")
    assert stats is not None
    assert stats.calls == 1


def test_an_end_that_cannot_be_stored_whole_is_not_stored_at_all(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = begun(db)

    def refuse(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(recording, "add_spending", refuse)
        with pytest.raises(OSError):  # noqa: PT011  # it is this test's own
            ended(db, call)
    assert read_call(db, call.id) == call
    assert read_endpoint_statistics(db, "p/m") is None
    assert spent(db, EVERYTHING, DAY) == 0.5
    assert ended(db, call).finished_at == at(1)


def test_what_one_call_holds_another_cannot_spend(db: Database) -> None:
    begun(db, 0, DESK)
    begun(db, 1, DESK)
    with pytest.raises(BudgetExceeded, match=r"^p/m may cost more than is left: \$0 of \$1 a day"):
        begun(db, 2, DESK)
    assert len(recent_calls(db, CallFilter())) == 2
    assert spent(db, "app:desk", DAY) == 1.0


def test_an_advisory_budget_stops_no_call(db: Database) -> None:
    advisory = replace(DESK, budget=Budget(0.1, "day", "advisory"))
    assert begun(db, 0, advisory).id


def test_the_budget_of_others_stops_no_call(db: Database) -> None:
    assert begun(db, 0, Scope(app="other", budget=Budget(0.1))).id


def test_an_open_circuit_refuses_calls_and_nothing_is_stored(db: Database) -> None:
    open_circuit(db)
    with pytest.raises(CircuitOpen, match=r"^p/m failed 3 times in a row \(server_error\), tried"):
        begun(db, 10)
    assert len(recent_calls(db, CallFilter())) == 3
    assert spent(db, EVERYTHING, DAY) == 0.0


def test_a_circuit_that_only_a_wrong_clock_can_have_set_lets_calls_pass(db: Database) -> None:
    open_circuit(db)
    stats = statistics_of(db)
    write_statistics(db, replace(stats, open_until="2099-01-01T00:00:00.000000+00:00"))
    assert not stays_open(db, "p/m", datetime.fromisoformat(at(10)))
    assert begun(db, 10).id


def test_the_last_passes_a_circuit_that_is_our_guess_and_none_that_a_server_asked_for(
    db: Database,
) -> None:
    open_circuit(db)
    call = Call("forced", at(5), "p/m")
    begin_call(db, call, (), Passage(is_last=True))
    stats = statistics_of(db)
    write_statistics(db, replace(stats, asked_s=15.0, opened_because="rate_limited"))
    with pytest.raises(CircuitOpen) as refused:
        begin_call(db, replace(call, id="again"), (), Passage(is_last=True))
    assert refused.value.wait_s > 0


def test_a_circuit_that_one_key_opened_lets_another_pass(db: Database) -> None:
    open_circuit(db)
    stats = statistics_of(db)
    write_statistics(db, replace(stats, refused_key="abcdef"))
    call = Call("new", at(5), "p/m")
    with pytest.raises(CircuitOpen):
        begin_call(db, call, (), Passage(key_mark="abcdef"))
    begin_call(db, call, (), Passage(key_mark="012345"))


def test_after_its_rest_one_call_tries_it_and_the_others_wait(db: Database) -> None:
    open_circuit(db)
    trial = begun(db, 20)
    with pytest.raises(CircuitOpen, match="being tried now"):
        begun(db, 21)
    ended(db, trial)
    assert begun(db, 22).id


def test_a_trial_that_nobody_ends_is_given_up_after_a_while(db: Database) -> None:
    open_circuit(db)
    begun(db, 20)
    with pytest.raises(CircuitOpen):
        begun(db, 199)
    assert begun(db, 201).id


def test_an_interrupted_trial_leaves_the_next_one_to_try(db: Database) -> None:
    open_circuit(db)
    ended(db, begun(db, 20), cost_usd=None, reserved_usd=0.1, error_type="interrupted")
    assert begun(db, 22).id
    with pytest.raises(CircuitOpen):
        begun(db, 23)


def test_a_circuit_stays_open_until_its_time(db: Database) -> None:
    assert not stays_open(db, "p/m", START)
    open_circuit(db)
    assert stays_open(db, "p/m", datetime.fromisoformat(at(17)))
    assert not stays_open(db, "p/m", datetime.fromisoformat(at(18)))


def test_an_outcome_counts_for_its_kind_and_every_wider_one(db: Database) -> None:
    record_outcome(db, OUTCOME)
    found = all_outcome_statistics(db)
    assert list(found) == [("p/m", "code"), ("p/m", "code.edit")]
    assert {one.residual for one in found.values()} == {-0.6}


def test_a_second_word_takes_the_place_of_the_first(db: Database) -> None:
    record_outcome(db, replace(OUTCOME, decision_id=None, score=0.6))
    record_outcome(db, OUTCOME)
    record_outcome(db, replace(OUTCOME, score=1.0, created_at=at(9)))
    assert [one.score for one in outcomes_of_decision(db, DECISION.id)] == [1.0]
    wide, narrow = all_outcome_statistics(db).values()
    assert (wide.outcomes, narrow.outcomes) == (2, 2)
    assert wide.residual == narrow.residual == pytest.approx(0.4)


def test_a_check_leaves_a_persons_word_alone(db: Database) -> None:
    record_outcome(db, OUTCOME)
    record_outcome(db, replace(OUTCOME, source="check", score=1.0))
    record_outcome(db, replace(OUTCOME, source="check", score=1.0))
    assert len(outcomes_of_decision(db, DECISION.id)) == 3


def test_an_outcome_of_no_kind_is_counted_by_itself(db: Database) -> None:
    record_outcome(db, replace(OUTCOME, task=None))
    assert list(all_outcome_statistics(db)) == [("p/m", "")]


def test_what_a_killed_process_held_leaves_the_budget_with_its_day(db: Database) -> None:
    killed = begun(db, 0.0, DESK)
    assert spent(db, "app:desk", DAY) == RESERVED_USD
    tomorrow = START + timedelta(days=1)
    for budget, left_usd in ((Budget(1.0, "day"), 1.0), (Budget(1.0, "month"), 0.5)):
        [left] = remaining(db, (replace(DESK, budget=budget),), "desk", None, tomorrow)
        assert left.left_usd == left_usd
    assert read_call(db, killed.id).reserved_usd == RESERVED_USD
