from __future__ import annotations

from collections.abc import Sequence

import pytest

from rolecall.registry.evaluation.robustness_report import FlipRate, flip_rate


def rate(flipped: Sequence[dict[str, bool]], *kinds: str) -> FlipRate:
    return flip_rate(dict(enumerate(flipped)), kinds, seed=1)


def test_a_rate_counts_flips_among_the_kinds_that_applied() -> None:
    prompts = [
        {"first": True},
        {"first": False, "second": True},
        dict.fromkeys(("first", "second"), False),
    ]
    for kinds, counted in {
        ("first",): (1, 3),
        ("second",): (1, 2),
        ("first", "second"): (2, 5),
    }.items():
        found = rate(prompts, *kinds)
        assert (found.flips, found.cases, found.share) == (*counted, counted[0] / counted[1])


def test_a_kind_that_never_applied_has_no_rate() -> None:
    assert rate([{"second": True}, {}], "first") == FlipRate(0, 0, None, None, None)


def test_the_interval_is_about_as_wide_as_prompts_make_it() -> None:
    found = rate([{"one": number % 4 == 0} for number in range(400)], "one")
    assert found.low is not None
    assert found.high is not None
    error = (0.25 * 0.75 / 400) ** 0.5
    assert found.low == pytest.approx(0.25 - 1.96 * error, abs=0.01)
    assert found.high == pytest.approx(0.25 + 1.96 * error, abs=0.01)


def test_changes_of_one_prompt_count_as_one_piece_of_evidence() -> None:
    kinds = tuple("abcdefghij")
    together = rate([dict.fromkeys(kinds, number % 4 == 0) for number in range(40)], *kinds)
    apart = rate([{"a": number % 4 == 0} for number in range(400)], *kinds)
    assert together.share == apart.share
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low - 0.05
