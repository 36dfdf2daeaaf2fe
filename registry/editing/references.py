"""Which record names which other, and which of those names point at nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rolecall.registry.core.entities import Collection, Registry
from rolecall.registry.core.suggestions import NOUNS


@dataclass(frozen=True, slots=True)
class Reference:
    """The record `owner` names the record `name`; `path` is where inside the owner."""

    collection: Collection
    owner: str
    path: str
    target: Collection
    name: str

    @property
    def who(self) -> str:
        """Name the owner, such as `role coder`."""
        return f"{NOUNS[self.collection]} {self.owner}"


def references(registry: Registry) -> Iterator[Reference]:
    """Yield every reference between the records of a registry."""
    for endpoint in registry.endpoints:
        yield Reference("endpoints", endpoint.id, "model", "models", endpoint.model)
    for role in registry.roles:
        if role.strategy is not None:
            yield Reference("roles", role.id, "strategy", "strategies", role.strategy)
        for index, assignment in enumerate(role.assignments):
            path = f"assignments[{index}].endpoint"
            yield Reference("roles", role.id, path, "endpoints", assignment.endpoint)
    for task in registry.tasks:
        for index, name in enumerate(task.roles):
            yield Reference("tasks", task.id, f"roles[{index}]", "roles", name)
    for scope in registry.scopes:
        if scope.strategy is not None:
            yield Reference("scopes", scope.id, "strategy", "strategies", scope.strategy)


def dangling(registry: Registry) -> tuple[Reference, ...]:
    """Return the references to records that are not there."""
    known: dict[Collection, set[str]] = {
        "models": {model.id for model in registry.models},
        "endpoints": {endpoint.id for endpoint in registry.endpoints},
        "roles": {role.id for role in registry.roles},
        "strategies": {strategy.id for strategy in registry.strategies},
    }
    return tuple(one for one in references(registry) if one.name not in known[one.target])


def users_of(registry: Registry, collection: Collection, name: str) -> tuple[Reference, ...]:
    """Return who refers to a record, each once."""
    found = {
        one.who: one
        for one in references(registry)
        if one.target == collection and one.name == name
    }
    return tuple(found.values())
