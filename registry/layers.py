"""The policies that bear on one request: default, app, user, role, and what was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rolecall.registry.core.entities import Pool, Request, Role, Scope, Strategy
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.suggestions import named
from rolecall.registry.routing.policy import resolve_strategy

DEFAULT_STRATEGY = "balanced"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person or program asked for beside the request itself.

    `endpoints` are globs that limit the pool; `log_prompt` false keeps only the prompt's hash;
    with `allow_drop` an endpoint may serve without the parameters it does not take. Raises
    UsageError for a `worth` that is no factor.
    """

    role: str | None = None
    strategy: str | None = None
    task: str | None = None
    app: str | None = None
    user: str | None = None
    conversation: str | None = None
    endpoints: tuple[str, ...] = ()
    local_only: bool = False
    max_cost_usd: float | None = None
    min_success: float | None = None
    worth: float | None = None
    log_prompt: bool = True
    allow_drop: bool = False

    def __post_init__(self) -> None:
        if self.worth is not None and not (math.isfinite(self.worth) and self.worth > 0):
            raise UsageError(
                f"a worth is a finite number above 0, not {self.worth:g}",
                hint="a factor on the value of a correct answer: --worth 4",
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """The choices of a command line, and what it adds to the request itself."""

    choices: Choices
    needs: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    input_tokens: int | None = None
    max_tokens: int | None = None

    def of(self, request: Request) -> Request:
        """Return the request with what was declared on the command line, which wins."""
        return replace(
            request,
            needs=request.needs + self.needs,
            prefers=request.prefers + self.prefers,
            input_tokens=_first(self.input_tokens, request.input_tokens),
            max_tokens=_first(self.max_tokens, request.max_tokens),
        )


@dataclass(frozen=True, slots=True)
class Layers:
    """The strategy in force, which layers made it (widest first), and what to tell the person."""

    strategy: Strategy
    names: tuple[str, ...]
    log_prompts: bool
    notes: tuple[str, ...]


def policy_layers(pool: Pool, choices: Choices, role: Role | None) -> Layers:
    """Resolve the layers of policy; raise UnknownRecord for a strategy that is not there.

    An app or user without a scope is allowed, since it may merely label calls, but said: a
    mistyped name would otherwise lose its limits in silence.
    """
    layers = [("default", _strategy(pool, DEFAULT_STRATEGY, Strategy(DEFAULT_STRATEGY)))]
    notes = []
    scopes = []
    for scope_id in _scope_ids(choices):
        scope = next((one for one in pool.scopes if one.id == scope_id), None)
        if scope is None:
            notes.append(f"no scope is set for {scope_id.replace(':', ' ')}")
            continue
        scopes.append(scope)
        if scope.strategy:
            layers.append((scope_id.replace(":", " "), _strategy(pool, scope.strategy)))
    if role is not None and role.strategy:
        layers.append((f"role {role.id}", _strategy(pool, role.strategy)))
    if choices.strategy is not None:
        layers.append(("asked for", _strategy(pool, choices.strategy)))
    strategy = resolve_strategy(layers, _limits(choices))
    return Layers(
        strategy=strategy,
        names=tuple(f"{layer}: {one.id}" for layer, one in layers),
        log_prompts=choices.log_prompt and strategy.log_prompts and _scopes_log(scopes),
        notes=tuple(notes),
    )


def _scope_ids(choices: Choices) -> list[str]:
    named_by = (("app", choices.app), ("user", choices.user))
    return [f"{kind}:{name}" for kind, name in named_by if name is not None]


def _strategy(pool: Pool, name: str, otherwise: Strategy | None = None) -> Strategy:
    if otherwise is not None and all(one.id != name for one in pool.strategies):
        return otherwise
    return named(pool.strategies, "strategy", name)


def _limits(choices: Choices) -> Strategy:
    return Strategy(
        "asked for",
        local_only=choices.local_only,
        max_cost_usd=choices.max_cost_usd,
        min_success=choices.min_success,
    )


def _scopes_log(scopes: list[Scope]) -> bool:
    return all(scope.log_prompts is not False for scope in scopes)


def _first(given: int | None, otherwise: int | None) -> int | None:
    return given if given is not None else otherwise
