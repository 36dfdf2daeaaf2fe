import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.formatting import Rounding, rounded, seconds, tokens, usd


@pytest.mark.parametrize(
    ("value", "rounding", "text"),
    [
        (0.0112, "nearest", "0.0112"),
        (0.028571, "down", "0.0285"),
        (0.028571, "up", "0.0286"),
        (0.3, "down", "0.3"),
        (0.1 + 0.2, "up", "0.3"),
        (12345.0, "nearest", "12300"),
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
    assert float(rounded(value, 3, "down")) <= value * (1 + 1e-11)
    assert float(rounded(value, 3, "up")) >= value * (1 - 1e-11)


def test_units_stand_where_a_reader_expects_them() -> None:
    assert (usd(0.05), seconds(0.9)) == ("$0.05", "0.9 s")


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
    assert tokens(more, less) == words
