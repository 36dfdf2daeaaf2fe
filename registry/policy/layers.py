"""The policies that bear on one request: default, app, user, role, and what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rolecall.registry.core.entities import Registry, Role, Scope, Strategy
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.core.suggestions import named
from rolecall.registry.policy.strategies import resolve_strategy
from rolecall.registry.storage.conversations import ConversationTerms

DEFAULT_STRATEGY = "balanced"
CONVERSATION = "conversation"
START_ANEW = "start a new one without --continue and --conversation"


@dataclass(frozen=True, slots=True)
class Layers:
    """The strategy in force, which layers made it (widest first), and what to tell the person."""

    strategy: Strategy
    names: tuple[str, ...]
    log_prompts: bool
    notes: tuple[str, ...]


def default_strategy(registry: Registry) -> Strategy:
    """Return the strategy under every other; one that was deleted has its first figures."""
    found = (one for one in registry.strategies if one.id == DEFAULT_STRATEGY)
    return next(found, Strategy(DEFAULT_STRATEGY))


def policy_layers(
    registry: Registry,
    choices: RoutingChoices,
    role: Role | None,
    terms: ConversationTerms | None = None,
) -> Layers:
    """Resolve the layers of policy; raise UnknownRecord for a strategy that is not there.

    What was said before in a conversation goes only where every policy allows under which it was
    said: `terms` are the conversation's. An app or user without a scope is allowed, since it may
    merely label calls, but said: a mistyped name would otherwise lose its limits in silence.
    """
    layers = [("default", default_strategy(registry))]
    notes = []
    scopes = []
    for scope_id in _scope_ids(choices):
        scope = next((one for one in registry.scopes if one.id == scope_id), None)
        if scope is None:
            notes.append(f"no scope is set for {scope_id.replace(':', ' ')}")
            continue
        scopes.append(scope)
        if scope.strategy:
            layers.append((scope_id.replace(":", " "), _strategy(registry, scope.strategy)))
    if role is not None and role.strategy:
        layers.append((f"role {role.id}", _strategy(registry, role.strategy)))
    if choices.strategy is not None:
        layers.append(("asked for", _strategy(registry, choices.strategy)))
    strategy = resolve_strategy(layers, _limits(choices))
    names = [f"{layer}: {one.id}" for layer, one in layers]
    held = resolve_strategy(layers, _limits(choices), *(terms.policies if terms else ()))
    tighter = ", ".join(_tighter(strategy, held))
    if tighter:
        strategy = held
        names.append(f"{CONVERSATION}: {tighter}")
        notes.append(f"what was said before in this conversation may go to {tighter}; {START_ANEW}")
    return Layers(
        strategy=strategy,
        names=tuple(names),
        log_prompts=choices.log_prompt and strategy.log_prompts and _scopes_log(scopes),
        notes=tuple(notes),
    )


def _tighter(strategy: Strategy, held: Strategy) -> Iterator[str]:
    """Yield in words what a conversation's policies limit beyond the strategy in force."""
    if held.local_only and not strategy.local_only:
        yield "local endpoints only"
    if held.regions and set(held.regions) != set(strategy.regions):
        yield f"{' and '.join(held.regions)} only"
    if held.data_policy != strategy.data_policy:
        yield "endpoints of its data policy only"
    if held.allow and set(held.allow) != set(strategy.allow):
        yield f"{', '.join(held.allow)} only"
    known = frozenset(strategy.deny)
    denied = [glob for glob in held.deny if glob not in known]
    if denied:
        yield f"no {', '.join(denied)}"


def _scope_ids(choices: RoutingChoices) -> list[str]:
    named_by = (("app", choices.app), ("user", choices.user))
    return [f"{kind}:{name}" for kind, name in named_by if name is not None]


def _strategy(registry: Registry, name: str) -> Strategy:
    return named(registry.strategies, "strategy", name)


def _limits(choices: RoutingChoices) -> Strategy:
    return Strategy(
        "asked for",
        local_only=choices.local_only,
        max_cost_usd=choices.max_cost_usd,
        min_success=choices.min_success,
    )


def _scopes_log(scopes: list[Scope]) -> bool:
    return all(scope.log_prompts is not False for scope in scopes)
