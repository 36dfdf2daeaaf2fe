"""Whether everyday requests are routed as a sensible person would expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import median
from typing import Any, Literal

import yaml

from rolecall.registry.layers import Choices
from rolecall.registry.records import Candidate, Decision, Message, Pool, Request
from rolecall.registry.rehearsing import rehearsal
from rolecall.registry.scorer.predict import Scorer

Need = Literal["any", "strong", "reasoning"]

# Of the eligible, this share must be less likely to succeed than what is chosen for hard work.
_LEAST_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Expectation:
    """An everyday request and what a sensible person expects of its route."""

    kind: str
    need: Need
    prompt: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the route met an expectation; `because` says why it did not, else null."""

    expectation: Expectation
    chosen: str | None
    because: str | None


def expectations() -> tuple[Expectation, ...]:
    """Return the list that is kept with the project; the scorer was not trained on any of it."""
    file = resources.files("rolecall.registry") / "seed" / "expectations.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(_listed(content["kinds"], content["document"]))


def measure_agreement(
    given: Path | None, scorer: Scorer, *, strategy: str = "balanced"
) -> tuple[Verdict, ...]:
    """Route every expectation over a registry, by default the starter pool; nothing is recorded.

    Where any model will do, the choice must not be dear: not above the median list price of
    output among those eligible. Where a strong one is needed, the choice must not be among the
    third that is least likely to succeed; where reasoning is, it must also reason.
    """
    found = []
    with rehearsal(given, scorer) as router:
        for one in expectations():
            request = Request((Message("user", one.prompt),))
            decision = router.decide(request, Choices(strategy=strategy), record=False)
            found.append(Verdict(one, decision.chosen, _disagrees(one.need, decision, router.pool)))
    return tuple(found)


def agreement_by_kind(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """Return how many of each kind agreed, of how many."""
    found: dict[str, tuple[int, int]] = {}
    for one in verdicts:
        agreed, count = found.get(one.expectation.kind, (0, 0))
        found[one.expectation.kind] = (agreed + (one.because is None), count + 1)
    return found


def _listed(kinds: dict[str, dict[Need, list[Any]]], document: list[str]) -> Iterator[Expectation]:
    for kind, by_need in kinds.items():
        for need, prompts in by_need.items():
            for prompt in prompts:
                text = prompt if isinstance(prompt, str) else _long(prompt, document)
                yield Expectation(kind, need, text)


def _long(prompt: dict[str, Any], document: list[str]) -> str:
    count = int(prompt["document"])
    sentences = [f"{number + 1}. {document[number % len(document)]}" for number in range(count)]
    return "\n".join([*sentences, "", str(prompt["prompt"])])


def _disagrees(need: Need, decision: Decision, pool: Pool) -> str | None:
    if not decision.candidates:
        return "nothing is eligible"
    chosen = decision.candidates[0]
    if need == "any":
        prices = _prices(decision.candidates, pool)
        usual = median(prices.values())
        price = prices[chosen.endpoint]
        return f"dear: ${price:g} a million tokens" if price > usual else None
    worse = sum(one.success < chosen.success for one in decision.candidates)
    share = worse / len(decision.candidates)
    models = {model.id: model for model in pool.models}
    if need == "reasoning" and "reasoning" not in models[chosen.model].capabilities:
        return "does not reason"
    return None if share >= _LEAST_SHARE else "among the least likely third to succeed"


def _prices(candidates: Sequence[Candidate], pool: Pool) -> dict[str, float]:
    endpoints = {endpoint.id: endpoint for endpoint in pool.endpoints}
    found = {}
    for one in candidates:
        price = endpoints[one.endpoint].price
        found[one.endpoint] = (price.output_usd_per_mtok or 0.0) if price is not None else 0.0
    return found
