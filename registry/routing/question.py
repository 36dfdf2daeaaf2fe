"""Everything that one decision depends on, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.registry.records import (
    Candidate,
    Endpoint,
    Exclusion,
    Model,
    Role,
    Strategy,
    Task,
    TaskKind,
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a pool.

    `strategy` is the resolved one, limits of the request's flags included. `selection` holds the
    globs of `--endpoint`. `available_env` names the environment variables that are set;
    `offline` and `exhausted` are endpoint ids known to be down or over their quota.
    """

    endpoints: tuple[Endpoint, ...]
    models: Mapping[str, Model]
    task: Task
    strategy: Strategy
    role: Role | None = None
    kinds: tuple[TaskKind, ...] = ()
    selection: tuple[str, ...] = ()
    incumbent: str | None = None
    available_env: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()
    exhausted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Survivors:
    """What is left before scoring: who stands, and every reason against who does not.

    `models` are the ids worth scoring: those of `standing`, of endpoints that nothing but
    `local_only` excludes, so that a flip of it can be told, and, where the strategy limits cost,
    success or time, of every endpoint asked for, so that all that speaks against it can be.
    """

    standing: tuple[tuple[Endpoint, Model], ...]
    excluded: tuple[Exclusion, ...]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: `candidates` in rank order, `fallbacks` the next five at most.

    `chosen` is null where nothing is eligible; `margin_usd` is the value between the first and
    the second, below zero where a near-tie went to the lesser value.
    """

    candidates: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]
    chosen: str | None
    runner_up: str | None
    margin_usd: float | None
    reasons: tuple[str, ...]
    fallbacks: tuple[str, ...]
    notes: tuple[str, ...]
