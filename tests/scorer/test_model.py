"""What is predicted of models, with a scorer that can be reckoned with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.model import Scorer, known_script
from tests.scorer.tiny import MODELS, tiny_facts, tiny_scorer

SUM, POEM = "sums of two numbers", "poems about rain"
STRANGER = replace(tiny_facts(8), model="stranger-30b")


def predicted(scorer: Scorer, prompt: str, *facts: ModelFacts) -> tuple[Prediction, ...]:
    return scorer.predict(scorer.read(prompt), facts)


def test_models_with_a_taste_for_sums_lead_on_sums_and_trail_on_poems() -> None:
    scorer = tiny_scorer()
    everyone = [ModelFacts(model) for model in MODELS]
    on_sums = np.array([one.success for one in predicted(scorer, SUM, *everyone)])
    on_poems = np.array([one.success for one in predicted(scorer, POEM, *everyone)])
    taste = scorer.head.latent[:, 1]
    assert np.corrcoef(on_sums - on_poems, taste)[0, 1] > 0.9
    assert (on_sums.argsort() != on_poems.argsort()).any()


def test_a_success_is_the_logistic_of_what_latent_and_loading_make() -> None:
    scorer = tiny_scorer()
    reading = scorer.read(SUM)
    logit = scorer.head.latent[5] @ reading.loading + reading.offset
    [one] = scorer.predict(reading, [ModelFacts(MODELS[5])])
    covariance = reading.loading @ scorer.head.latent_covariance @ reading.loading
    shrunk = logit / np.sqrt(1 + np.pi / 8 * covariance)
    assert one.success == pytest.approx(1 / (1 + np.exp(-shrunk)), abs=1e-4)
    assert one.basis == "latent"


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


def test_a_larger_stranger_is_not_predicted_worse() -> None:
    small, large = (replace(STRANGER, parameters_b=size) for size in (1.0, 100.0))
    low, high = predicted(tiny_scorer(), SUM, small, large)
    assert low.success < high.success


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


def far_scorer() -> Scorer:
    """A tiny scorer to which every prompt is strange."""
    scorer = tiny_scorer()
    calibration = replace(scorer.head.calibration, far=1.0, near=2.0)
    return Scorer(replace(scorer.head, calibration=calibration), scorer.encoder, scorer.lengths)


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
