"""A stranger joins a scorer by its rows, and is predicted by them from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.evidence import FittedModel
from rolecall.registry.predictions import ModelFacts, Prediction
from rolecall.registry.scorer import artifact
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.design import (
    facts_prior,
    latent_prior,
    length_design,
    length_prior,
    success_design,
)
from rolecall.registry.scorer.fitted import FittedLatents, fitted_latents, packed
from rolecall.registry.scorer.joining import (
    Figures,
    Read,
    answers_of,
    fit_model,
    prior_of,
    read_prompts,
)
from rolecall.registry.scorer.posterior import predict_with
from rolecall.registry.scorer.model import Scorer
from tests.scorer.tiny import MODELS, tiny_head, tiny_scorer

STRANGER = ModelFacts("house/Stranger", parameters_b=10.0)


def silent(_done: int, _total: int) -> None:
    pass


def prompts(count: int) -> list[str]:
    return [f"{('sums', 'poems')[number % 2]}: {number}" for number in range(count)]


def judged(count: int, sums: float, poems: float, model: str = "stranger") -> Judged:
    """Return rows of a model with those chances of success, and answers of 20 or 200 tokens."""
    dice = np.random.default_rng(2)
    chance = np.where(np.arange(count) % 2, poems, sums)
    names = tuple(map(str, range(count)))
    return Judged(
        ids=names,
        prompts=tuple(prompts(count)),
        datasets=("world",) * count,
        tasks=tuple(("sums", "poems")[number % 2] for number in range(count)),
        groups=names,
        folds=np.zeros(count, dtype=np.int64),
        models=(model,),
        scores=(dice.random(count) < chance).astype(np.float32)[:, None],
        tokens=np.where(np.arange(count) % 2, 200, 20).astype(np.float32)[:, None],
        costs=np.full((count, 1), np.nan, dtype=np.float32),
    )


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return tiny_scorer()


def fitted(scorer: Scorer, rows: Judged, facts: ModelFacts = STRANGER) -> tuple[Scorer, Figures]:
    """Return the scorer with that model fitted, by way of what is stored."""
    read = read_prompts(scorer, rows.prompts, silent)
    belief, figures = fit_model(scorer.head, facts, read, rows)
    kept = FittedModel(
        scorer.version, "stranger", *packed(belief), len(rows.ids), (), "2026-11-22", "a.jsonl"
    )
    latents = fitted_latents(scorer.head, [kept])
    return Scorer(scorer.head, scorer.encoder, latents), figures


def asked(scorer: Scorer, prompt: str, facts: ModelFacts = STRANGER) -> Prediction:
    return scorer.predict(scorer.read(prompt), [facts])[0]


def test_the_design_says_what_the_scorer_says_of_a_trained_model(scorer: Scorer) -> None:
    for head in (scorer.head, _remembering(scorer.head)):
        own = Scorer(head, scorer.encoder)
        for row in (0, 5, 11):
            read = read_prompts(own, prompts(6), silent)
            design = success_design(head, read.signals, read.local[:, row])
            prior = latent_prior(head, row, read.signals)
            said = predict_with(prior, design, spread=head.calibration.latent_spread)
            logits = design.offset + design.features @ prior.mean
            whole, _ = own.trained_success(read.signals, read.local, np.array([row]))
            spread = head.calibration.latent_spread
            expected = np.log(whole[:, 0] / (1 - whole[:, 0])) * np.sqrt(1 + np.pi / 8 * spread**2)
            np.testing.assert_allclose(logits, expected, atol=1e-5)
            assert np.abs(said[0] - whole[:, 0]).max() < 0.1  # drawn to a half by more doubt


def _remembering(head: Head) -> Head:
    outcomes = np.linspace(-1, 1, len(head.models), dtype=np.float32)[None]
    calibration = replace(head.calibration, local_share=0.3, scale=1.2, shift=-0.4)
    return replace(head, outcomes=outcomes, calibration=calibration)


def test_the_design_of_lengths_says_what_the_scorer_says(scorer: Scorer) -> None:
    head, read = scorer.head, read_prompts(scorer, prompts(6), silent)
    design = length_design(head, read.signals)
    said = [design.offset + design.features @ length_prior(head, row).mean for row in range(12)]
    np.testing.assert_allclose(np.array(said).T, scorer.log_tokens(read.signals), atol=1e-5)


def test_without_rows_a_stranger_is_read_by_its_facts(scorer: Scorer) -> None:
    read = read_prompts(scorer, prompts(4), silent)
    design = success_design(scorer.head, read.signals)
    small, large = (
        predict_with(
            facts_prior(scorer.head, ModelFacts("x", parameters_b=b), read.signals), design
        )[0]
        for b in (1.0, 100.0)
    )
    assert (small + 0.2 < large).all()
    said = [asked(scorer, prompt).success for prompt in prompts(4)]
    middle = predict_with(facts_prior(scorer.head, STRANGER, read.signals), design)[0]
    np.testing.assert_allclose(middle, said, atol=0.05)


def test_the_facts_prior_allows_what_sets_models_apart_and_little_else(scorer: Scorer) -> None:
    before = facts_prior(scorer.head, STRANGER, read_prompts(scorer, prompts(4), silent).signals)
    # The trained models are good at sums where they are bad at poems.
    apart, together = np.array([1.0, -1.0, 0.0]), np.array([1.0, 1.0, 0.0])
    covariance = before.covariance
    assert apart @ covariance @ apart > 3 * (together @ covariance @ together)
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def _two_camps(differ: float = 0.3) -> Head:
    """Return a head of two tasks: half of the models were asked of each, and do well there."""
    head = tiny_head()
    latent, asked = np.zeros_like(head.latent), np.zeros((2, 12), dtype=np.float32)
    for task in (0, 1):
        camp = slice(6 * task, 6 * task + 6)
        asked[task, camp] = 1
        latent[0, camp, task] = 1 + differ * (-1.0) ** np.arange(6)
    # What training left where a model was never asked.
    latent[0, :6, 1] = 5.0
    return replace(head, tasks=("sums", "poems"), latent=latent, asked=asked)


def _like(*likeness: float) -> artifact.Floats:
    """Return the signals of one prompt that is so like each task."""
    return np.array([[[*likeness, 0, 0, 0]]], dtype=np.float32)


def test_a_stranger_stands_as_those_who_were_asked_the_same() -> None:
    head = _two_camps()
    sums, poems, both = (
        facts_prior(head, STRANGER, _like(*like)).mean for like in ((1, 0), (0, 1), (0.5, 0.5))
    )
    # On a task as those asked of it; a little more so where they are its peers.
    line = 6 / 7
    assert sums[:2] == pytest.approx([line + (1 - line) * 6 / 7, line])
    assert poems[:2] == pytest.approx([line, line + (1 - line) * 6 / 7])
    assert both[0] == pytest.approx(both[1])
    assert line < both[0] < sums[0]


def test_what_a_camp_is_weaker_by_belongs_to_its_task() -> None:
    head = _two_camps()
    weaker = np.zeros((1, 12), dtype=np.float32)
    weaker[0, :6] = -2
    before, after = (
        facts_prior(one, STRANGER, _like(0, 1)).mean
        for one in (head, replace(head, bias=head.bias + weaker))
    )
    assert after[0] == pytest.approx(before[0] - 2 * 6 / 7)
    assert after[1:] == pytest.approx(before[1:])


def test_a_stranger_is_as_open_as_its_peers_differ() -> None:
    alike, apart = (
        facts_prior(_two_camps(by), STRANGER, _like(1, 0)).covariance[0, 0] for by in (0.3, 1.2)
    )
    assert apart > 4 * alike
    assert 0.5 * 1.2**2 < apart < 1.2**2


def test_a_single_peer_leaves_open_what_any_model_may_do() -> None:
    head = _two_camps()
    alone = np.zeros_like(head.asked)
    alone[0, 0] = alone[1, 6:] = 1
    prior = facts_prior(replace(head, asked=alone), STRANGER, _like(1, 0))
    [strength], _ = head.prior.strength([STRANGER])
    # The one peer is 1.3 better at it, and 0.5 weaker, than its facts say. The stranger comes half
    # of the way by the task, and half of the rest as its peer.
    assert prior.mean[0] + prior.mean[-1] - strength == pytest.approx(0.75 * (1.3 - 0.5))
    assert prior.covariance[0, 0] > 0.2**2


def test_facts_that_had_to_be_guessed_leave_more_open() -> None:
    head = _two_camps()
    known = facts_prior(head, STRANGER, _like(1, 0)).covariance
    guessed = facts_prior(head, ModelFacts("house/unheard-of"), _like(1, 0)).covariance
    assert guessed[-1, -1] > known[-1, -1] + 0.1


def test_fitted_rows_are_what_is_predicted_from_then_on(scorer: Scorer) -> None:
    rows = judged(200, 0.9, 0.2)
    after, figures = fitted(scorer, rows)
    sums, poems = asked(after, "sums: new"), asked(after, "poems: new")
    assert sums.basis == poems.basis == "fitted"
    assert sums.success == pytest.approx(rows.scores[::2].mean(), abs=0.08)
    assert poems.success == pytest.approx(rows.scores[1::2].mean(), abs=0.08)
    assert sums.success_std < asked(scorer, "sums: new").success_std
    assert asked(after, "sums: new", ModelFacts("other/STRANGER")).basis == "fitted"
    assert asked(after, "sums: new", ModelFacts("another")).basis == "facts"
    assert figures.after_brier is not None
    assert figures.mean_brier is not None
    assert figures.after_brier < min(figures.before_brier, figures.mean_brier)


def test_the_more_rows_the_surer(scorer: Scorer) -> None:
    widths = []
    for count in (10, 40, 160, 640):
        after, _ = fitted(scorer, judged(count, 0.7, 0.4))
        widths.append(asked(after, "poems: new").success_std)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.5 * widths[0]


def test_lengths_are_fitted_where_rows_tell_them(scorer: Scorer) -> None:
    rows = judged(200, 0.7, 0.4)
    after, figures = fitted(scorer, rows)
    assert figures.length_rows == 200
    assert asked(after, "sums: new").output_tokens == pytest.approx(20, rel=0.3)
    assert asked(after, "poems: new").output_tokens == pytest.approx(200, rel=0.3)
    untold = replace(rows, tokens=np.full_like(rows.tokens, np.nan))
    after, figures = fitted(scorer, untold)
    assert figures.length_rows == 0
    assert asked(after, "sums: x").output_tokens == asked(scorer, "sums: x").output_tokens


def test_a_trained_model_starts_from_its_training(scorer: Scorer) -> None:
    facts, read = ModelFacts(f"x/{MODELS[3].upper()}"), read_prompts(scorer, prompts(4), silent)
    trained = latent_prior(scorer.head, 3, read.signals).mean
    assert (prior_of(scorer.head, facts, read).mean == trained).all()
    assert (facts_prior(scorer.head, facts, read.signals).mean != trained).any()


def test_rows_of_one_group_are_never_on_both_sides(scorer: Scorer) -> None:
    rows = judged(60, 0.9, 0.2)
    together = replace(rows, groups=("same",) * 60)
    _, figures = fitted(scorer, together)
    assert figures.after_brier is None
    assert figures.mean_brier is None
    # One group of successes, one of failures: held back, each is foretold by the other.
    scores = np.repeat([1.0, 0.0], 30)[:, None].astype(np.float32)
    halves = replace(rows, groups=("a",) * 30 + ("b",) * 30, scores=scores)
    _, figures = fitted(scorer, halves)
    assert figures.mean_brier is not None
    assert figures.mean_brier > 0.9


def test_only_the_models_own_rows_are_taken() -> None:
    rows = judged(4, 1.0, 1.0)
    scores = np.array([[1, np.nan], [np.nan, 0], [0.5, 1], [np.nan, np.nan]], dtype=np.float32)
    both = replace(
        rows,
        models=("stranger", "other"),
        scores=scores,
        tokens=np.repeat(rows.tokens, 2, axis=1),
        costs=np.repeat(rows.costs, 2, axis=1),
    )
    assert answers_of(both, "stranger").ids == ("0", "2")
    assert answers_of(both, "other").scores[:, 0].tolist() == [0, 1]


def test_what_is_stored_is_what_was_fitted(scorer: Scorer) -> None:
    rows = judged(50, 0.7, 0.4)
    read: Read = read_prompts(scorer, rows.prompts, silent)
    belief, _ = fit_model(scorer.head, STRANGER, read, rows)
    kept = FittedModel(scorer.version, "stranger", *packed(belief), 50, (), "", "")
    again = fitted_latents(scorer.head, [kept]).belief("Stranger")
    assert again is not None
    np.testing.assert_allclose(again.success.mean, belief.success.mean, rtol=1e-6)
    np.testing.assert_allclose(again.success.covariance, belief.success.covariance, rtol=1e-6)
    other = replace(kept, scorer_version="another")
    assert fitted_latents(scorer.head, [other]).belief("stranger") is None


@pytest.mark.parametrize("field", ["mean", "covariance", "tokens"])
@pytest.mark.parametrize("blob", [b"", b"\x00\x01\x02", np.full(4, np.nan, "<f4").tobytes()])
def test_a_damaged_fit_is_told_with_what_to_type(scorer: Scorer, field: str, blob: bytes) -> None:
    belief, _ = fit_model(
        scorer.head, STRANGER, read_prompts(scorer, prompts(4), silent), judged(4, 1.0, 0.0)
    )
    kept = FittedModel(scorer.version, "stranger", *packed(belief), 4, (), "", "")
    parts: dict[str, Any] = {field: blob}
    damaged = replace(kept, **parts)
    with pytest.raises(ScorerUnusable, match="what was fitted for stranger is damaged") as caught:
        fitted_latents(scorer.head, [damaged])
    assert caught.value.hint == "rolecall scorer fit stranger --forget"


def test_no_fits_are_no_fits(scorer: Scorer) -> None:
    none = FittedLatents(scorer.head, {})
    assert "stranger" not in none
    assert none.belief("stranger") is None
