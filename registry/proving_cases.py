"""The prompts of planned evaluations, read once, and the tables that a proof is made on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.proving_plan import Plan
from rolecall.registry.records import Message, Request
from rolecall.registry.routing.tokens import estimate_tokens
from rolecall.registry.scorer.baselines import cross_fitted, nearest, task_means
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.segments import Table, Vectors, prediction_tables, stacked
from rolecall.registry.scorer.spending import Rates, Spending

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Readings:
    """What the scorer read of the cases, and the vector (384,) of each prompt read at all."""

    cases: dict[str, Reading] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)

    def table(self, prompts: Sequence[str]) -> Vectors:
        """Return the prompts' vectors (N, 384)."""
        return stacked([self.vectors[prompt] for prompt in prompts])


def read_prompts(scorer: Scorer, planned: Sequence[Plan], report: Report) -> Readings:
    """Read every prompt that a plan needs, each once; `report` is told how many, of how many."""
    cases = {prompt for plan in planned for prompt in plan.cases.prompts}
    others = (prompt for plan in planned for prompt in plan.learned.prompts)
    prompts = dict.fromkeys((*sorted(cases), *others))
    readings = Readings()
    for number, prompt in enumerate(prompts, start=1):
        reading = scorer.read(prompt)
        readings.vectors[prompt] = reading.vector
        if prompt in cases:
            readings.cases[prompt] = reading
        report(number, len(prompts))
    return readings


def cases_of(
    plan: Plan, scorer: Scorer, facts: Mapping[str, ModelFacts], readings: Readings, seed: int
) -> Cases:
    """Return a plan's cases with what each method predicts for them."""
    models = plan.cases.models
    known = [facts[model] for model in models]
    predictions = [scorer.predict(readings.cases[prompt], known) for prompt in plan.cases.prompts]
    ours, tokens = prediction_tables(predictions)
    costs, expected = _costs(plan, tokens) if plan.has_costs else (None, None)
    return Cases(
        models=models,
        groups=plan.cases.groups,
        scores=plan.cases.scores.astype("float64"),
        costs=costs,
        expected_costs=expected,
        predicted={"ours": ours, **_baselines(plan, readings, seed)},
    )


def _baselines(plan: Plan, readings: Readings, seed: int) -> dict[str, Table]:
    past = readings.table(plan.learned.prompts)
    if plan.places is not None:
        fitted = cross_fitted(plan.learned, past, seed)
        return {method: table[plan.places] for method, table in fitted.items()}
    models, tasks = plan.cases.models, plan.cases.tasks
    asked = readings.table(plan.cases.prompts)
    return {
        "task means": task_means(plan.learned, tasks, models, seed),
        "nearest": nearest(plan.learned, past, asked, models, seed),
    }


def _costs(plan: Plan, predicted_tokens: Table) -> tuple[Table, Table]:
    """Return the cost paid (N, M), and the cost expected before the call."""
    asked = [plan.prices[model] for model in plan.cases.models]
    spending = Spending(
        cases=plan.cases,
        whole=plan.whole,
        rates=Rates.of(asked),
        input_tokens=[_input_tokens(prompt) for prompt in plan.cases.prompts],
        predicted_tokens=predicted_tokens,
    )
    return spending.paid(), spending.expected(None if plan.places is not None else plan.learned)


def _input_tokens(prompt: str) -> int:
    return estimate_tokens(Request((Message("user", prompt),)))
