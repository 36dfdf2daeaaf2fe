"""A clock that only pauses move, and an asker that lives by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rolecall.registry.calls.ask import Asker
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer


@dataclass
class Pausing:
    """A clock that only pauses move, and what was paused."""

    moment: datetime = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.moment += timedelta(seconds=seconds)

    @contextmanager
    def asker(self, scorer: Scorer) -> Iterator[Asker]:
        with open_registry(None) as db, Client() as client:
            router = Router(db, scorer=scorer, environment={}, now=self.now)
            yield Asker(db, router, client, environment={}, pause=self.pause, chance=lambda: 0.0)
