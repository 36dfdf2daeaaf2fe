"""A test's registry of endpoints at a fault server: filling it, and reading what it recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.entities import Api, Price
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.calls import CallFilter, recent_calls
from rolecall.registry.storage.spending import spent
from tests.faults.plan import Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer

HIGHER_PRICE = Price(2.0, 4.0, source="test")


# Hidden reasoning would cost as much as the whole answer.
PLAIN = ("tools", "json_schema", "vision")


@dataclass(frozen=True, slots=True)
class Serving:
    """The registry that ROLECALL_REGISTRY names, and the server of its endpoints."""

    server: FaultServer

    def one(self, api: Api = "openai", **facts: Any) -> str:
        """Register one endpoint, `API/m`, alone; return its id."""
        endpoint = f"{api}/m"
        self.register(Served(endpoint=endpoint, api=api, **facts))
        return endpoint

    def first_and_second(self, plan: Plan, *, api: Api = "openai") -> tuple[str, str]:
        """Register an endpoint that answers by `plan` and a more expensive, sound one behind it."""
        self.server.plan("first", plan)
        second: Api = "anthropic" if api == "openai" else "openai"
        self.register(
            Served(endpoint=f"{api}/first", api=api, model="same", capabilities=PLAIN),
            Served(
                endpoint=f"{second}/second",
                api=second,
                model="same",
                price=HIGHER_PRICE,
                capabilities=PLAIN,
            ),
        )
        return f"{api}/first", f"{second}/second"

    def register(self, *served: Served) -> None:
        """Fill the registry with these endpoints and the built-in strategies."""
        self.apply(registry_yaml(self.server, served), prune=True)

    def apply(self, text: str, *, prune: bool = False) -> None:
        """Apply a registry document."""
        with open_registry(None) as db:
            apply_document(db, text, "registry.yaml", prune=prune)

    def calls(self) -> list[Call]:
        """Return all calls, oldest first."""
        with open_registry(None) as db:
            return [*reversed(recent_calls(db, CallFilter(limit=None)))]

    def spent_usd(self, scope: str = "all") -> float:
        """Return what a scope spent, ever."""
        with open_registry(None) as db:
            return spent(db, scope, "2000-01-01")

    def body(self, model: str = "m", place: int = -1) -> dict[str, Any]:
        """Return the body of a request for a model, by default of the last one."""
        return self.server.received(model)[place].body
