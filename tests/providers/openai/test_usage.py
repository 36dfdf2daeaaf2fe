"""Tokens and costs, by each name that servers of OpenAI's API have for them."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import (
    Usage,
)
from rolecall.registry.providers.openai.response import usage_of
from tests.providers.openai.test_response import chunk, read


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            Usage(100, 50, 80, 10, 30),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 180,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            Usage(100, 80, reasoning_output_tokens=30),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4},
            Usage(9, 1, 4),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 4}, Usage(9, 1, 4)),
        ({"prompt_tokens": 9.0, "completion_tokens": None}, Usage(9)),
        (
            {"prompt_tokens": True, "completion_tokens": 1, "prompt_tokens_details": None},
            Usage(None, 1),
        ),
        ({"prompt_tokens": -1, "completion_tokens": "3"}, Usage(None, 3)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, None),
        ({}, None),
    ],
)
def test_usage_is_counted_as_billed(told: dict[str, Any], usage: Usage | None) -> None:
    assert usage_of(told) == usage


def test_audio_and_what_was_written_to_a_cache_are_counted_apart() -> None:
    told = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "cache_creation_input_tokens": 20,
        "prompt_tokens_details": {"audio_tokens": 60},
        "completion_tokens_details": {"audio_tokens": 40},
    }
    assert usage_of(told) == Usage(
        *(100, 50), cache_write_input_tokens=20, audio_input_tokens=60, audio_output_tokens=40
    )


@pytest.mark.parametrize(
    ("told", "cost_usd"),
    [
        ({"cost": 0.0021}, 0.0021),
        ({"cost": 0, "cost_details": {"upstream_inference_cost": None}}, 0.0),
        ({"cost": 0.0021, "cost_details": {"upstream_inference_cost": 0.04}}, 0.0021),
        (
            {
                "cost": 0.002,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 0.04},
            },
            0.042,
        ),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.3, "request_cost": 0.1}}, 0.3),
        ({"estimated_cost": 2.04e-05}, 2.04e-05),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"cost": "0.1"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": float("nan")}, None),
        ({"cost": {"total": 1}}, None),
        ({}, None),
    ],
)
def test_the_cost_that_a_server_says_is_taken_in_usd(
    told: dict[str, Any], cost_usd: float | None
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, **told}
    reader, _ = read(chunk({"content": "a"}, finish="stop"), {"choices": [], "usage": usage})
    found = reader.answer().cost_usd
    assert found == (None if cost_usd is None else pytest.approx(cost_usd))


def test_the_last_usage_wins_and_placeholders_do_not() -> None:
    reader, _ = read(
        chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": 1}),
        chunk({"content": "b"}, usage={"prompt_tokens": 5, "completion_tokens": 2}),
        chunk(finish="stop", usage={"prompt_tokens": 0, "completion_tokens": 0}),
        {"choices": [], "usage": None},
    )
    assert reader.answer().usage == Usage(5, 2)


def test_groqs_usage_is_found() -> None:
    reader, _ = read({"choices": [], "x_groq": {"usage": {"prompt_tokens": 5}}})
    assert reader.answer().usage == Usage(5)
