from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.scorer.canonical import canonical
from rolecall.registry.scorer.model import Scorer


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Hi, please write a poem about rain. Thanks!", "write a poem about rain"),
        ("Could you translate this letter?", "translate this letter"),
        ("How far is it? Many thanks!", "How far is it"),
        ("Could you add these? They are 3, 4.", "add these. They are 3, 4"),
        ("What is  2+2 ?\n", "What is 2+2 ?"),
        ("“smart” quotes and ‘others’", "\"smart\" quotes and 'others'"),
        ("I'd like you to sum this up, thank you very much.", "sum this up"),
        ("one\r\n\r\n\r\n\r\ntwo  ", "one\n\ntwo"),
        ("Can you help me with this? Which is larger, and why?", "Which is larger, and why"),
        ("Please answer this question.\nName two rivers", "Name two rivers"),
        (
            "I can't open it and it doesn't say what's wrong",
            "I cannot open it and it does not say what is wrong",
        ),
    ],
)
def test_courtesies_and_blanks_are_not_read(said: str, read: str) -> None:
    assert canonical(said) == read


@pytest.mark.parametrize(
    "text", ["hi", "thanks a lot", "please", "Could you?", "...", "hello there"]
)
def test_where_courtesy_is_all_there_is_it_stays(text: str) -> None:
    assert canonical(text).strip("?. ") == text.strip("?. ")


@pytest.mark.parametrize(
    "text",
    [
        "Hi-hat patterns for beginners",
        "Can you be sued for this?",
        "Help me write a poem",
        "Answer: 42. Question?",
    ],
)
def test_words_that_only_look_like_courtesy_stay(text: str) -> None:
    assert canonical(text) == text.rstrip("?")


@given(st.text())
def test_what_is_read_is_read_the_same_again_and_is_never_lost(text: str) -> None:
    once = canonical(text)
    assert bool(once) == bool(text.strip())


def test_a_courtesy_or_a_blank_moves_no_prediction(scorer: Scorer) -> None:
    plain = scorer.read("explain how a suspension bridge carries its load.")
    for other in (
        "Please explain how a suspension bridge carries its load.",
        "Hello! Could you explain how a suspension bridge carries its load? Thanks a lot!",
        "  explain how a suspension   bridge carries its load.\n\n",
        "explain how a suspension bridge carries its load",
    ):
        assert (scorer.read(other).signals == plain.signals).all()
