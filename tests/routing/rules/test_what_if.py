from dataclasses import replace

from rolecall.registry.core.decisions import Candidate, Exclusion, Flip
from rolecall.registry.core.entities import Strategy
from rolecall.registry.routing.rules.eligibility import exclusions_after_scoring
from rolecall.registry.routing.rules.ranking import rank
from rolecall.registry.routing.rules.value import value
from rolecall.registry.routing.rules.what_if import flips
from tests.routing.rules.candidates import candidate

NO_WEIGHTS = Strategy("s", quality_usd=0.0, ttft_usd_per_s=0.0, itl_usd_per_s=0.0, tie_band_usd=0.0)


def flips_of(
    pool: list[Candidate],
    strategy: Strategy,
    incumbent: str | None = None,
    worth: float = 1.0,
) -> dict[str, Flip]:
    able: list[Candidate] = []
    excluded: list[Exclusion] = []
    for one in pool:
        usd = value(one.success, one.cost_usd, one.ttft_s, one.streaming_s, strategy, worth)
        each = one._replace(value_usd=usd)
        against = list(exclusions_after_scoring(each, strategy))
        if strategy.local_only and each.locality == "remote":
            against.append(Exclusion(each.endpoint, "POLICY_DENY_REMOTE", "", each))
        excluded += against
        if not against:
            able.append(each)
    found = flips(rank(able, strategy, incumbent), excluded, strategy, incumbent, worth)
    return {flip.parameter: flip for flip in found}


def test_a_correct_answer_worth_less_or_more_turns_the_choice() -> None:
    strong, weak = candidate("strong", 0.75, 0.5), candidate("weak", 0.25, 0.25)
    expensive = flips_of([strong, weak], replace(NO_WEIGHTS, quality_usd=1.0))
    assert expensive["quality_usd"] == Flip(
        "quality_usd", 1.0, 0.5, "if a correct answer were worth under $0.5 (now $1)", "weak"
    )
    cheap = flips_of([strong, weak], replace(NO_WEIGHTS, quality_usd=0.25))
    assert cheap["quality_usd"] == Flip(
        "quality_usd", 0.25, 0.5, "if a correct answer were worth over $0.5 (now $0.25)", "strong"
    )


def test_what_is_at_stake_is_named_in_the_flip_and_moves_where_the_weight_turns_it() -> None:
    strong, weak = candidate("strong", 0.75, 0.5), candidate("weak", 0.25, 0.25)
    found = flips_of([strong, weak], replace(NO_WEIGHTS, quality_usd=0.25), worth=4.0)
    assert found["quality_usd"] == Flip(
        "quality_usd",
        0.25,
        0.125,
        "if a correct answer were worth under $0.5 (now $1 = 4 × $0.25)",
        "weak",
    )
    nothing = flips_of([strong, weak], NO_WEIGHTS, worth=4.0)["quality_usd"]
    assert nothing.change == "if a correct answer were worth over $0.5 (now $0)"


def test_tokens_that_the_wait_leaves_out_do_not_move_where_waiting_turns_the_choice() -> None:
    long = candidate("long", 0.75, itl_s=0.0078125)._replace(output_tokens=640, untimed_tokens=512)
    short = candidate("short", 0.5)
    found = flips_of([long, short], replace(NO_WEIGHTS, quality_usd=1.0))
    # 0.25 USD more for 128 tokens at 1/128 s each, a second in all.
    assert (found["itl_usd_per_s"].becomes, found["itl_usd_per_s"].chosen) == (0.25, "short")


def test_waiting_turns_the_choice_either_way() -> None:
    slow, fast = candidate("slow", 0.75, 0.0, 2.0), candidate("fast", 0.5, 0.0, 1.0)
    patient = flips_of([slow, fast], replace(NO_WEIGHTS, quality_usd=1.0))
    assert patient["ttft_usd_per_s"] == Flip(
        "ttft_usd_per_s",
        0.0,
        0.25,
        "if waiting for the first token cost over $0.25 a second (now $0)",
        "fast",
    )
    hasty = replace(NO_WEIGHTS, quality_usd=1.0, ttft_usd_per_s=1.0)
    assert flips_of([slow, fast], hasty)["ttft_usd_per_s"].change == (
        "if waiting for the first token cost under $0.25 a second (now $1)"
    )


def test_the_rest_of_the_answer_counts_by_its_length() -> None:
    slow, fast = candidate("slow", 0.75, itl_s=2 / 128), candidate("fast", 0.5, itl_s=1 / 128)
    flip = flips_of([slow, fast], replace(NO_WEIGHTS, quality_usd=1.0))["itl_usd_per_s"]
    assert (flip.becomes, flip.chosen) == (0.25, "fast")
    assert flip.change == "if waiting for the rest of the answer cost over $0.25 a second (now $0)"


def test_a_tie_that_only_a_weight_of_nothing_makes_is_told_as_nothing() -> None:
    fast, known = candidate("z", 0.5, 0.0, 1.0), candidate("a", 0.5, 0.0, 2.0)
    strategy = replace(NO_WEIGHTS, quality_usd=1.0, ttft_usd_per_s=0.5)
    flip = flips_of([fast, known], strategy)["ttft_usd_per_s"]
    assert (flip.becomes, flip.chosen) == (0.0, "a")
    assert flip.change == ("if waiting for the first token cost nothing a second (now $0.5)")


def test_a_wider_band_lets_in_and_a_narrower_one_leaves_out() -> None:
    best, cheap = candidate("best", 1.0, 0.25), candidate("cheap", 0.5, 0.0)
    strategy = replace(NO_WEIGHTS, quality_usd=1.0, tie_band_usd=0.125)
    assert flips_of([best, cheap], strategy)["tie_band_usd"] == Flip(
        "tie_band_usd", 0.125, 0.25, "if values up to $0.25 apart were ties (now $0.125)", "cheap"
    )
    wide = replace(strategy, tie_band_usd=0.5)
    assert flips_of([best, cheap], wide)["tie_band_usd"] == Flip(
        "tie_band_usd", 0.5, 0.25, "if only values under $0.25 apart were ties (now $0.5)", "best"
    )


def test_limits_drop_the_chosen_or_admit_a_better_one() -> None:
    best, second = candidate("best", 0.75, 0.5), candidate("second", 0.5, 0.375)
    strategy = replace(NO_WEIGHTS, quality_usd=1.0)
    free = flips_of([best, second], strategy)
    assert free["max_cost_usd"] == Flip(
        "max_cost_usd", None, 0.5, "if an answer had to cost under $0.5 (now no limit)", "second"
    )
    assert free["min_success"] == Flip(
        "min_success", None, 0.75, "if more than 0.75 success were asked (now no minimum)", None
    )
    held = flips_of([best, second], replace(strategy, max_cost_usd=0.4375))
    assert held["max_cost_usd"] == Flip(
        "max_cost_usd", 0.4375, 0.5, "if an answer could cost $0.5 (now $0.4375)", "best"
    )


def test_a_lower_floor_admits_who_was_only_too_weak() -> None:
    cheap, other = candidate("cheap", 0.5, 0.0), candidate("other", 0.75, 0.625)
    strategy = replace(NO_WEIGHTS, quality_usd=1.0, min_success=0.625)
    assert flips_of([cheap, other], strategy)["min_success"] == Flip(
        "min_success", 0.625, 0.5, "if 0.5 success were enough (now 0.625)", "cheap"
    )


def test_times_are_told_in_seconds() -> None:
    slow, fast = candidate("slow", 0.75, 0.0, 2.0, 1 / 128), candidate("fast", 0.5, 0.0, 1.0)
    found = flips_of([slow, fast], replace(NO_WEIGHTS, quality_usd=1.0))
    assert found["max_ttft_s"].change == (
        "if the first token had to come in under 2 s (now no limit)"
    )
    assert found["max_duration_s"].change == (
        "if the whole answer had to come in under 3 s (now no limit)"
    )
    assert (found["max_ttft_s"].chosen, found["max_duration_s"].chosen) == ("fast", "fast")
    strategy = replace(NO_WEIGHTS, quality_usd=1.0, max_ttft_s=1.5)
    admitted = flips_of([slow, fast], strategy)["max_ttft_s"]
    assert admitted.change == "if the first token could take 2 s (now 1.5 s)"


def test_locality_turns_the_choice_both_ways() -> None:
    far, near = candidate("far", 0.75), candidate("near", 0.5, locality="local")
    strategy = replace(NO_WEIGHTS, quality_usd=1.0)
    assert flips_of([far, near], strategy)["local_only"] == Flip(
        "local_only", False, True, "if only local endpoints were allowed", "near"
    )
    assert flips_of([far, near], replace(strategy, local_only=True))["local_only"] == Flip(
        "local_only", True, False, "if remote endpoints were allowed", "far"
    )


def test_a_bound_is_rounded_so_that_its_sentence_stays_true() -> None:
    strong, weak = candidate("strong", 0.9, 0.02), candidate("weak", 0.2, 0.0)
    found = flips_of([strong, weak], replace(NO_WEIGHTS, quality_usd=0.05))
    # The boundary is 0.02 / 0.7 = 0.028571…
    assert found["quality_usd"].change == "if a correct answer were worth under $0.0285 (now $0.05)"
    exact = flips_of([candidate("a", 0.81239, 0.018461), candidate("b", 0.1)], Strategy("s"))
    assert exact["min_success"].change == "if more than 0.813 success were asked (now no minimum)"
    assert exact["max_cost_usd"].change == "if an answer had to cost under $0.0184 (now no limit)"
    floor = Strategy("s", quality_usd=0.0, min_success=0.85)
    lowered = flips_of([candidate("a", 0.81239, 0.0), candidate("b", 0.9, 0.01)], floor)
    assert lowered["min_success"].change == "if 0.812 success were enough (now 0.85)"


def test_the_relatively_smallest_change_comes_first_and_new_limits_last() -> None:
    strong, weak = candidate("strong", 0.75, 0.5), candidate("weak", 0.25, 0.25)
    strategy = replace(NO_WEIGHTS, quality_usd=1.0, max_cost_usd=0.5625)
    assert list(flips_of([strong, weak], strategy)) == [
        "max_cost_usd",
        "quality_usd",
        "tie_band_usd",
        "min_success",
        "local_only",
    ]
