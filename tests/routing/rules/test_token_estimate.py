"""How many tokens a request is expected to be, and at most, by who bills it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.requests import MediaSize, Message, Request, Task
from rolecall.registry.core.text_tokens import text_tokens
from rolecall.registry.routing.rules.media_tokens import FAMILIES
from rolecall.registry.routing.rules.token_estimate import (
    context_needed,
    estimate_tokens,
    most_input_tokens,
    most_tokens,
)

IDS = "3f2a91c0-77de-4b1a-9f00-1c2d3e4f5a6b " * 40


def request(*texts: str, sizes: tuple[MediaSize, ...] = ()) -> Request:
    kinds = tuple(size.modality for size in sizes)
    return Request(tuple(Message("user", text, kinds, sizes) for text in texts))


def most(asked: Request) -> dict[str, int | None]:
    return dict(zip(FAMILIES, most_tokens(asked), strict=True))


def test_a_text_is_expected_to_be_what_its_words_are_and_a_message_four_more() -> None:
    once, twice = (estimate_tokens(request(*["Why does this deadlock?"] * n)) for n in (1, 2))
    assert 8 <= once <= 12
    assert twice in (2 * once, 2 * once - 1)


@pytest.mark.parametrize("where", ["messages", "tools_text", "schema_text"])
def test_messages_tools_and_schemas_count_alike(where: str) -> None:
    empty = request("")
    asked = request(IDS) if where == "messages" else replace(empty, **{where: IDS})  # type: ignore[arg-type]
    told = text_tokens(IDS)
    assert estimate_tokens(asked) - estimate_tokens(empty) == pytest.approx(told.expected, abs=1)
    for family, told_most in (("openai", told.most), ("claude", told.most_of_claude)):
        before, after = most(empty)[family], most(asked)[family]
        assert before is not None
        assert after is not None
        assert after - before == pytest.approx(told_most, abs=1)


def test_tools_cost_what_a_model_is_told_of_them_beside_their_definitions() -> None:
    plain, with_tools = request("hi"), replace(request("hi"), tool_names=("a", "b"))
    for family in FAMILIES:
        before, after = most(plain)[family], most(with_tools)[family]
        assert before is not None
        assert after is not None
        assert after - before >= 700


def test_no_request_is_expected_to_cost_more_than_it_may() -> None:
    asked = request("Why?", IDS, sizes=(MediaSize("image", 10, 1_024, 768),))
    assert all(estimate_tokens(asked) <= (tokens or 0) for tokens in most_tokens(asked))


def test_an_attachment_that_nobody_can_measure_has_no_most_and_is_not_expected_to_be_free() -> None:
    for size in (MediaSize("pdf"), MediaSize("pdf", 10_000_000), MediaSize("audio")):
        asked = request("Summarise", sizes=(size,))
        assert most_tokens(asked) == (None,) * len(FAMILIES)
        assert estimate_tokens(asked) >= 1_500
    assert estimate_tokens(request("", sizes=(MediaSize("pdf", 10_000_000),))) > 100_000
    unmeasured = Request((Message("user", "", ("pdf",)),))
    assert most_tokens(unmeasured) == (None,) * len(FAMILIES)


@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        (Endpoint("a", "m", api="anthropic", remote_model="claude-opus-4-7"), 0),
        (Endpoint("a", "m", remote_model="anthropic/claude-sonnet-4.6"), 0),
        (Endpoint("a", "m", api="gemini", remote_model="gemini-2.5-flash"), 1),
        (Endpoint("a", "m", remote_model="google/gemini-2.5-flash"), 1),
        (Endpoint("a", "m", remote_model="gpt-5-mini"), 2),
        (Endpoint("a", "m", remote_model="openai/o3"), 2),
        (Endpoint("a", "m", remote_model="gpt-4o-mini"), 3),
        (Endpoint("a", "m", remote_model="openai/gpt-oss-120b"), 4),
        (Endpoint("a", "m", remote_model="qwen3-8b"), 4),
        (Endpoint("a", "m", api="ollama", remote_model="llama3"), 4),
    ],
)
def test_an_endpoint_is_held_to_the_most_of_whoever_made_its_model(
    endpoint: Endpoint, place: int
) -> None:
    task = Task("general", "detected", 1.0, "", 5, most_input_tokens=(10, 11, 12, 13, 14))  # type: ignore[arg-type]
    assert most_input_tokens(task, endpoint) == 10 + place


def test_a_declared_count_is_believed() -> None:
    task = Task("general", "detected", 1.0, "", input_tokens=500, input_tokens_declared=True)
    assert most_input_tokens(task, Endpoint("a", "m")) == 500


def test_an_answer_gets_1024_tokens_of_room_unless_the_caller_says_more_or_less() -> None:
    task = Task("general", "detected", 1.0, "")
    assert context_needed(task, 1_000) == 2_024
    assert context_needed(replace(task, max_tokens=500), 1_000) == 1_500
    assert context_needed(replace(task, max_tokens=0), 0) == 0
