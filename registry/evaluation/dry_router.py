"""Decisions made to look at them: every key at hand, nothing recorded."""

from __future__ import annotations

from rolecall.registry.core.clock import utc_now
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import read_registry


def dry_router(db: Database, scorer: Scorer) -> Router:
    """Return a router over a registry.

    All keys that its endpoints name count as set, and its clock stands still, so that nothing
    but the request differs between two decisions.
    """
    keys = {one.key_env: "set" for one in read_registry(db).endpoints if one.key_env}
    moment = utc_now()
    return Router(db, scorer=scorer, environment=keys, now=lambda: moment)
