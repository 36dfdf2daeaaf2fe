"""What an endpoint's window holds: surely not, perhaps, or as long as is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.core.entities import Endpoint, Model, Strategy
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.eligibility import find_eligible, may_not_fit
from rolecall.registry.routing.rules.inputs import DecisionInputs

TASK = Task("code.edit", "detected", 0.9, "x", input_tokens=1_000)
MODEL = Model("m")
ENDPOINT = Endpoint("p/m", "m")


def ask(*, task: Task, model: Model = MODEL, endpoint: Endpoint = ENDPOINT) -> DecisionInputs:
    return DecisionInputs((endpoint,), {"m": model}, task, Strategy("plain"))


def against(inputs: DecisionInputs) -> list[tuple[str, str]]:
    return [(each.code, each.detail) for each in find_eligible(inputs).excluded]


@pytest.mark.parametrize(
    ("task", "model", "endpoint", "detail"),
    [
        (
            replace(TASK, input_tokens=150_000),
            replace(MODEL, context_tokens=131_072),
            ENDPOINT,
            "needs 151k tokens, takes 131k",
        ),
        (
            replace(TASK, input_tokens=300_000),
            replace(MODEL, context_tokens=400_000, max_input_tokens=272_000),
            ENDPOINT,
            "is 300k tokens of input, takes 272k",
        ),
        (
            replace(TASK, most_input_tokens=(200_000,) * 5),
            replace(MODEL, context_tokens=131_072),
            replace(ENDPOINT, locality="local"),
            "needs 201k tokens, takes 131k",
        ),
        (
            replace(TASK, most_input_tokens=(200_000,) * 5),
            replace(MODEL, context_tokens=131_072),
            replace(ENDPOINT, api="ollama"),
            "needs 201k tokens, takes 131k",
        ),
        (
            replace(TASK, input_tokens=130_100, input_tokens_declared=True),
            replace(MODEL, context_tokens=131_072),
            ENDPOINT,
            "needs 131,124 tokens, takes 131,072",
        ),
        (
            replace(TASK, input_tokens=100, input_tokens_declared=True, max_tokens=1),
            replace(MODEL, context_tokens=1_000_000),
            replace(ENDPOINT, context_tokens=100),
            "needs 101 tokens, takes 100",
        ),
        (
            replace(TASK, max_tokens=64_000),
            replace(MODEL, max_output_tokens=8_192),
            ENDPOINT,
            "asks for 64k output tokens, gives 8,192",
        ),
        (
            replace(TASK, max_tokens=64_000),
            replace(MODEL, max_output_tokens=64_000, context_tokens=64_000),
            replace(ENDPOINT, max_output_tokens=32_000),
            "needs 65k tokens, takes 64k; asks for 64k output tokens, gives 32k",
        ),
    ],
)
def test_what_does_not_fit_says_how_much_is_needed(
    task: Task, model: Model, endpoint: Endpoint, detail: str
) -> None:
    found = against(ask(task=task, model=model, endpoint=endpoint))
    assert found == [("CONTEXT_TOO_SMALL", detail)]


def test_what_just_fits_or_is_unknown_is_not_excluded() -> None:
    task = replace(TASK, input_tokens=1_000, max_tokens=700)
    assert against(ask(task=task, model=replace(MODEL, context_tokens=1_700))) == []
    assert against(ask(task=task, model=replace(MODEL, context_tokens=1_699))) != []
    assert against(ask(task=task, model=replace(MODEL, max_input_tokens=1_000))) == []
    assert against(ask(task=task, model=replace(MODEL, max_input_tokens=999))) != []
    assert against(ask(task=replace(task, input_tokens=10**7))) == []
    assert against(ask(task=task, model=replace(MODEL, max_output_tokens=700))) == []


def test_what_is_expected_to_fit_but_may_not_is_said_and_not_excluded() -> None:
    task = replace(TASK, input_tokens=100_000, most_input_tokens=(150_000,) * 5)
    window = replace(MODEL, context_tokens=131_072)
    assert against(ask(task=task, model=window)) == []
    assert may_not_fit(task, ENDPOINT, window) == (
        "p/m may not hold the prompt: at most it needs 151k tokens, takes 131k"
    )
    limited = replace(MODEL, context_tokens=400_000, max_input_tokens=128_000)
    assert may_not_fit(task, ENDPOINT, limited) == (
        "p/m may not hold the prompt: at most it is 150k tokens of input, takes 128k"
    )
    assert may_not_fit(task, ENDPOINT, replace(MODEL, context_tokens=200_000)) is None
    assert may_not_fit(task, ENDPOINT, MODEL) is None


def test_an_attachment_of_unknown_size_is_said() -> None:
    unknown = replace(TASK, most_input_tokens=(None,) * 5)
    assert may_not_fit(unknown, ENDPOINT, MODEL) == (
        "the size of an attachment is unknown: p/m may not hold it"
    )


def test_a_declared_count_leaves_no_doubt() -> None:
    task = replace(TASK, input_tokens=130_000, input_tokens_declared=True)
    assert may_not_fit(task, ENDPOINT, replace(MODEL, context_tokens=131_072)) is None
