"""Figures as people write them."""

from __future__ import annotations

import pytest

from rolecall.cli.commands.records import money, tokens, words


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "?"), (900, "900"), (131072, "131k"), (65536, "65.5k"), (1_048_576, "1.05M")],
)
def test_token_counts_are_short(count: int | None, text: str) -> None:
    assert tokens(count) == text


@pytest.mark.parametrize(
    ("usd", "text"), [(None, "?"), (0, "0"), (15.0, "15"), (0.25, "0.25"), (0.00002, "0.00002")]
)
def test_money_has_no_trailing_zeros_and_no_exponent(usd: float | None, text: str) -> None:
    assert money(usd) == text


def test_no_names_are_a_dash() -> None:
    assert (words(()), words(("a", "b"))) == ("–", "a, b")
