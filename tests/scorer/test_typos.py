from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.typos import mended

COMMON = {word: rank for rank, word in enumerate(("letter", "better", "believe", "their"))}


def broken(text: str, pieces: int) -> str:
    """Mend a text of one word that was broken into so many equal pieces."""
    size = -(-len(text) // pieces)
    starts = range(0, len(text), size)
    tokens = [text[at : at + size] if at == 0 else f"##{text[at : at + size]}" for at in starts]
    spans = [(at, min(at + size, len(text))) for at in starts]
    return mended(text, tokens, spans, COMMON.get)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lettre", "letter"), ("lettter", "letter"), ("leter", "letter"), ("bleieve", "believe")],
)
def test_one_slip_in_a_shattered_word_is_mended(typed: str, meant: str) -> None:
    assert broken(typed, 3) == meant


@pytest.mark.parametrize("typed", ["lettre", "leter"])
def test_a_short_word_in_two_pieces_stays_for_it_may_be_a_rare_one(typed: str) -> None:
    assert broken(typed, 2) == typed


def test_a_long_word_in_two_pieces_is_mended_unless_a_letter_is_missing() -> None:
    assert broken("beleive", 2) == "believe"
    assert broken("beliebve", 2) == "beliebve"


@pytest.mark.parametrize("typed", ["Lettre", "letttter", "etlter", "x1tter", "lettré"])
def test_names_and_words_more_than_a_slip_away_stay(typed: str) -> None:
    assert broken(typed, 3) == typed


@pytest.mark.parametrize("text", ["lettre.py", "./lettre", "lettre_id", "a-lettre"])
def test_a_word_in_a_path_or_in_code_stays(text: str) -> None:
    at = text.index("lettre")
    spans = [(at, at + 2), (at + 2, at + 4), (at + 4, at + 6)]
    assert mended(text, ["le", "##tt", "##re"], spans, COMMON.get) == text


def test_a_word_at_the_end_of_a_sentence_is_mended() -> None:
    spans = [(2, 4), (4, 6), (6, 8), (8, 9)]
    assert mended("a lettre.", ["le", "##tt", "##re", "."], spans, COMMON.get) == "a letter."


def test_a_text_full_of_odd_words_is_looked_at_only_so_far() -> None:
    asked: list[str] = []

    def rank(word: str) -> None:
        asked.append(word)

    def looked_up(words: int) -> int:
        asked.clear()
        text = " ".join(["qzxvkj"] * words)
        spans = [(at + i, at + i + 2) for at in range(0, 7 * words, 7) for i in (0, 2, 4)]
        assert mended(text, ["qz", "##xv", "##kj"] * words, spans, rank) == text
        return len(asked)

    assert 0 < looked_up(1) < looked_up(20) < looked_up(100) == looked_up(1000)


@given(st.text(), st.integers(1, 4))
def test_nothing_is_mended_to_a_word_that_is_not_known(text: str, pieces: int) -> None:
    read = broken(text, pieces) if text else ""
    assert read == text or read in COMMON


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("explain how a suspenison bridge works", "explain how a suspension bridge works"),
        ("write a summmary of this article", "write a summary of this article"),
        ("is a surjective map a monad in category theory", None),
    ],
)
def test_the_encoder_reads_what_was_meant(scorer: Scorer, typed: str, meant: str | None) -> None:
    seen = scorer.encoder.token_ids(typed)
    if meant is None:
        assert seen == scorer.encoder.token_ids(typed, as_typed=True)
    else:
        assert seen == scorer.encoder.token_ids(meant)
        assert seen != scorer.encoder.token_ids(typed, as_typed=True)
