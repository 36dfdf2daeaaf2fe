"""What was spent adds up by scope and day."""

from __future__ import annotations

from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.spending import add_spending, spent


def test_amounts_add_up_from_a_day_on_that_day_included(db: Database) -> None:
    for day, usd in (("2026-11-20", 1.0), ("2026-11-21", 2.0), ("2026-11-22", 4.0)):
        add_spending(db, "app:helpdesk", day, usd)
    add_spending(db, "app:helpdesk", "2026-11-21", 0.5)
    assert spent(db, "app:helpdesk", "2026-11-20") == 7.5
    assert spent(db, "app:helpdesk", "2026-11-21") == 6.5
    assert spent(db, "app:helpdesk", "2026-11-23") == 0.0


def test_what_was_held_can_be_given_back(db: Database) -> None:
    add_spending(db, "all", "2026-11-22", 0.5)
    add_spending(db, "all", "2026-11-22", -0.375)
    assert spent(db, "all", "2026-11-22") == 0.125


def test_scopes_are_kept_apart(db: Database) -> None:
    add_spending(db, "app:x", "2026-11-22", 1.0)
    add_spending(db, "user:x", "2026-11-22", 2.0)
    assert [spent(db, scope, "2026-01-01") for scope in ("app:x", "user:x", "all")] == [1, 2, 0]


def test_a_user_may_have_a_name_that_no_encoding_has(db: Database) -> None:
    add_spending(db, "user:\udcff", "2026-11-22", 1.0)
    assert spent(db, "user:\udcff", "2026-11-22") == 1.0
