"""Which scorer decides: the shipped one as it is, or with fits to the user's rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.suggestions import unknown
from rolecall.registry.learning.rows import counts
from rolecall.registry.scorer.card import card, check
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import (
    has_judged_rows,
    read_judged_rows,
    set_uses_fits,
    uses_fits,
)

PRETRAINED, OWN = "pretrained", "own"
NAMES = (PRETRAINED, OWN)


@dataclass(frozen=True, slots=True)
class FitsInUse:
    """What fits rest on: rows by model, the latest date, and rows kept without being used."""

    in_use: bool
    prompts: int
    models: dict[str, int]
    added_at: str | None
    waiting: int

    @property
    def name(self) -> str:
        """The name of the scorer that decides."""
        return OWN if self.in_use else PRETRAINED


def fits_in_use(db: Database) -> FitsInUse:
    """Return what the fits of a registry rest on."""
    rows, waiting = (read_judged_rows(db, active=active) for active in (True, False))
    return FitsInUse(
        in_use=bool(rows) and uses_fits(db),
        prompts=len(rows),
        models=counts(rows),
        added_at=max((row.added_at for row in rows), default=None),
        waiting=len(waiting),
    )


def use_version(db: Database, name: str) -> str:
    """Switch the fits to the user's rows on (`own`) or off (`pretrained`); return what was on.

    Raises UnknownRecord for another name, UsageError for `own` without rows, RegistryUnusable.
    """
    if name not in NAMES:
        raise unknown("scorer", name, NAMES)
    with db.transaction():
        has_rows = has_judged_rows(db)
        if name == OWN and not has_rows:
            raise UsageError(
                "there are no judged rows to rest on", hint="rolecall scorer train JUDGED.jsonl"
            )
        before = OWN if has_rows and uses_fits(db) else PRETRAINED
        set_uses_fits(db, name == OWN)
    return before


def scorer_card(db: Database) -> dict[str, Any]:
    """Return the scorer's card as its training wrote it, and what `fits` are in use.

    Raises ScorerUnusable, also when a file of the artifact is not the one the card was made for.
    """
    check()
    return card() | {"fits": asdict(fits_in_use(db))}
