"""Characters that a server cut in two come out whole."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.chat import (
    Answer,
    Completed,
    Event,
    Text,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)
from rolecall.registry.providers.surrogates import Mender, mended, mended_answer

HIGH, LOW = "\ud83d", "\ude00"


def mend(*events: Event) -> list[Event]:
    mender = Mender()
    return [whole for event in events for whole in mender.feed(event)]


def test_two_halves_in_two_pieces_are_one_character() -> None:
    assert mend(TextDelta(f"a{HIGH}"), TextDelta(f"{LOW}b")) == [TextDelta("a"), TextDelta("😀b")]
    assert mend(TextDelta(HIGH), TextDelta(LOW)) == [TextDelta("😀")]


def test_a_lone_half_becomes_a_replacement_character() -> None:
    assert mend(TextDelta(f"{HIGH}a"), TextDelta(LOW)) == [TextDelta("�a"), TextDelta("�")]
    assert mend(ToolCallDelta("x", HIGH)) == [ToolCallDelta("x", "�")]


def test_halves_of_text_and_thinking_are_not_joined() -> None:
    assert mend(ThinkingDelta(HIGH), TextDelta(f"{LOW}a")) == [TextDelta("�a")]


def test_the_answer_is_mended_as_a_whole() -> None:
    broken = Answer(parts=(Text(f"{HIGH}{LOW}{HIGH}"), ToolCall("i", f"n{LOW}", f'"{HIGH}{LOW}"')))
    assert mended_answer(broken).parts == (Text("😀�"), ToolCall("i", "n�", '"😀"'))
    assert mend(Completed(broken)) == [Completed(broken)]


@given(st.text(), st.lists(st.integers(0, 100)))
def test_text_without_lone_halves_comes_through_unchanged(text: str, places: list[int]) -> None:
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]
    events = mend(*(TextDelta(piece) for piece in pieces))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
def test_mended_text_can_always_be_printed(text: str) -> None:
    assert mended(text).encode("utf-8").decode("utf-8") == mended(text)
