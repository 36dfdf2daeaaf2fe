"""What a model thinks between tags in its text is told from its answer, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rolecall.registry.core.chat import Text, TextDelta, Thinking, ThinkingDelta
from rolecall.registry.providers.accumulator import AnswerReader
from rolecall.registry.providers.ollama.response import OllamaReader
from rolecall.registry.providers.openai.response import OpenAIReader

ANSWER = '{"n": 4}'


def openai(*pieces: str, finish: str | None = "stop") -> AnswerReader:
    reader = OpenAIReader()
    for piece in pieces:
        list(reader.feed({"choices": [{"index": 0, "delta": {"content": piece}}]}))
    list(reader.feed({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
    return reader


def ollama(*pieces: str) -> AnswerReader:
    reader = OllamaReader()
    for piece in pieces:
        list(reader.feed({"message": {"content": piece}}))
    list(reader.feed({"message": {"content": ""}, "done": True, "done_reason": "stop"}))
    return reader


def split(reader: AnswerReader) -> tuple[str, str]:
    """Return the thinking and the answer."""
    parts = reader.answer().parts
    thought = "".join(part.text for part in parts if isinstance(part, Thinking))
    return thought, "".join(part.text for part in parts if isinstance(part, Text))


@pytest.mark.parametrize("read", [openai, ollama])
@pytest.mark.parametrize(
    ("said", "thought"),
    [
        (f"<think>\nA number.\n</think>\n\n{ANSWER}", "A number.\n"),
        (f"\n<think>A number.</think>{ANSWER}", "A number."),
        (f"<thinking>A number.</thinking> {ANSWER}", "A number."),
        (f"<thought>\nA number.</thought>{ANSWER}", "A number."),
        (f"<seed:think>A number.</seed:think>{ANSWER}", "A number."),
        (f"[THINK]A number.[/THINK]{ANSWER}", "A number."),
        (f"◁think▷A number.◁/think▷{ANSWER}", "A number."),
        (f"<think>\n\n</think>\n\n{ANSWER}", ""),
        (f"<think>One.</think>\n<think>Two.</think>\n{ANSWER}", "One.Two."),
        (
            "<|channel|>analysis<|message|>A number.<|end|><|start|>assistant"
            f"<|channel|>final<|message|>{ANSWER}<|return|>",
            "A number.",
        ),
        (f"<|channel|>final<|message|>{ANSWER}", ""),
        # The prompt's template has written the opening tag.
        (f"A number.\n</think>\n\n{ANSWER}", "A number.\n"),
        (f"A number.</think>{ANSWER}", "A number."),
        (f"A number. </think>\n{ANSWER}", "A number. "),
        (f"A number.</think> {ANSWER}", "A number."),
        (f"A number.\n[/THINK]\n{ANSWER}", "A number.\n"),
        (f"</think>\n\n{ANSWER}", ""),
    ],
)
def test_thinking_between_tags_is_none_of_the_answer(
    read: type[AnswerReader], said: str, thought: str
) -> None:
    for pieces in ([said], list(said), [said[:7], said[7:]]):
        assert split(read(*pieces)) == (thought, ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        "Wrap it as <think>your steps</think> and then answer.",
        "Models write <think> first.\nThey end with </think>\nand go on.",
        "It ends with </think> and goes on.",
        "The tag is `</think>`.\nUse it.",
        'Look for "</think>"\nin the text.',
        "```\n<think>\nsteps\n</think>\n```\nas above",
        "```\nsteps\n</think>\nanswer\n```\nas above",
        "The tag that ends it is </think>",
        '{"tag": "</think>"}',
        "a < b, <thin> and [THIN",
        "<think",
        "  two spaces",
    ],
)
def test_an_answer_that_speaks_of_the_tags_is_left_as_it_is(text: str) -> None:
    for pieces in ([text], list(text)):
        assert split(openai(*pieces)) == ("", text)


def test_a_later_block_is_thinking_too_and_a_mention_of_it_is_not() -> None:
    interleaved = openai("<think>One.</think>First,\n<think>Two.</think>\nthen second.")
    assert split(interleaved) == ("One.Two.", "First,\nthen second.")
    spoken = openai("<think>One.</think>A block begins with <think> here.")
    assert split(spoken) == ("One.", "A block begins with <think> here.")


def test_thinking_is_streamed_as_thinking_and_a_tag_is_never_shown() -> None:
    reader, events = OpenAIReader(), []
    for piece in ("<th", "ink>", "hm", " so</th", "ink>\n", "\nyes", "!"):
        events += list(reader.feed({"choices": [{"index": 0, "delta": {"content": piece}}]}))
    assert events == [ThinkingDelta("hm"), ThinkingDelta(" so"), TextDelta("yes"), TextDelta("!")]


def test_thinking_that_was_never_closed_is_the_answer_unless_the_answer_was_cut() -> None:
    assert split(openai("<think>It is", " 4.")) == ("", "<think>It is 4.")
    assert split(openai("<think>It is", " 4.", finish="length")) == ("It is 4.", "")
    both = openai("<think>One.</think><think>Two.", " Three")
    assert split(both) == ("One.", "<think>Two. Three")


def test_thinking_that_was_taken_for_text_at_first_is_noted() -> None:
    [note] = openai("A number.\n", "</think>\n", ANSWER).answer().notes
    assert "was the model's thinking" in note
    assert openai(f"<think>A number.</think>{ANSWER}").answer().notes == ()


tags = st.sampled_from(
    ["<think>", "</think>", "\n", " ", "a", "```", "[THINK]", "[/THINK]", "<|end|>", "<|return|>"]
)


@settings(max_examples=200)
@given(st.lists(tags | st.text(max_size=3), max_size=12), st.sampled_from(["stop", "length"]))
@example(["<think>", "a", "</think>", "b", "\n", "<think>"], "stop")
def test_the_same_is_read_however_the_text_is_cut(words: list[str], finish: str) -> None:
    said = "".join(words)
    assert split(openai(said, finish=finish)) == split(openai(*said, finish=finish))
    assert split(openai(said, finish=finish)) == split(openai(*words, finish=finish))
