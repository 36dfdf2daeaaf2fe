"""Open all that asking needs: the registry, the router and the HTTP client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rolecall.registry.ask import Asker
from rolecall.registry.core.chat import Timeouts
from rolecall.registry.learning.loading import Loading
from rolecall.registry.opening import open_registry
from rolecall.registry.route import Router
from rolecall.registry.transport.client import Client


@contextmanager
def open_asker(
    given: Path | None, loading: Loading | None = None, timeouts: Timeouts | None = None
) -> Iterator[Asker]:
    """Open the registry (seeded on first use), the scorer and a client, ready to ask.

    Raises RegistryUnusable and ScorerUnusable.
    """
    loading = loading or Loading()
    environment = dict(os.environ)
    with Client(timeouts=timeouts or Timeouts()) as client, open_registry(given) as db:
        router = Router(db, scorer=loading.scorer(), environment=environment, tell=loading.tell)
        yield Asker(db, router, client, environment=environment)
