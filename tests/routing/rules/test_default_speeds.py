"""Speeds that nobody measured: longer on one's own machine, and said where speed decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Endpoint, Model, Price, Profile, Strategy
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.requests import Message, Request, RoutingChoices, Task
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.router import Router
from rolecall.registry.routing.rules.value import score
from rolecall.registry.scorer.model import Scorer
from tests.routing.rules.test_decide import MEASURED, STRONG, TINY, WEAK, ranking

HARD = (
    "Prove the Riemann-Roch theorem for compact Riemann surfaces, with all steps.",
    "Write a lock-free MPMC queue in C++20 with hazard pointers and prove it linearizable.",
    "Design a consensus protocol tolerant to Byzantine faults, with proofs of safety and liveness.",
    "Derive the Black-Scholes equation with stochastic volatility and solve it numerically.",
    "Find all integer solutions of x^2 - 7y^2 = 1 with proof.",
)
KEYS = ("ANTHROPIC", "OPENAI", "GEMINI", "GROQ", "DEEPSEEK", "MISTRAL")
FAST = Strategy("fast", quality_usd=0.02, ttft_usd_per_s=0.005, itl_usd_per_s=0.005)


def ttft(endpoint: Endpoint, tokens: int, cached: int = 0) -> float:
    task = Task("code", "detected", 0.9, "x", input_tokens=tokens, cached_tokens=cached)
    prediction = Prediction("m", 0.8, 0.1, 100, "latent")
    found = score(endpoint, Model("m"), prediction, task, FAST)
    assert dict(found.sources)["ttft_s"] == "default"
    return found.ttft_s


def test_one_s_own_machine_loads_the_model_and_reads_the_prompt_slowly() -> None:
    there, here = Endpoint("p/m", "m"), Endpoint("l/m", "m", locality="local")
    assert [ttft(there, tokens) for tokens in (0, 10_000)] == [3.0, 3.0]
    assert ttft(here, 0) == pytest.approx(7.5)
    assert ttft(here, 10_000) == pytest.approx(127.5)
    assert ttft(here, 10_000, cached=9_000) == pytest.approx(19.5)


def test_local_models_of_any_size_are_taken_to_be_equally_fast() -> None:
    """Seconds that nobody measured never make the weaker one win."""
    task = Task("code", "detected", 0.9, "x", input_tokens=500)
    here = Endpoint("l/m", "m", locality="local")
    small, large = (
        score(
            here, Model("m", parameters_b=size), Prediction("m", 0.5, 0.1, 9, "latent"), task, FAST
        )
        for size in (1.0, 70.0)
    )
    assert (small.ttft_s, small.itl_s) == (large.ttft_s, large.itl_s)


def test_it_is_said_where_speed_decides_and_none_is_known() -> None:
    unknown = replace(STRONG, profile=None), replace(WEAK, profile=None), TINY
    said = "speeds unknown, defaults used: rolecall probe"
    assert said in ranking(FAST, endpoints=unknown).notes
    assert said in ranking(Strategy("soon", max_ttft_s=60.0), endpoints=unknown).notes
    assert ranking(Strategy("balanced"), endpoints=unknown).notes == ()
    assert ranking(FAST).notes == ()
    declared = replace(TINY, profile=Profile(ttft_s=1.0))
    assert ranking(FAST, endpoints=(*unknown[:2], declared)).notes == ()


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


@pytest.mark.parametrize("strategy", ["balanced", "fast", "quality"])
@pytest.mark.parametrize("prompt", HARD)
def test_no_hard_prompt_goes_to_the_small_local_model(
    prompt: str, strategy: str, scorer: Scorer, tmp_path: Path
) -> None:
    keys = {f"{name}_API_KEY": "k" for name in KEYS}
    with open_registry(tmp_path / "r.db") as db:
        router = Router(db, scorer=scorer, environment=keys)
        choices = RoutingChoices(strategy=strategy)
        decision = router.decide(Request((Message("user", prompt),)), choices, record=False)
        assert decision.candidates[0].locality == "remote", decision.chosen
        alone = Router(db, scorer=scorer, environment={})
        decision = alone.decide(Request((Message("user", prompt),)), choices, record=False)
        best = max(decision.candidates, key=lambda one: one.success)
        assert decision.candidates[0].success >= best.success - 0.03


def test_what_was_measured_is_not_lengthened() -> None:
    here = Endpoint("l/m", "m", locality="local", profile=MEASURED, price=Price(0, 0))
    task = Task("code", "detected", 0.9, "x", input_tokens=10_000)
    found = score(here, Model("m"), Prediction("m", 0.5, 0.1, 9, "latent"), task, FAST)
    assert found.ttft_s == MEASURED.ttft_s
