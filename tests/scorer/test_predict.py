from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.model import REASONING_TOKENS, Scorer
from rolecall.registry.scorer.training.beliefs import training_models

OPUS = ModelFacts("anthropic/claude-opus-4-6", None, "2026-02-05", 25, True, False)
GPT5 = ModelFacts("openai/gpt-5", None, "2025-08-07", 10, True, False)
MINI = ModelFacts("openai/gpt-5-mini", None, "2025-08-07", 2, True, False)
NANO = ModelFacts("openai/gpt-5-nano", None, "2025-08-07", 0.4, True, False)
LLAMA = ModelFacts("groq/llama-3.3-70b", 70, "2024-12-06", 0.79, False, True)
QWEN = ModelFacts("ollama/qwen3-8b", 8.2, "2025-04-28", None, False, True)
TINY = ModelFacts("ollama/gemma3-1b", 1, "2025-03-12", None, False, True)
SMALL = ModelFacts("ollama/llama-3.2-3b", 3.2, "2024-09-25", None, False, True)
POOL = (OPUS, GPT5, MINI, NANO, LLAMA, QWEN, SMALL)

HARD = (
    "Let f be continuous on the reals with f(f(x)) = -x. Prove that no such f exists.",
    "Implement a distributed lock manager in Go with fencing tokens, lease renewal and tests.",
    "Compute the second-order energy shift of a hydrogen atom in a uniform electric field.",
)
TRIVIAL = ("hi", "good evening!", "thanks a lot, bye", "ok great", "hello, are you there?")


def successes(scorer: Scorer, prompt: str, pool: tuple[ModelFacts, ...] = POOL) -> list[float]:
    return [prediction.success for prediction in scorer.predict(scorer.read(prompt), pool)]


@pytest.mark.parametrize("prompt", HARD)
def test_on_hard_prompts_larger_dearer_newer_reasoning_models_lead(
    scorer: Scorer, prompt: str
) -> None:
    opus, gpt5, mini, nano, llama, qwen, small = successes(scorer, prompt)
    assert opus >= gpt5 > mini > nano
    assert gpt5 > llama > qwen > small
    assert gpt5 - small > 0.3
    assert successes(scorer, prompt, (TINY,))[0] < small
    assert abs(nano - llama) < gpt5 - llama


@pytest.mark.parametrize("prompt", TRIVIAL)
def test_on_trivial_prompts_every_model_is_good_and_they_hardly_differ(
    scorer: Scorer, prompt: str
) -> None:
    found = successes(scorer, prompt)
    assert min(found) > 0.85
    assert max(found) - min(found) < 0.15


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (ModelFacts("a", 8, "2025-01", 1.0), ModelFacts("b", 80, "2025-01", 1.0)),
        (ModelFacts("a", None, "2025-01", 1.0), ModelFacts("b", None, "2025-01", 10.0)),
        (ModelFacts("a", 8, "2023-06", 1.0), ModelFacts("b", 8, "2024-12", 1.0)),
        (
            ModelFacts("a", 8, "2025-01", 1.0, reasoning=False),
            ModelFacts("b", 8, "2025-01", 1.0, reasoning=True),
        ),
    ],
)
def test_one_better_fact_never_lowers_success(
    scorer: Scorer, weaker: ModelFacts, stronger: ModelFacts
) -> None:
    for prompt in HARD + TRIVIAL + ("Which verb form is correct?\nA. go\nB. goes\nC. gone",):
        low, high = successes(scorer, prompt, (weaker, stronger))
        assert low <= high


def test_dates_past_the_clamp_add_no_strength_but_doubt(scorer: Scorer) -> None:
    soon, later = (ModelFacts("m", 70, date, 1.0, False, True) for date in ("2027-01", "2035-01"))
    strength, spread = scorer.head.prior.strength([soon, later])
    assert strength[0] == strength[1]
    assert spread[0] < spread[1]


def test_a_price_of_zero_is_unknown_not_cheap(scorer: Scorer) -> None:
    free = ModelFacts("m", 8, "2025-01", 0.0, False, True)
    unpriced = ModelFacts("m", 8, "2025-01", None, False, True)
    reading = scorer.read(HARD[0])
    assert scorer.predict(reading, [free]) == scorer.predict(reading, [unpriced])


def test_a_model_seen_in_training_is_read_by_its_latent_whatever_its_prefix_and_case(
    scorer: Scorer,
) -> None:
    reading = scorer.read(HARD[0])
    names = ("claude-3-opus-20240229", "anthropic/Claude-3-Opus-20240229", "a/b/gpt-4-0314")
    found = scorer.predict(reading, [ModelFacts(name) for name in names])
    assert [one.basis for one in found] == ["latent"] * 3
    assert [one.model for one in found] == list(names)
    assert found[0].success == found[1].success
    assert scorer.predict(reading, [ModelFacts("claude-3-opus")])[0].basis == "facts"


def test_a_variant_is_read_by_its_own_latent_else_by_its_models(scorer: Scorer) -> None:
    reading, base = scorer.read(HARD[0]), "gpt-4-0314"
    known, variant = scorer.predict(
        reading, [ModelFacts(base), ModelFacts(base, reasoning=True).with_effort("high")]
    )
    assert (variant.model, variant.basis) == (f"{base}-high", "latent")
    assert variant.success == known.success
    assert variant.output_tokens > known.output_tokens
    own, plain = scorer.predict(
        reading, [ModelFacts("claude-3-opus-20240229", base=base), ModelFacts("x", base="y")]
    )
    [opus] = scorer.predict(reading, [ModelFacts("claude-3-opus-20240229")])
    assert (own.success, plain.basis) == (opus.success, "facts")


def test_facts_are_visibly_less_sure_than_latents(scorer: Scorer) -> None:
    known = [model.facts for model in training_models(scorer.head.models)]
    unnamed = [replace(facts, model=f"not-{facts.model}") for facts in known]
    for prompt in HARD:
        reading = scorer.read(prompt)
        latent = np.mean([one.success_std for one in scorer.predict(reading, known)])
        facts = np.mean([one.success_std for one in scorer.predict(reading, unnamed)])
        assert facts > 1.3 * latent


def test_fewer_facts_mean_more_doubt(scorer: Scorer) -> None:
    known = ModelFacts("m", 30, "2024-08", 1.0, False, True)
    partly = ModelFacts("m", 30, "2024-08", None, False, True)
    unknown = ModelFacts("m")
    _, spread = scorer.head.prior.strength([known, partly, unknown])
    assert spread[0] < spread[1] < spread[2]


def test_every_number_is_in_its_range(scorer: Scorer) -> None:
    pool = [*POOL, ModelFacts("nobody-knows"), ModelFacts("gpt-4-0314"), ModelFacts("x", 1e-9)]
    for prompt in ("", " ", "\x00", "?" * 5000, *HARD, *TRIVIAL, "日本語で挨拶してください"):
        reading = scorer.read(prompt)
        assert 0 <= reading.difficulty <= 1
        for one in scorer.predict(reading, pool):
            assert 0 < one.success < 1
            assert 0.02 <= one.success_std <= 0.5
            assert 1 <= one.output_tokens <= 40_000


def test_hard_prompts_are_more_difficult_than_trivial_ones(scorer: Scorer) -> None:
    hard = [scorer.read(prompt).difficulty for prompt in HARD]
    trivial = [scorer.read(prompt).difficulty for prompt in TRIVIAL]
    assert min(hard) > max(trivial) + 0.15


def test_hidden_reasoning_adds_tokens_that_grow_with_difficulty(scorer: Scorer) -> None:
    plain = ModelFacts("m", 70, "2025-01", 1.0, False, True)
    thinking = ModelFacts("m", 70, "2025-01", 1.0, True, True)

    def added(prompt: str) -> int:
        said, thought = scorer.predict(scorer.read(prompt), [plain, thinking])
        return thought.output_tokens - said.output_tokens

    assert REASONING_TOKENS <= added("hi") < added(HARD[0])


def test_the_same_prompt_gives_the_same_numbers_alone_or_among_others(scorer: Scorer) -> None:
    reading = scorer.read(HARD[1])
    whole = scorer.predict(reading, POOL)
    alone = tuple(scorer.predict(scorer.read(HARD[1]), [facts])[0] for facts in POOL)
    assert whole == alone
    assert scorer.predict(reading, POOL[::-1]) == whole[::-1]


def test_an_empty_pool_has_no_predictions(scorer: Scorer) -> None:
    none: tuple[Prediction, ...] = ()
    assert scorer.predict(scorer.read("hi"), []) == none


def test_a_thousand_models_take_milliseconds(scorer: Scorer) -> None:
    reading = scorer.read(HARD[0])
    pool = [ModelFacts(f"m{i}", 1.0 + i, "2025-01", 0.1 * i, bool(i % 2)) for i in range(1000)]
    times = []
    for _ in range(15):
        start = time.perf_counter()
        scorer.predict(reading, pool)
        times.append(time.perf_counter() - start)
    # Ten times what it takes, so that only a loop gone quadratic fails on a busy machine.
    assert min(times) < 0.05
