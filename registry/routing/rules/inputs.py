"""Everything that one decision depends on, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rolecall.registry.core.decisions import Candidate, Exclusion, SpendLimit
from rolecall.registry.core.entities import Api, Endpoint, Model, Role, Strategy, TaskKind
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Measured


class ApiGaps(NamedTuple):
    """What of a request an API has no place for: parameters, and modalities of attachments."""

    parameters: frozenset[str]
    modalities: frozenset[str]


NO_GAPS = ApiGaps(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """What is asked of a registry.

    `strategy` is the resolved one, limits of the request's flags included. `selection` holds the
    globs of `--endpoint`. `available_env` names the environment variables that are set.
    `offline` and `exhausted` say of endpoints that are down or over their quota what is known,
    `refused` of those whose key a server refused; `measured` is what calls and outcomes say. With
    `allow_drop` an endpoint is eligible without the parameters that it or its API does not take;
    without an attachment's modality none is. `untaken_forms` names, by endpoint, those of the
    task's `forms` that it is known to refuse.
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
    offline: Mapping[str, str] = field(default_factory=dict)
    exhausted: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)
    api_gaps: Mapping[Api, ApiGaps] = field(default_factory=dict)
    untaken_forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allow_drop: bool = False
    spend_limit: SpendLimit | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Eligible:
    """What is left before scoring: who is eligible, and every reason against who is not.

    `variants` are those worth scoring: those of `endpoints`, of endpoints that nothing but
    `local_only` excludes, so that a flip of it can be told, and, where the strategy limits cost,
    success or time, of every endpoint asked for, so that all that speaks against it can be.
    """

    endpoints: tuple[tuple[Endpoint, Model], ...]
    excluded: tuple[Exclusion, ...]
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
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
