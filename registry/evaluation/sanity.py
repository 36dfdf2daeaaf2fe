"""Whether prompts are routed as the evidence of judged rows says they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml

from rolecall.registry.evaluation.dry_router import open_dry_router
from rolecall.registry.layers import Choices
from rolecall.registry.records import Decision, Message, Pool, Request
from rolecall.registry.scorer.model import Scorer

Must = Literal["cheap", "strong", "order"]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """Mean scores of cheap and of strong models on `prompts` judged prompts of some tasks."""

    data: str
    tasks: tuple[str, ...]
    prompts: int
    cheap: Mapping[str, float]
    strong: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ExpectationGroup:
    """Prompts of which the same must hold; what the fields mean is told in the file."""

    name: str
    kind: str
    must: Must
    evidence: Evidence
    prompts: tuple[str, ...]
    role: str | None
    also: frozenset[str]
    order: tuple[str, ...]
    cheap_usd_per_mtok: float
    margin: float

    def allowed(self, prices: Mapping[str, float]) -> frozenset[str]:
        """Return the models that may be chosen, of those with a list price of output."""
        judged = {**self.evidence.cheap, **self.evidence.strong}
        least = max(judged.values()) - self.margin - _ROUNDING

        def may_be_chosen(model: str, price: float) -> bool:
            is_cheap = price <= self.cheap_usd_per_mtok
            if model in self.also or (self.must == "cheap" and not is_cheap):
                return model in self.also
            mean = judged.get(model, judged.get(f"{model}-thinking"))
            return is_cheap == (self.must == "cheap") if mean is None else mean >= least

        return frozenset(model for model, price in prices.items() if may_be_chosen(model, price))


@dataclass(frozen=True, slots=True)
class SanityFailure:
    """A prompt that was not routed as it must be, and why."""

    group: str
    prompt: str
    chosen: str | None
    because: str


@dataclass(frozen=True, slots=True)
class SanityReport:
    """Passes by group, of how many; beside them the constant choice that passes most."""

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
    shared = {name: content[name] for name in ("cheap_usd_per_mtok", "margin")}
    return tuple(_group(one, shared) for one in content["groups"])


def check_sanity(given: Path | None, scorer: Scorer, *, strategy: str = "balanced") -> SanityReport:
    """Route every prompt over a registry, by default the starter pool; nothing is recorded."""
    groups, failures = read_expectations(), []
    with open_dry_router(given, scorer) as router:
        for group in groups:
            choices = Choices(strategy=strategy, role=group.role)
            for prompt in group.prompts:
                request = Request((Message("user", prompt),))
                decision = router.decide(request, choices, record=False)
                prices = output_prices(router.pool)
                because = _fails(group, decision, group.allowed(prices))
                if because is not None:
                    failures.append(SanityFailure(group.name, prompt, decision.chosen, because))
    passes = constant_passes(groups, prices)
    best = max(passes, key=lambda model: passes[model])
    failed = [one.group for one in failures]
    count = sum(len(group.prompts) for group in groups)
    return SanityReport(
        strategy=strategy,
        prompts=count,
        passed=count - len(failures),
        best_constant=best,
        best_constant_passed=passes[best],
        by_group={
            group.name: (len(group.prompts) - failed.count(group.name), len(group.prompts))
            for group in groups
        },
        failures=tuple(failures),
    )


def constant_passes(
    groups: Sequence[ExpectationGroup], prices: Mapping[str, float]
) -> dict[str, int]:
    """Return for each model how many prompts would pass if it were always chosen.

    So does every rule that rests on prices and one success per model, such as the cheapest above
    a floor. One order of all models is granted besides: the one that most `order` prompts agree
    with, for each pair of models.
    """
    agreed: dict[frozenset[str], dict[tuple[str, ...], int]] = {}
    for group in groups:
        if group.must == "order":
            sides = agreed.setdefault(frozenset(group.order), {})
            sides[group.order] = sides.get(group.order, 0) + len(group.prompts)
    granted = sum(max(sides.values()) for sides in agreed.values())
    return {
        model: granted
        + sum(
            len(group.prompts)
            for group in groups
            if group.must != "order" and model in group.allowed(prices)
        )
        for model in prices
    }


def output_prices(pool: Pool) -> dict[str, float]:
    """Return each model's lowest list price of output, USD per million tokens."""
    prices: dict[str, float] = {}
    for one in pool.endpoints:
        price = one.price.output_usd_per_mtok if one.price else None
        if price is not None:
            prices[one.model] = min(price, prices.get(one.model, price))
    return prices


def _group(one: Mapping[str, Any], shared: Mapping[str, float]) -> ExpectationGroup:
    evidence = one["evidence"]
    return ExpectationGroup(
        name=one["name"],
        kind=one["kind"],
        must=one["must"],
        evidence=Evidence(**(evidence | {"tasks": tuple(evidence["tasks"])})),
        prompts=tuple(one["prompts"]),
        role=one.get("role"),
        also=frozenset(one.get("also", ())),
        order=tuple(one.get("order", ())),
        **shared,
    )


def _fails(group: ExpectationGroup, decision: Decision, allowed: frozenset[str]) -> str | None:
    if not decision.candidates:
        return "nothing is eligible"
    if group.must != "order":
        model = decision.candidates[0].model
        return None if model in allowed else f"{model} is none of {', '.join(sorted(allowed))}"
    success = {one.model: one.success for one in decision.candidates}
    first, second = group.order
    if first not in success or second not in success:
        return f"{first} or {second} is not eligible"
    if success[first] > success[second]:
        return None
    return f"{first} {success[first]:.2f}, {second} {success[second]:.2f}"
