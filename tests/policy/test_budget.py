"""What is left to spend, by day, week and month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.decisions import SpendLimit
from rolecall.registry.core.entities import Budget, Scope, Strategy
from rolecall.registry.policy.budget import (
    Remaining,
    first_day,
    remaining,
    spend_limit,
    spending_scopes,
)
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.spending import add_spending

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
BALANCED = Strategy("balanced")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "registry.db") as opened:
        for day, usd in (("2026-11-01", 8.0), ("2026-11-23", 4.0), ("2026-11-25", 1.0)):
            add_spending(opened, "app:desk", day, usd)
        yield opened


def desk(usd: float, per: str = "day", mode: str = "hard") -> Scope:
    return Scope(app="desk", budget=Budget(usd, per, mode))  # type: ignore[arg-type]


def left(db: Database, *scopes: Scope, now: datetime = NOW) -> list[float]:
    return [one.left_usd for one in remaining(db, scopes, "desk", "me", now)]


def test_a_call_is_booked_under_everything_its_app_and_its_user() -> None:
    assert spending_scopes("desk", "me") == ("all", "app:desk", "user:me")
    assert spending_scopes(None, None) == ("all",)


@pytest.mark.parametrize(("per", "usd"), [("day", 19.0), ("week", 15.0), ("month", 7.0)])
def test_a_limit_counts_what_its_day_week_or_month_has_seen(
    db: Database, per: str, usd: float
) -> None:
    assert left(db, desk(20, per)) == [usd]


@pytest.mark.parametrize("per", ["day", "week", "month"])
def test_what_a_clock_dated_in_the_far_future_does_not_count_for_ever(
    db: Database, per: str
) -> None:
    before = left(db, desk(20, per))
    add_spending(db, "app:desk", "2099-01-01", 500.0)
    add_spending(db, "app:desk", "2026-11-27", 500.0)
    assert left(db, desk(20, per)) == before
    add_spending(db, "app:desk", "2026-11-26", 0.5)  # the clock was set back over midnight
    assert left(db, desk(20, per)) == [before[0] - 0.5]
    assert left(db, desk(20), now=datetime(9999, 12, 31, tzinfo=UTC)) == [20.0]


def test_a_day_is_the_utc_one(db: Database) -> None:
    late_there = datetime(2026, 11, 26, 1, tzinfo=timezone(timedelta(hours=5)))
    assert left(db, desk(20), now=late_there) == [19.0]
    assert left(db, desk(20), now=NOW + timedelta(days=1)) == [20.0]


def test_only_limits_of_the_app_and_the_user_bear_on_a_call(db: Database) -> None:
    others = (Scope(app="other", budget=Budget(1.0)), Scope(user="you"))
    assert left(db, *others, Scope(app="desk"), Scope(user="me", budget=Budget(3.0))) == [3.0]


def test_what_is_overspent_is_below_nothing_and_said_as_nothing(db: Database) -> None:
    [one] = remaining(db, [desk(0.5)], "desk", None, NOW)
    assert one.left_usd == -0.5
    assert one.words == "$0 of $0.5 a day is left to app desk"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_begins_on_monday_a_month_on_the_first_neither_later_than_today(
    today: date,
) -> None:
    week, month = first_day("week", today), first_day("month", today)
    assert (week.weekday(), month.day, first_day("day", today)) == (0, 1, today)
    assert today - timedelta(days=6) <= week <= today
    assert (month.year, month.month) == (today.year, today.month)


def of(usd: float, left_usd: float, mode: str = "hard") -> Remaining:
    return Remaining("app:desk", Budget(usd, "day", mode), left_usd)  # type: ignore[arg-type]


def test_the_least_limit_is_the_ceiling() -> None:
    strategy = Strategy("s", max_cost_usd=0.3)
    assert spend_limit(strategy, [of(1, 0.5)]) == (
        SpendLimit(0.3, "at most $0.3"),
        (),
    )
    least, _ = spend_limit(strategy, [of(1, 0.5), of(1, 0.1)])
    assert least == SpendLimit(0.1, "$0.1 of $1 a day is left to app desk")


def test_an_advisory_max_cost_is_no_ceiling() -> None:
    strategy = Strategy("s", max_cost_usd=0.3, budget_mode="advisory")
    assert spend_limit(strategy, []) == (None, ())


def test_an_overspent_hard_limit_leaves_nothing() -> None:
    limit, _ = spend_limit(BALANCED, [of(1, -2)])
    assert limit is not None
    assert limit.usd == 0.0


def test_an_advisory_limit_is_only_told_of_and_only_once_used_up() -> None:
    assert spend_limit(BALANCED, [of(1, 0.2, "advisory")]) == (None, ())
    assert spend_limit(BALANCED, [of(1, 0.0, "advisory")]) == (
        None,
        ("the budget is used up: $0 of $1 a day is left to app desk",),
    )
