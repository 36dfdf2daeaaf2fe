"""What is predicted of models, with a scorer small enough to work out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.model import Scorer, known_script
from rolecall.registry.scorer.public_scores import PublicScore
from tests.scorer.prior_world import learnt
from tests.scorer.tiny import MODELS, tiny_facts, tiny_latent, tiny_scorer

SUM, POEM = "sums of two numbers", "poems about rain"
STRANGER = replace(tiny_facts(8), model="stranger-30b")


def predicted(scorer: Scorer, prompt: str, *facts: ModelFacts) -> tuple[Prediction, ...]:
    return scorer.predict(scorer.read(prompt), facts)


def tiny_with(**changes: Any) -> Scorer:
    scorer = tiny_scorer()
    return Scorer(replace(scorer.head, **changes), scorer.encoder, scorer.lengths)


def deviation(one: Prediction) -> float:
    """Return how unsure a prediction is, in logits."""
    return one.success_std / (one.success * (1 - one.success))


def asked_but(model: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return how often each model was asked, this one never."""
    asked = tiny_scorer().head.asked.copy()
    asked[:, model] = 0
    return asked


def test_models_with_a_taste_for_sums_lead_on_sums_and_trail_on_poems() -> None:
    scorer = tiny_scorer()
    everyone = [ModelFacts(model) for model in MODELS]
    on_sums = np.array([one.success for one in predicted(scorer, SUM, *everyone)])
    on_poems = np.array([one.success for one in predicted(scorer, POEM, *everyone)])
    taste = scorer.head.latent[:, 1]
    assert np.corrcoef(on_sums - on_poems, taste)[0, 1] > 0.9
    assert (on_sums.argsort() != on_poems.argsort()).any()


def test_a_name_is_found_whatever_its_place_and_case() -> None:
    plain, other = predicted(
        tiny_scorer(), SUM, ModelFacts("trained-4"), ModelFacts("maker/Trained-4")
    )
    assert (plain.success, other.basis) == (other.success, "latent")
    assert other.model == "maker/Trained-4"


def test_a_stranger_is_predicted_by_its_facts_and_less_surely() -> None:
    known, stranger = predicted(tiny_scorer(), SUM, tiny_facts(8), STRANGER)
    assert stranger.basis == "facts"
    assert stranger.success_std > 1.5 * known.success_std


def test_the_parts_of_a_success_add_up_to_it() -> None:
    for one in predicted(tiny_scorer(), POEM, ModelFacts(MODELS[2]), STRANGER):
        assert one.parts is not None
        whole = one.parts.average + one.parts.prompt + one.parts.local + one.parts.world
        assert whole == pytest.approx(one.success, abs=2e-4)


def test_the_pool_does_not_change_a_prediction() -> None:
    scorer, pool = tiny_scorer(), [*map(ModelFacts, MODELS), STRANGER]
    together = predicted(scorer, SUM, *pool)
    assert together == tuple(predicted(scorer, SUM, one)[0] for one in pool)
    assert predicted(scorer, SUM) == ()


def test_what_a_models_own_scores_add_counts_only_where_it_was_asked() -> None:
    expected = tiny_latent()
    expected[5, 0] += 2  # what training found of it is far less
    asked, never, as_expected = (
        tiny_with(expected_latent=expected),
        tiny_with(expected_latent=expected, asked=asked_but(5)),
        tiny_with(expected_latent=expected, latent=expected, asked=asked_but(5)),
    )
    one, other, right = (predicted(s, SUM, tiny_facts(5))[0] for s in (asked, never, as_expected))
    assert other.success > one.success + 0.2
    assert other.success == right.success
    assert deviation(other) > 1.05 * deviation(one)
    assert predicted(never, SUM, tiny_facts(4)) == predicted(asked, SUM, tiny_facts(4))


def test_training_reads_trained_models_as_predictions_do() -> None:
    expected = tiny_latent()
    expected[5, 0] += 2
    for asked in (tiny_scorer().head.asked, asked_but(5)):
        scorer = tiny_with(
            expected_latent=expected, asked=asked, latent_covariance=np.zeros((3, 3))
        )
        scorer.head.prior.own[:] = 0
        local, signals = scorer.understand(scorer.encoder.encode([SUM]), measure(SUM)[None])
        logit = scorer.trained_logits(signals, local, np.array([5]))[0, 0]
        said = predicted(scorer, SUM, tiny_facts(5))[0].success
        assert said == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)


def test_where_a_model_did_well_on_tasks_alike_more_is_expected_of_it_alone() -> None:
    calibration = replace(tiny_scorer().head.calibration, task_share=0.5)
    means = np.full((1, len(MODELS)), 0.5, dtype=np.float32)
    means[0, 3] = 0.95
    usual, well, never = (
        tiny_with(calibration=calibration),
        tiny_with(calibration=calibration, task_means=means),
        tiny_with(calibration=calibration, task_means=means, asked=asked_but(3)),
    )
    before, after, unasked = (
        predicted(scorer, SUM, tiny_facts(3), tiny_facts(4)) for scorer in (usual, well, never)
    )
    assert after[0].success > before[0].success + 0.1
    assert after[1] == before[1]
    assert unasked[0].parts is not None
    assert unasked[0].parts.local == 0


def efforts(weight: float) -> tuple[Prediction, ...]:
    """Return a model that did far better on the exam when thinking, one far worse, and both plain.

    A point on the exam weighs so much.
    """
    facts = [replace(tiny_facts(number), reasoning=False) for number in range(len(MODELS))]
    levels = [*np.linspace(0.2, 0.8, len(MODELS)).tolist(), 0.97, 0.05]
    thinking = [replace(facts[number], model=f"{MODELS[number]}-thinking") for number in (4, 5)]
    table = [
        PublicScore(one.model, "exam", level, "made up", False)
        for one, level in zip([*facts, *thinking], levels, strict=True)
    ]
    prior = learnt(facts, table, tiny_latent().astype(np.float64))
    common = np.zeros_like(prior.common)
    common[:3, 0] = weight * prior.inputs.factors.loading[0]
    return predicted(
        tiny_with(prior=replace(prior, common=common)), SUM, *thinking, facts[4], facts[5]
    )


def test_another_effort_of_a_trained_model_is_moved_from_it_by_its_scores_and_less_sure() -> None:
    better, worse, *plain = efforts(0.2)
    assert {one.basis for one in (better, worse)} == {"latent"}
    assert better.success > plain[0].success + 0.05
    assert worse.success < plain[1].success - 0.05
    assert deviation(better) > 1.1 * deviation(plain[0])
    assert deviation(worse) > 1.1 * deviation(plain[1])


def test_however_unsure_no_success_strays_farther_than_between_0_and_1() -> None:
    assert all(0.25 < one.success_std <= 0.5 for one in efforts(3.0)[:2])


def test_a_prompt_like_those_of_several_sets_and_of_none_is_less_familiar() -> None:
    head, three = tiny_scorer().head, np.ones((3, 1), dtype=np.float32)
    weight = np.zeros((len(head.task_weight), 3), dtype=np.float32)
    weight[0, 0] = weight[1, 1] = 20.0

    def of_tasks(*tasks: str) -> Scorer:
        return tiny_with(
            tasks=tasks,
            task_weight=weight,
            task_bias=np.zeros(3, dtype=np.float32),
            task_loading=three * head.task_loading,
            task_offset=np.zeros(3, dtype=np.float32),
            usual_signals=three * head.usual_signals,
            asked=three * head.asked,
            task_means=three * head.task_means,
        )

    apart, together = of_tasks("a/x", "b/x", "c/x"), of_tasks("a/x", "a/y", "a/z")
    assert apart.read(SUM).familiar == apart.read(POEM).familiar == 1
    assert apart.read("neither").familiar < 0.3
    assert together.read("neither").familiar == 1


def far_scorer() -> Scorer:
    """A tiny scorer to which every prompt is strange."""
    return tiny_with(calibration=replace(tiny_scorer().head.calibration, far=1.0, near=2.0))


def test_far_from_everything_a_prompt_counts_as_the_average_one_and_unsurely() -> None:
    near, far = tiny_scorer(), far_scorer()
    one, other = far.read(SUM), far.read(POEM)
    assert one.familiar == 0
    assert one.difficulty == other.difficulty
    strange, known = (predicted(s, SUM, ModelFacts(MODELS[11]))[0] for s in (far, near))
    assert strange.parts is not None
    assert strange.parts.familiar == 0
    assert strange.parts.prompt == 0
    assert strange.success_std > known.success_std
    # What is unsure is nearer to even odds than the same logit known surely.
    logit = float(far.head.latent[11] @ one.loading + one.offset)
    assert abs(strange.success - 0.5) < abs(1 / (1 + np.exp(-logit)) - 0.5)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Where is the station?", 1.0),
        ("Où est la gare à côté de l'hôtel ?", 1.0),
        ("駅はどこですか", 1.0),
        ("გამარჯობა, როგორ ხარ", 0.0),
        ("Где находится вокзал?", 0.0),
    ],
)
def test_a_script_that_no_judged_prompt_has_is_strange(text: str, known: float) -> None:
    assert known_script(measure(text)[None])[0] == pytest.approx(known)


@pytest.mark.parametrize("text", ["", "\n", "\x00", "?" * 5000, "日本語"])
def test_every_number_is_in_its_range(text: str) -> None:
    scorer = tiny_scorer()
    reading = scorer.read(text)
    assert 0 <= reading.difficulty <= 1
    for one in scorer.predict(reading, [*map(ModelFacts, MODELS), STRANGER, ModelFacts("x")]):
        assert 0 < one.success < 1
        assert 0.02 <= one.success_std <= 0.5
        assert one.output_tokens >= 1
