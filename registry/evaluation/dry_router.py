"""Decisions made to look at them: every key at hand, nothing recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rolecall.registry.core.clock import utc_now
from rolecall.registry.editing.open import open_registry, registry_path
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.registry import read_registry


@contextmanager
def open_dry_router(given: Path | None, scorer: Scorer) -> Iterator[Router]:
    """Open a router over a registry; over the starter pool where there is none.

    All keys that its endpoints name count as set, and its clock stands still, so that nothing
    but the request differs between two decisions. Raises RegistryUnusable.
    """
    with tempfile.TemporaryDirectory() as folder:
        is_there = registry_path(given).exists()
        with open_registry(given if is_there else Path(folder, "starter.db")) as db:
            keys = {one.key_env: "set" for one in read_registry(db).endpoints if one.key_env}
            moment = utc_now()
            yield Router(db, scorer=scorer, environment=keys, now=lambda: moment)
