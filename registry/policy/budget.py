"""What an app and a user may still spend, and thus what one answer may cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rolecall.registry.core.decisions import SpendLimit
from rolecall.registry.core.entities import Budget, Scope, Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.spending import spent

EVERYTHING = "all"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of one scope's budget, in USD; below 0 where more was spent."""

    scope: str
    budget: Budget
    left_usd: float

    @property
    def words(self) -> str:
        """Say what is left, such as `$0.4 of $20 a day is left to app helpdesk`."""
        left = usd(max(self.left_usd, 0.0))
        of = f"{usd(self.budget.usd)} a {self.budget.per}"
        return f"{left} of {of} is left to {self.scope.replace(':', ' ')}"


def spending_scopes(app: str | None, user: str | None) -> tuple[str, ...]:
    """Return every scope under which a call of that app and user is booked."""
    named = ((kind, name) for kind, name in (("app", app), ("user", user)) if name is not None)
    return (EVERYTHING, *(f"{kind}:{name}" for kind, name in named))


def first_day(per: str, today: date) -> date:
    """Return the first day (UTC) of the day, the week (from Monday) or the month of `today`."""
    match per:
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
    return today


def remaining(
    db: Database, scopes: Iterable[Scope], app: str | None, user: str | None, now: datetime
) -> tuple[Remaining, ...]:
    """Return what is left of each budget that bears on a call of that app and user.

    What is dated tomorrow was spent: a clock was set back. What is dated later was dated by a
    clock that was wrong, and would count against every day until then: it counts on none.
    """
    bearing = spending_scopes(app, user)
    today = now.astimezone(UTC).date()
    tomorrow = min(today, date.max - _DAY) + _DAY
    found = []
    for scope in scopes:
        if scope.budget is None or scope.id not in bearing:
            continue
        since = first_day(scope.budget.per, today).isoformat()
        left = scope.budget.usd - spent(db, scope.id, since, tomorrow.isoformat())
        found.append(Remaining(scope.id, scope.budget, left))
    return tuple(found)


def spend_limit(
    strategy: Strategy, left: Iterable[Remaining]
) -> tuple[SpendLimit | None, tuple[str, ...]]:
    """Return the least of what an answer may cost at worst, and what to say of advisory limits."""
    limits: list[SpendLimit] = []
    notes: list[str] = []
    most = strategy.max_cost_usd
    if most is not None and strategy.budget_mode == "hard":
        limits.append(SpendLimit(most, f"at most {usd(most)}"))
    for one in left:
        if one.budget.mode == "hard":
            limits.append(SpendLimit(max(one.left_usd, 0.0), one.words))
        elif one.left_usd <= 0:
            notes.append(f"the budget is used up: {one.words}")
    return min(limits, key=lambda limit: limit.usd, default=None), tuple(notes)
