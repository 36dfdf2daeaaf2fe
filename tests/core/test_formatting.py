import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.formatting import (
    Rounding,
    distinct_tokens,
    rounded,
    seconds,
    success,
    tokens,
    usd,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "rounding", "text"),
    [
        (0.0112, "nearest", "0.0112"),
        (0.028571, "down", "0.0285"),
        (0.028571, "up", "0.0286"),
        (0.3, "down", "0.3"),
        (0.1 + 0.2, "up", "0.3"),
        (12345.0, "nearest", "12,300"),
        (0.0, "up", "0"),
        (1.0, "down", "1"),
        (0.9999, "up", "1"),
        (5e-324, "down", "4.94e-324"),
        (float("inf"), "nearest", "inf"),
    ],
)
def test_numbers_are_short_and_rounded_the_way_that_is_asked(
    value: float, rounding: Rounding, text: str
) -> None:
    assert rounded(value, 3, rounding) == text


@given(st.floats(1e-6, 1e6))
def test_a_bound_is_rounded_away_from_what_it_excludes(value: float) -> None:
    assert float(rounded(value, 3, "down").replace(",", "")) <= value * (1 + 1e-11)
    assert float(rounded(value, 3, "up").replace(",", "")) >= value * (1 - 1e-11)


@pytest.mark.parametrize(
    ("amount", "rounding", "text"),
    [
        (None, "nearest", "?"),
        (0, "nearest", "$0"),
        (0.05, "nearest", "$0.05"),
        (0.13176, "nearest", "$0.1318"),
        (0.0008491, "up", "$0.00085"),
        (0.0000121, "nearest", "$0.000012"),
        (-0.0028, "nearest", "-$0.0028"),
        (0.99999, "nearest", "$1"),
        (12.5, "nearest", "$12.50"),
        (12.501, "down", "$12.50"),
        (1234.0, "nearest", "$1,234"),
        (float("inf"), "nearest", "$inf"),
    ],
)
def test_an_amount_shows_a_hundredth_of_a_cent_or_two_digits(
    amount: float | None, rounding: Rounding, text: str
) -> None:
    assert usd(amount, rounding) == text


def test_a_time_has_its_unit_and_at_most_three_digits() -> None:
    times = (None, 0, 0.0094, 0.0574, 0.254, 3.0, 4.256, 28.51, 123.4)
    assert [seconds(one) for one in times] == [
        *("?", "0 s", "9.4 ms", "57 ms", "0.25 s", "3 s", "4.26 s", "28.5 s", "123 s"),
    ]
    assert (seconds(1.251, "down"), seconds(1.251, "up")) == ("1.25 s", "1.26 s")


def test_a_probability_stands_with_its_deviation_where_it_has_one() -> None:
    assert (success(0.774, 0.214), success(0.5, None)) == ("0.77 ±.21", "0.50")


def test_tokens_are_exact_up_to_ten_thousand() -> None:
    counts = (None, 0, 3641, 41_000, 131_072, 999_999, 1_048_576)
    assert [tokens(one) for one in counts] == ["?", "0", "3,641", "41k", "131k", "1M", "1.05M"]


@pytest.mark.parametrize(
    ("more", "less", "words"),
    [
        (151_000, 131_072, ("151k", "131k")),
        (131_124, 131_072, ("131,124", "131,072")),
        (900, 800, ("900", "800")),
        (1_200_000, 1_000_000, ("1.2M", "1M")),
    ],
)
def test_two_counts_always_look_different(more: int, less: int, words: tuple[str, str]) -> None:
    assert distinct_tokens(more, less) == words


def test_no_other_file_writes_amounts_by_itself() -> None:
    for path in [*ROOT.glob("cli/**/*.py"), *ROOT.glob("registry/**/*.py")]:
        if path.name not in ("formatting.py", "scripts.py"):  # the latter is shell
            assert not re.search(r'\$\{[^}"\n]*:[^}\n]*[fg]\}', path.read_text()), path
