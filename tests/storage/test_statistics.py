"""What calls and outcomes add up to is stored as it is, and a trial is claimed once."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.core.telemetry import EndpointStatistics, OutcomeStatistics, Sample
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_revision
from rolecall.registry.storage.statistics import (
    all_outcome_statistics,
    claim_trial,
    read_endpoint_statistics,
    read_outcome_statistics,
    read_samples,
    read_statistics,
    write_outcome_statistics,
    write_samples,
    write_statistics,
)

BARE = EndpointStatistics("a/x", "2026-11-22T10:00:00.000+00:00")
FULL = EndpointStatistics(
    endpoint="b/y",
    updated_at="2026-11-22T10:00:00.000+00:00",
    calls=12,
    failed=3,
    errors=(("rate_limited", 2), ("auth", 1)),
    recent_calls=7.25,
    recent_failures=1.5,
    samples=9,
    sampled_at="2026-11-22T09:59:00.000+00:00",
    ttft_p50_s=0.5,
    ttft_p95_s=2.0,
    ttft_long_p50_s=0.6,
    itl_p50_s=0.02,
    itl_p95_s=0.05,
    itl_long_p50_s=0.03,
    input_tokens=1200,
    output_tokens=340,
    cost_usd=0.0125,
    unpriced=3,
    consecutive_failures=2,
    times_opened=1,
    open_until="2026-11-22T10:01:00.000+00:00",
    opened_because="rate_limited",
    trial_until=None,
)
CODE = OutcomeStatistics("a/x", "code", "2026-11-22T10:00:00.000+00:00", 4, 0.75, 3.5, -0.25)


def at(second: int) -> str:
    return f"2026-11-22T10:00:{second:02}.000+00:00"


def test_statistics_read_back_exactly(db: Database) -> None:
    write_statistics(db, FULL)
    write_statistics(db, BARE)
    assert read_statistics(db) == {"a/x": BARE, "b/y": FULL}
    assert read_endpoint_statistics(db, "b/y") == FULL
    assert read_endpoint_statistics(db, "c/z") is None


def test_writing_statistics_replaces_them_and_does_not_change_the_registry(db: Database) -> None:
    write_statistics(db, FULL)
    write_statistics(db, replace(BARE, endpoint="b/y"))
    assert read_statistics(db) == {"b/y": replace(BARE, endpoint="b/y")}
    assert read_revision(db) == 0


def test_samples_read_back_exactly_and_are_kept_compactly(db: Database) -> None:
    samples = (Sample(at(1), 0.5, 0.02), Sample(at(2), 0.25, None, 0.5), Sample(at(3), None, None))
    assert read_samples(db, "a/x") == ()
    write_samples(db, "a/x", (Sample(at(0), 9.0, 9.0),))
    write_samples(db, "a/x", samples)
    write_samples(db, "b/y", samples[:1])
    assert read_samples(db, "a/x") == samples
    [(text,)] = db.rows("SELECT samples FROM endpoint_samples WHERE endpoint = 'b/y'")
    assert text == f'[["{at(1)}",0.5,0.02,1.0]]'


@pytest.mark.parametrize(
    ("open_until", "trial_until", "is_ours"),
    [
        (None, None, False),
        (at(11), None, False),
        (at(10), None, True),
        (at(9), None, True),
        (at(9), at(11), False),
        (at(9), at(10), True),
    ],
    ids=["closed", "still rests", "rested just now", "rested", "someone tries", "their time is up"],
)
def test_a_trial_is_for_an_open_circuit_that_has_rested_and_nobody_tries(
    db: Database, open_until: str | None, trial_until: str | None, is_ours: bool
) -> None:
    before = replace(BARE, open_until=open_until, trial_until=trial_until)
    write_statistics(db, before)
    assert claim_trial(db, "a/x", at(10), at(40)) is is_ours
    after = replace(before, trial_until=at(40)) if is_ours else before
    assert read_endpoint_statistics(db, "a/x") == after


def test_an_endpoint_that_was_never_called_has_no_trial(db: Database) -> None:
    assert not claim_trial(db, "a/x", at(10), at(40))


def claim(path: Path, start: object, won: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    with open_database(path) as db:
        if claim_trial(db, "a/x", at(10), at(40)):
            won.put(1)  # type: ignore[attr-defined]


def test_one_of_many_processes_gets_the_trial(db: Database) -> None:
    write_statistics(db, replace(BARE, open_until=at(5)))
    context = multiprocessing.get_context("fork")
    start, won = context.Barrier(4), context.Queue()
    claimants = [context.Process(target=claim, args=(db.path, start, won)) for _ in range(4)]
    for claimant in claimants:
        claimant.start()
    for claimant in claimants:
        claimant.join(60)
    assert [claimant.exitcode for claimant in claimants] == [0] * 4
    assert won.get(timeout=5) == 1
    assert won.empty()


def test_outcome_statistics_are_read_for_the_kinds_of_task_that_are_asked_for(
    db: Database,
) -> None:
    edit, maths = replace(CODE, task="code.edit"), replace(CODE, endpoint="b/y", task="math")
    for one in (maths, edit, CODE):
        write_outcome_statistics(db, one)
    assert read_outcome_statistics(db, ["code"]) == {("a/x", "code"): CODE}
    assert read_outcome_statistics(db, ("math", "code.edit", "cod", "%")) == {
        ("b/y", "math"): maths,
        ("a/x", "code.edit"): edit,
    }
    assert read_outcome_statistics(db, []) == {}
    assert list(all_outcome_statistics(db).values()) == [CODE, edit, maths]


def test_writing_outcome_statistics_replaces_them(db: Database) -> None:
    write_outcome_statistics(db, CODE)
    later = replace(CODE, outcomes=5, residual=0.5)
    write_outcome_statistics(db, later)
    assert all_outcome_statistics(db) == {("a/x", "code"): later}
