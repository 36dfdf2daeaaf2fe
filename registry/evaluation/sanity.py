"""Whether prompts are routed as well as the evidence of judged rows says they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from rolecall.registry.core.decisions import Candidate, Decision
from rolecall.registry.core.entities import Registry
from rolecall.registry.core.errors import UnknownRecord
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.evaluation.dry_router import dry_router
from rolecall.registry.routing.router import Router
from rolecall.registry.routing.rules.value import score
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database

MARGIN = 0.1  # of what a correct answer is worth: less is no clear difference
WASTE = 2.0  # times what another spends that does at least as well
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """Mean scores, by model or effort variant, on `prompts` judged prompts of some tasks.

    `output_tokens` are means too, only where servers counted them, hidden reasoning included.
    """

    data: str
    tasks: tuple[str, ...]
    prompts: int
    success: Mapping[str, float]
    output_tokens: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ExpectationGroup:
    """Prompts with the same evidence; the file explains the fields."""

    name: str
    kind: str
    evidence: Evidence
    prompts: tuple[str, ...]
    task: str | None
    role: str | None
    worth: float | None
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the evidence says of each judged model for one prompt.

    `spent_usd` is the cost of the answer and of waiting for it; `stake_usd` is what a correct
    one is worth.
    """

    stake_usd: float
    success: Mapping[str, float]
    spent_usd: Mapping[str, float]

    def value_usd(self, model: str) -> float:
        """Return the value of a model's answer, by the evidence."""
        return self.stake_usd * self.success[model] - self.spent_usd[model]

    @property
    def best(self) -> str:
        """The model of the highest value."""
        return max(self.success, key=self.value_usd)

    @property
    def accepted(self) -> frozenset[str]:
        """The models that are not clearly worse than the best, nor a clear waste."""
        least = self.value_usd(self.best) - MARGIN * self.stake_usd - _ROUNDING
        return frozenset(
            model
            for model in self.success
            if self.value_usd(model) >= least and not self._is_waste(model)
        )

    def _is_waste(self, model: str) -> bool:
        return any(
            self.success[other] >= self.success[model]
            and self.spent_usd[model] > WASTE * self.spent_usd[other]
            for other in self.success
        )


@dataclass(frozen=True, slots=True)
class SanityFailure:
    """A prompt that was not routed as it must be, and why."""

    group: str
    prompt: str
    chosen: str | None
    because: str


@dataclass(frozen=True, slots=True)
class SanityReport:
    """Passes by group, of how many; beside them those of the best constant choice."""

    strategy: str
    prompts: int
    passed: int
    best_constant: str
    best_constant_passed: int
    by_group: Mapping[str, tuple[int, int]]
    failures: tuple[SanityFailure, ...]


def read_expectations() -> tuple[ExpectationGroup, ...]:
    """Return the groups that are kept with the project; no scorer learns from their prompts."""
    file = resources.files("rolecall.registry") / "seed" / "expectations.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(_group(one) for one in content["groups"])


def check_sanity(db: Database, scorer: Scorer, *, strategy: str = "balanced") -> SanityReport:
    """Route every prompt over a registry; nothing is recorded.

    Raises UnknownRecord for a registry that has none of the models of a group.
    """
    groups = read_expectations()
    expected, failures = list[Expected](), list[SanityFailure]()
    router = dry_router(db, scorer)
    for group in groups:
        for prompt in group.prompts:
            decision = decide_among_judged(router, group, prompt, strategy)
            if group.order:
                because = _fails_order(group.order, decision, router.registry)
            else:
                expected.append(expect(router, group, prompt, decision))
                because = _fails(expected[-1], decision, router.registry)
            if because is not None:
                failures.append(SanityFailure(group.name, prompt, decision.chosen, because))
    order, passed = best_fixed_order(expected)
    failed = [one.group for one in failures]
    count = sum(len(group.prompts) for group in groups)
    return SanityReport(
        strategy=strategy,
        prompts=count,
        passed=count - len(failures),
        best_constant=order[0],
        best_constant_passed=passed + granted_orders(groups),
        by_group={
            group.name: (len(group.prompts) - failed.count(group.name), len(group.prompts))
            for group in groups
        },
        failures=tuple(failures),
    )


def decide_among_judged(
    router: Router, group: ExpectationGroup, prompt: str, strategy: str, task: str | None = None
) -> Decision:
    """Decide a prompt of a group among the endpoints for which there is evidence."""
    judged = group.evidence.success
    endpoints = tuple(one.id for one in router.registry.endpoints if one.variant in judged)
    if not endpoints:
        raise UnknownRecord(f"the registry has no endpoint of any of {', '.join(judged)}")
    choices = RoutingChoices(
        strategy=strategy, role=group.role, task=task, worth=group.worth, endpoints=endpoints
    )
    return router.decide(Request((Message("user", prompt),)), choices, record=False)


def expect(router: Router, group: ExpectationGroup, prompt: str, decision: Decision) -> Expected:
    """Weigh the endpoints of a decision by the evidence; the group's `task` is given this time.

    Answers are as long as in the evidence, else as the router expects them.
    """
    if group.task is not None:
        decision = decide_among_judged(router, group, prompt, decision.strategy.id, group.task)
    models = {one.id: one for one in router.registry.models}
    endpoints = {one.id: one for one in router.registry.endpoints}
    stake = decision.task.worth * decision.strategy.quality_usd
    success, spent = dict[str, float](), dict[str, float]()
    for one in decision.candidates:
        endpoint, variant = endpoints[one.endpoint], _variant(one, router.registry)
        told = _told(group.evidence, variant, one)
        weighed = score(endpoint, models[endpoint.model], told, decision.task, decision.strategy)
        success[variant] = told.success
        spent[variant] = stake * told.success - weighed.value_usd
    return Expected(stake, success, spent)


def best_fixed_order(expected: Sequence[Expected]) -> tuple[tuple[str, ...], int]:
    """Return an order of models, and how many prompts pass if its first judged one is chosen.

    So does every rule that rests on one figure per model, such as the cheapest above a floor. The
    order begins with the constant choice that passes most and goes on greedily.
    """
    models = {model for one in expected for model in one.success}
    orders = (_order_from(model, expected) for model in sorted(models))
    return max(orders, key=lambda one: one[1])


def granted_orders(groups: Sequence[ExpectationGroup]) -> int:
    """Return how many `order` prompts one order of models agrees with, at most, pair by pair."""
    agreed: dict[frozenset[str], dict[tuple[str, ...], int]] = {}
    for group in groups:
        if group.order:
            sides = agreed.setdefault(frozenset(group.order), {})
            sides[group.order] = sides.get(group.order, 0) + len(group.prompts)
    return sum(max(sides.values()) for sides in agreed.values())


def _order_from(first: str, expected: Sequence[Expected]) -> tuple[tuple[str, ...], int]:
    order, passed = list[str](), 0
    left = [one for one in expected if one.success]

    def gain(model: str) -> int:
        return sum(1 if model in one.accepted else -1 for one in left if model in one.success)

    while left:
        models = sorted({model for one in left for model in one.success})
        order.append(max(models, key=gain) if order else first)
        passed += sum(order[-1] in one.accepted for one in left)
        left = [one for one in left if order[-1] not in one.success]
    return tuple(order), passed


def _told(evidence: Evidence, variant: str, candidate: Candidate) -> Prediction:
    tokens = evidence.output_tokens.get(variant)
    return Prediction(
        model=variant,
        success=evidence.success[variant],
        success_std=0.0,
        output_tokens=candidate.output_tokens if tokens is None else round(tokens),
        basis="fitted",
        hidden_tokens=candidate.untimed_tokens if tokens is None else 0,
    )


def _group(one: Mapping[str, Any]) -> ExpectationGroup:
    evidence = {"output_tokens": {}} | one["evidence"]
    return ExpectationGroup(
        name=one["name"],
        kind=one["kind"],
        evidence=Evidence(**(evidence | {"tasks": tuple(evidence["tasks"])})),
        prompts=tuple(one["prompts"]),
        task=one.get("task"),
        role=one.get("role"),
        worth=one.get("worth"),
        order=tuple(one.get("order", ())),
    )


def _variant(candidate: Candidate, registry: Registry) -> str:
    [endpoint] = [one for one in registry.endpoints if one.id == candidate.endpoint]
    return endpoint.variant


def _fails(expected: Expected, decision: Decision, registry: Registry) -> str | None:
    if not decision.candidates:
        return "nothing is eligible"
    chosen = _variant(decision.candidates[0], registry)
    if chosen in expected.accepted:
        return None
    success, spent = expected.success, expected.spent_usd
    told = (
        f"{model} succeeds {success[model]:.2f} and spends {usd(spent[model])}"
        for model in (chosen, expected.best)
    )
    return ", ".join(told)


def _fails_order(order: tuple[str, ...], decision: Decision, registry: Registry) -> str | None:
    success = {_variant(one, registry): one.success for one in decision.candidates}
    first, second = order
    if first not in success or second not in success:
        return f"{first} or {second} is not eligible"
    if success[first] > success[second]:
        return None
    return f"{first} {success[first]:.2f}, {second} {success[second]:.2f}"
