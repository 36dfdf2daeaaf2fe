"""`-m` limits to a model or an endpoint, and `-o` takes a parameter in either form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall

KEYS = {"OPENAI_API_KEY": "k"}


def routed(rolecall: Rolecall, *options: str) -> dict[str, Any]:
    done = rolecall("route", "hi", *options, "--json", env=KEYS)
    assert done.exit_code in (0, 3), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("options", "endpoints"),
    [
        (("-m", "gpt-5.4-mini"), {"openai/gpt-5.4-mini", "openai/gpt-5.4-mini:high"}),
        (("--model", "openai/gpt-5.5"), {"openai/gpt-5.5"}),
        (("-m", "gpt-5.5", "-m", "ollama/gemma-3-4b"), {"openai/gpt-5.5", "ollama/gemma-3-4b"}),
        (("-m", "qwen3-8b", "-e", "*:none"), {"ollama/qwen3-8b:none"}),
        (("-m", "qwen3-8b", "-e", "openai/*"), set()),
    ],
)
def test_a_model_or_an_endpoint_is_all_that_is_considered(
    options: tuple[str, ...], endpoints: set[str], rolecall: Rolecall
) -> None:
    found = routed(rolecall, *options)
    assert {one["endpoint"] for one in found["candidates"]} == endpoints


def test_explain_and_ask_know_it_too(rolecall: Rolecall) -> None:
    done = rolecall("explain", "--prompt", "hi", "-m", "gemma-3-4b", "--json")
    assert json.loads(done.stdout)["chosen"] == "ollama/gemma-3-4b"
    refused = rolecall("ask", "hi", "-m", "gpt-5.5")
    assert (refused.exit_code, "OPENAI_API_KEY is not set" in refused.stderr) == (3, True)


def test_a_name_that_is_neither_is_answered_with_near_ones(rolecall: Rolecall) -> None:
    done = rolecall("route", "hi", "-m", "qwen-8b")
    assert (done.exit_code, done.stdout) == (2, "")
    said, hint = done.stderr.splitlines()
    assert said == 'error: no model or endpoint is named "qwen-8b"'
    assert hint == "hint: did you mean qwen3-8b or ollama/qwen3-8b?"


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "temperature", "0.2", "-o", "stop", "a=b"),
        ("-o", "temperature=0.2", "-o", "stop=a=b"),
        ("--option", "temperature=0.2", "--option", "stop", "a=b"),
        ("-otemperature=0.2", "--option=stop=a=b"),
    ],
)
def test_a_parameter_is_given_in_either_form(words: tuple[str, ...], rolecall: Rolecall) -> None:
    assert routed(rolecall, *words)["task"]["parameters"] == ["stop", "temperature"]


def test_what_looks_like_a_pair_elsewhere_is_left_alone(rolecall: Rolecall) -> None:
    done = rolecall("route", "-o", "temperature=0.2", "-s", "a=b", "--json", "--", "x=y")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["task"]["parameters"] == ["temperature"]
    lacking = rolecall("route", "hi", "-o", "temperature")
    assert (lacking.exit_code, "requires 2 arguments" in lacking.stderr) == (2, True)
