from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.evaluation.cases import Cases
from rolecall.registry.evaluation.compare import compare
from rolecall.registry.evaluation.results import EvalVerdict
from rolecall.registry.evaluation.verdict import AS_SUCCESSFUL, EQUAL_SUCCESS, MOST_VALUE
from tests.evaluation.synthetic import (
    QUALITY_USD,
    cheap_will_do_on_easy,
    complementary,
    drawn,
    no_signal,
    one_dominates,
    predicted_at_random,
    two_equal_models,
)


def verdict(cases: Cases, quality_usd: float = QUALITY_USD) -> EvalVerdict:
    return compare(cases, quality_usd, resamples=300)[0].verdict


def test_without_signal_hardly_any_set_is_routed() -> None:
    routed = [verdict(no_signal(seed)).route for seed in range(30)]
    assert sum(routed) <= 2


@pytest.mark.parametrize("quality_usd", [0.002, 0.05])
def test_of_two_equal_models_the_cheap_one_is_to_be_used_for_everything(
    quality_usd: float,
) -> None:
    said = verdict(two_equal_models(2), quality_usd)
    assert (said.route, said.model) == (False, "cheap")
    assert said.text.startswith("don't: use cheap for everything")


def test_where_success_is_worth_far_more_than_either_costs_luck_seldom_picks_the_dear_one() -> None:
    used = [verdict(two_equal_models(seed, rows=200), 10.0).model for seed in range(20)]
    assert used.count("cheap") >= 14


def test_complementary_models_are_worth_routing_between() -> None:
    said = verdict(complementary(0))
    assert said.route
    over = "over any mix of single models at equal cost"
    assert said.text == f"route: +20.5 points (17.2–23.5) {over}"
    # The truth: 0.85 on either half, against 0.65 for the better model alone.
    assert said.points.low < 0.20 < said.points.high


def test_a_cheap_model_that_will_do_on_the_easy_half_saves_at_equal_success() -> None:
    said = verdict(cheap_will_do_on_easy(0))
    assert said.route
    assert said.text == "route: saves 45 % (42–47) of the cost of strong at equal success"
    # The truth: half of the calls at a tenth of the price save 45 %.
    assert said.saving is not None
    assert said.saving.low < 0.45 < said.saving.high


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_not_routed_by_however_much_there_would_be_to_find(seed: int) -> None:
    assert not verdict(predicted_at_random(complementary(seed), seed)).route
    assert not verdict(predicted_at_random(cheap_will_do_on_easy(seed), seed)).route


def third_model_as_good_and_cheap(seed: int) -> Cases:
    """The easy half again, beside a constant that is as good as `strong` at a third."""
    cases = cheap_will_do_on_easy(seed)
    random = np.random.default_rng(seed)
    truth = np.column_stack([cases.predicted["ours"], cases.predicted["ours"][:, 1]])
    return drawn(random, truth, [0.001, 0.01, 0.003], names=("cheap", "strong", "third"))


def test_what_a_cheaper_constant_saves_too_is_not_credited_to_routing() -> None:
    said = verdict(third_model_as_good_and_cheap(0))
    assert said.saving is not None
    # Against `strong` some 80 % are saved; against `third`, which is as good, a third.
    assert said.saving.high < 0.45
    assert "of the cost of third at equal success" in said.text or "equal cost" in said.text


def test_without_costs_success_alone_decides() -> None:
    said = verdict(replace(complementary(0), costs=None, expected_costs=None))
    assert said.route
    assert said.text.startswith("route: +20.")
    assert said.text.endswith("over any mix of single models, costs unknown")
    assert said.saving is None
    unknown = replace(two_equal_models(0), costs=None, expected_costs=None)
    assert not verdict(unknown).route


def test_too_few_cases_tell_nothing() -> None:
    few = complementary(0, rows=29)
    assert verdict(few).text == "too few cases to tell (29)"
    assert not verdict(few).route
    assert verdict(complementary(0, rows=30)).text != "too few cases to tell (30)"


def test_groups_are_the_cases_that_count() -> None:
    grouped = replace(complementary(0), groups=tuple(str(row % 12) for row in range(600)))
    assert verdict(grouped).text == "too few cases to tell (12)"


def test_gains_that_are_worth_less_than_a_single_model_are_not_routed() -> None:
    # On half of the hard prompts "ours" takes `strong` for the weaker one: above any mixture of
    # its cost, yet far from the success of `strong`, which is worth more than what is saved.
    cases = cheap_will_do_on_easy(0)
    said = cases.predicted["ours"].copy()
    missed = np.flatnonzero(said[:, 0] < 0.5)[::2]
    said[missed, 1] = 0.0
    found = verdict(replace(cases, predicted={"ours": said}))
    assert (found.route, found.model, found.saving) == (False, "strong", None)
    assert found.points.low > 0.05
    assert found.text == (
        "don't: use strong for everything; routing is worth no more at this dial "
        "(−$0.00299 … −$0.00074 a prompt)"
    )


def test_the_figures_of_the_sentence_stand_in_the_table() -> None:
    found, _ = compare(cheap_will_do_on_easy(0), QUALITY_USD, resamples=200)
    by_name = {one.policy: one for one in found.policies}
    assert by_name[EQUAL_SUCCESS].saving == found.verdict.saving
    assert by_name[EQUAL_SUCCESS].over_mixtures == found.verdict.points
    found, _ = compare(two_equal_models(2), QUALITY_USD, resamples=200)
    [ours] = [one for one in found.policies if one.policy == "ours"]
    assert ours.over_mixtures == found.verdict.points


def test_answers_that_nobody_asked_for_change_no_verdict() -> None:
    for cases, route in ((complementary(0), True), (no_signal(1), False)):
        asked = np.random.default_rng(0).random(cases.scores.shape) < 0.6
        asked[np.arange(len(asked)), np.arange(len(asked)) % asked.shape[1]] = True
        part = replace(cases, scores=np.where(asked, cases.scores, np.nan))
        found = verdict(part)
        assert found.route == route
        if route:
            assert found.points.low < 0.20 < found.points.high


def test_weak_models_asked_only_easy_prompts_do_not_turn_a_dont_into_a_route() -> None:
    """`small` is best at everything; the others were asked what is easy."""
    cases = one_dominates(0)
    rng = np.random.default_rng(0)
    easy = rng.random(600) < 0.5
    truth = np.where(easy[:, None], [0.8, 0.85, 0.95], [0.4, 0.5, 0.75])
    scores = (rng.random(truth.shape) < truth).astype(float)
    scores[~easy & (rng.random(600) < 0.8), :2] = np.nan
    part = replace(cases, scores=scores, predicted={"ours": truth})
    said = verdict(part)
    assert (said.route, said.model) == (False, "small")


def test_without_signal_the_words_name_a_model_and_an_interval_around_nothing() -> None:
    said = verdict(no_signal(1))
    assert said.text.startswith(
        f"don't: use {said.model} for everything; routing adds nothing here ("
    )
    assert said.points.low <= 0


def test_a_model_that_is_best_and_cheapest_is_to_be_used_for_everything() -> None:
    said = verdict(one_dominates(0))
    assert said.text == (
        "don't: use small for everything; routing adds nothing here (0.0 … 0.0 points)"
    )


def test_the_model_that_the_words_name_is_the_one_that_figures_are_against() -> None:
    for cases in (cheap_will_do_on_easy(0), two_equal_models(2), one_dominates(0)):
        found, _ = compare(cases, QUALITY_USD, resamples=200)
        said = found.verdict
        assert said.model in said.text
        assert said.rule in (MOST_VALUE, AS_SUCCESSFUL)
        [named] = [one for one in found.policies if one.policy == f"single:{said.model}"]
        assert named.success_gain.mean == 0
        assert named.saving is not None
        assert named.saving.mean == 0
