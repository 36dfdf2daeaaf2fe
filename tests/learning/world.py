"""A registry, a fault server and a clock that can be put forward: rolecall in a small world.

A tenth of a second here stands for a second: the strategy `tenths` is `balanced` with its
weights of time ten times as high. By `hundredths` waiting costs more still, and near-ties are rare.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from rolecall.registry.calls.ask import Asker
from rolecall.registry.calls.events import Answered, AskRequest, Decided
from rolecall.registry.calls.probe import ProbeRequest, probe_endpoints
from rolecall.registry.core.chat import Chat, Text, Timeouts, Turn
from rolecall.registry.core.clock import utc_now
from rolecall.registry.core.decisions import Candidate, Decision
from rolecall.registry.core.entities import Strategy
from rolecall.registry.core.errors import AllFailed
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import write_record
from tests.faults.plan import Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer

BEST, SECOND = "p/best", "p/second"
PROMPT = "Explain why quicksort degrades to O(n^2) on sorted input."
TENTHS = Strategy(
    "tenths",
    ttft_usd_per_s=0.005,
    itl_usd_per_s=0.005,
    default_ttft_s=0.3,
    default_itl_s=0.003,
)
HUNDREDTHS = replace(TENTHS, id="hundredths", ttft_usd_per_s=0.05)
TIMEOUTS = Timeouts(connect_s=1.0, first_token_s=2.0, idle_s=1.0)


def answering(first_s: float = 0.02, fault: str | None = None, after: str | None = None) -> Plan:
    """Return a plan with so long a wait, of as many tokens as are expected."""
    return Plan(output_tokens=700, first_delay_s=first_s, fault=fault, retry_after=after)


class Clock:
    """The real time, put forward by what was slept and by what a test lets pass."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return utc_now() + self._ahead

    def let_pass(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class World:
    """What a test of learning needs, open."""

    server: FaultServer
    db: Database
    router: Router
    asker: Asker
    client: Client
    clock: Clock
    strategy: str = "tenths"
    decisions: list[str] = field(default_factory=list)

    def serve(self, name: str, *plans: Plan) -> None:
        """Have an endpoint (`p/NAME`) answer so from now on, the last plan for good."""
        self.server.plan(name, *plans)

    def ask(self, *only: str, times: int = 1) -> str | None:
        """Ask, and return who answered last; null where nobody did. `only` limits who may."""
        who = None
        for _ in range(times):
            who = self._ask(only)
        return who

    def _ask(self, only: Sequence[str]) -> str | None:
        choices = RoutingChoices(strategy=self.strategy, endpoints=tuple(only))
        chat = Chat((Turn("user", (Text(PROMPT),)),))
        with contextlib.suppress(AllFailed):
            for one in self.asker.ask(AskRequest(chat, choices)):
                if isinstance(one, Decided):
                    self.decisions.append(one.decision.id)
                if isinstance(one, Answered):
                    return one.call.endpoint
        return None

    def decided(self) -> Decision:
        """Decide as the next ask will, without recording it."""
        request = Request((Message("user", PROMPT),))
        choices = RoutingChoices(strategy=self.strategy)
        return self.router.decide(request, choices, record=False, will_call=True)

    def chosen(self) -> str | None:
        """Say who the next ask would go to."""
        return self.decided().chosen

    def candidate(self, endpoint: str) -> Candidate:
        """Return an endpoint's figures as the next ask will see them."""
        return next(one for one in self.decided().candidates if one.endpoint == endpoint)

    def excluded(self) -> dict[str, str]:
        """Return the code against each endpoint that the next ask may not go to."""
        return {one.endpoint: one.code for one in self.decided().excluded}

    def asks_until(self, endpoint: str, most: int) -> int:
        """Ask until the choice is that endpoint, and count. Fails after `most` asks."""
        for count in range(1, most + 1):
            self.ask()
            if self.chosen() == endpoint:
                return count
        raise AssertionError(f"{self.chosen()} is still chosen after {most} asks")

    def probe(self, endpoint: str) -> None:
        """Probe one endpoint."""
        wanted = ProbeRequest((endpoint,), max_cost_usd=1.0)
        [probed] = probe_endpoints(self.db, self.client, {}, wanted, now=self.clock.now)
        assert probed.call is not None


@contextlib.contextmanager
def opened(path: Path, scorer: Scorer, server: FaultServer) -> Iterator[World]:
    """Open the registry at `path`, a new one with two equal endpoints at the server."""
    is_new = not path.exists()
    clock = Clock()
    with open_registry(path) as db, Client(timeouts=TIMEOUTS) as client:
        if is_new:
            served = [Served(endpoint=one, model="m") for one in (BEST, SECOND)]
            apply_document(db, registry_yaml(server, served), "world.yaml", prune=True)
            write_record(db, TENTHS)
            write_record(db, HUNDREDTHS)
        router = Router(db, scorer=scorer, environment={}, now=clock.now)
        asker = Asker(db, router, client, environment={}, pause=clock.let_pass, chance=lambda: 0.5)
        yield World(server, db, router, asker, client, clock)
