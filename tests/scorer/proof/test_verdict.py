from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.scorer.proof.cases import Cases
from rolecall.registry.scorer.proof.proof import Verdict
from rolecall.registry.scorer.proof.prove import prove
from tests.scorer.proof.synthetic import (
    QUALITY_USD,
    cheap_will_do_on_easy,
    complementary,
    drawn,
    no_signal,
    one_dominates,
    predicted_at_random,
    two_equal_models,
)


def verdict(cases: Cases, quality_usd: float = QUALITY_USD) -> Verdict:
    return prove(cases, quality_usd, resamples=300).verdict


def test_without_signal_at_most_one_set_in_twenty_is_routed() -> None:
    routed = [verdict(no_signal(seed)).route for seed in range(100)]
    assert sum(routed) <= 5


def test_without_signal_the_words_name_a_model_and_an_interval_around_nothing() -> None:
    said = verdict(no_signal(1))
    assert said.text.startswith(
        f"don't: use {said.use} for everything; routing adds nothing here ("
    )
    assert said.points.low <= 0


@pytest.mark.parametrize("quality_usd", [0.002, 0.05])
def test_of_two_equal_models_the_cheap_one_is_to_be_used_for_everything(
    quality_usd: float,
) -> None:
    said = verdict(two_equal_models(2), quality_usd)
    assert (said.route, said.use) == (False, "cheap")
    assert said.text.startswith("don't: use cheap for everything")


def test_where_success_is_worth_far_more_than_either_costs_luck_seldom_picks_the_dear_one() -> None:
    used = [verdict(two_equal_models(seed, rows=200), 10.0).use for seed in range(20)]
    assert used.count("cheap") >= 14


def test_complementary_models_are_worth_routing_between() -> None:
    said = verdict(complementary(0))
    assert said.route
    assert said.text == "route: +20.5 points (16.7–23.8) at equal cost"
    # The truth: 0.85 on either half, against 0.65 for the better model alone.
    assert said.points.low < 0.20 < said.points.high


def test_a_cheap_model_that_will_do_on_the_easy_half_saves_at_equal_success() -> None:
    said = verdict(cheap_will_do_on_easy(0))
    assert said.route
    assert said.text == "route: saves 44 % (42–47) at equal success"
    # The truth: half of the calls at a tenth of the price save 45 %.
    assert said.saving is not None
    assert said.saving.low < 0.45 < said.saving.high


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_not_routed_by_however_much_there_would_be_to_find(seed: int) -> None:
    assert not verdict(predicted_at_random(complementary(seed), seed)).route
    assert not verdict(predicted_at_random(cheap_will_do_on_easy(seed), seed)).route


def test_a_model_that_is_best_and_cheapest_is_to_be_used_for_everything() -> None:
    said = verdict(one_dominates(0))
    assert said.text == (
        "don't: use small for everything; routing adds nothing here (0.0 … 0.0 points)"
    )


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
    assert said.text.endswith("against third") or "equal cost" in said.text


def test_without_costs_success_alone_decides() -> None:
    said = verdict(replace(complementary(0), costs=None, expected_costs=None))
    assert said.route
    assert said.text.startswith("route: +20.")
    assert said.text.endswith("), costs unknown")
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


def test_one_model_leaves_nothing_to_route() -> None:
    alone = drawn(np.random.default_rng(0), np.full((50, 1), 0.7), [0.001], names=("only",))
    said = verdict(alone)
    assert (said.route, said.text, said.use) == (False, "only one model: nothing to route", "only")


def test_gains_that_are_worth_less_than_a_single_model_are_not_routed() -> None:
    # On half of the hard prompts "ours" takes `strong` for the weaker one: above any mixture of
    # its cost, yet far from the success of `strong`, which is worth more than what is saved.
    cases = cheap_will_do_on_easy(0)
    said = cases.predicted["ours"].copy()
    missed = np.flatnonzero(said[:, 0] < 0.5)[::2]
    said[missed, 1] = 0.0
    found = verdict(replace(cases, predicted={"ours": said}))
    assert (found.route, found.use, found.saving) == (False, "strong", None)
    assert found.points.low > 0.05
    assert found.text == (
        "don't: use strong for everything; routing is worth no more at this dial "
        "(−$0.00298 … −$0.00090 a prompt)"
    )
